// The transforms of docs/arithmetic.md on integers, as plain as the page writes them.
#pragma once

#include <cstdint>

namespace ernn {

/// C[n] of docs/arithmetic.md, n = 0..16: cos(2 pi n / 64) with 16 fraction bits.
std::int64_t transform_constant(int n);

/// rfft_k of `x` [k] into `packed` [k], exact up to the products' rounding: no shift for the guard
/// fraction and no narrowing, which are the caller's. k = 2, 4, ..., 64.
void integer_rfft(int k, const std::int64_t* x, std::int64_t* packed);

/// irfft_k without 1/k of `packed` [k] into `y` [k]; the same remarks.
void integer_irfft(int k, const std::int64_t* packed, std::int64_t* y);

}  // namespace ernn
