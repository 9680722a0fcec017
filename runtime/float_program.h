// A float network as a program.
#pragma once

#include "export/float_network.h"
#include "runtime/kernels/kernels.h"
#include "runtime/program.h"

namespace ernn {

/// Normalised features in, logits out. Block-circulant matrices are multiplied in the frequency
/// domain.
Program<float> make_float_program(const FloatNetwork& network, const Kernels& kernels);

}  // namespace ernn
