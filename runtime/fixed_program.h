// A quantised network as a program.
#pragma once

#include <cstdint>

#include "export/quantised_network.h"
#include "runtime/kernels/kernels.h"
#include "runtime/program.h"

namespace ernn {

/// Codes in the network's input format in, logit codes out, equal to those of the emulator
/// (export/emulator.h) bit for bit. The network must have passed check_accumulators().
Program<std::int32_t> make_fixed_program(const QuantisedNetwork& network, const Kernels& kernels);

}  // namespace ernn
