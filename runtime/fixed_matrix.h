// Matrices of codes, multiplied as docs/arithmetic.md says.
#pragma once

#include <cstdint>

#include "export/quantised_network.h"
#include "runtime/kernels/kernels.h"
#include "runtime/program.h"

namespace ernn {

/// Adds the steps of `matrix` times `from`, whose codes have the format `input`. The result is in
/// the format `product` and in the layout of the matrix's rows, padding rows included.
///
/// 16-bit storage and 32-bit sums are used where formats and weights prove that no sum overflows;
/// block rows are cut into segments for that if need be. Everything else takes 64 bits.
Wire add_product(Program<std::int32_t>& program, const Kernels& kernels,
                 const QuantisedMatrix& matrix, const Wire& from, const Format& input);

}  // namespace ernn
