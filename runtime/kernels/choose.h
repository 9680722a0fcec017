// Which table of kernels runs.
#pragma once

#include "compute/isa.h"
#include "runtime/kernels/kernels.h"

namespace ernn {

/// The loops of one instruction set. Throws UsageError naming the available ones when this
/// processor lacks it.
const Kernels& kernels_for(Isa isa);

}  // namespace ernn
