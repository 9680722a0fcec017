// The transforms of docs/arithmetic.md on integers, as plain as the page writes them.
#pragma once

#include <cstdint>

namespace ernn {

/// C[n] of docs/arithmetic.md, n = 0..16: cos(2 pi n / 64) with 16 fraction bits.
std::int64_t transform_constant(int n);

/// What the stages of a transform do with their results. half: each is halved, rounding half up, so
/// that log2(k) stages divide by k and words do not grow; the deployed transforms do nothing of the
/// kind (docs/arithmetic.md, "Where 1/k goes").
enum class StageScale { none, half };

/// rfft_k of `x` [k] into `packed` [k], exact up to the products' rounding: no shift for the guard
/// fraction and no narrowing, which are the caller's. k = 2, 4, ..., 64.
void integer_rfft(int k, const std::int64_t* x, std::int64_t* packed,
                  StageScale scale = StageScale::none);

/// irfft_k without 1/k of `packed` [k] into `y` [k]; the same remarks.
void integer_irfft(int k, const std::int64_t* packed, std::int64_t* y,
                   StageScale scale = StageScale::none);

/// sum[b] += w[b] x[b] for packed spectra [k]: bins 0 and k/2 real, the others complex; exact.
void add_block_product(int k, const std::int32_t* w, const std::int32_t* x, std::int64_t* sum);

}  // namespace ernn
