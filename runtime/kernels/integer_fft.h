// The integer transforms of docs/arithmetic.md over registers: lane b of every register belongs to
// block b, so all blocks go through the same flow. Sizes are compile-time constants, and everything
// unrolls. (compute/real_fft.h has those of floats, which need not round as the page says.)
#pragma once

#include "runtime/kernels/numbers.h"

namespace ernn {
namespace kernels {

/// N is IntNumbers or LongNumbers.
template <class N, int k>
struct IntegerFft {
  using V = typename N::V;

  /// x[0], x[stride], ... to the packed spectrum.
  ERNN_INLINE static void forward(const V* x, int stride, V* out) {
    V even[k / 2];
    V odd[k / 2];
    IntegerFft<N, k / 2>::forward(x, 2 * stride, even);
    IntegerFft<N, k / 2>::forward(x + stride, 2 * stride, odd);
    out[0] = even[0] + odd[0];
    out[1] = even[0] - odd[0];
    out[k / 2] = even[1];
    out[k / 2 + 1] = -odd[1];
#pragma GCC unroll 16
    for (int b = 1; b < k / 4; ++b) {
      const V re = odd[2 * b];
      const V im = odd[2 * b + 1];
      const int c = 64 * b / k;
      const bool middle = 8 * b == k;
      const V t_re = middle ? N::scale(re + im, 8) : N::rotate(re, c, im, 16 - c);
      const V t_im = middle ? N::scale(im - re, 8) : N::rotate_minus(im, c, re, 16 - c);
      out[2 * b] = even[2 * b] + t_re;
      out[2 * b + 1] = even[2 * b + 1] + t_im;
      out[k - 2 * b] = even[2 * b] - t_re;
      out[k - 2 * b + 1] = t_im - even[2 * b + 1];
    }
  }

  /// A packed spectrum to y[0], y[stride], ..., without the factor 1/k.
  ERNN_INLINE static void inverse(const V* in, V* y, int stride) {
    V even[k / 2];
    V odd[k / 2];
    even[0] = in[0] + in[1];
    odd[0] = in[0] - in[1];
    even[1] = N::twice(in[k / 2]);
    odd[1] = -N::twice(in[k / 2 + 1]);
#pragma GCC unroll 16
    for (int b = 1; b < k / 4; ++b) {
      const V high_re = in[k - 2 * b];
      const V high_im = -in[k - 2 * b + 1];
      even[2 * b] = in[2 * b] + high_re;
      even[2 * b + 1] = in[2 * b + 1] + high_im;
      const V re = in[2 * b] - high_re;
      const V im = in[2 * b + 1] - high_im;
      const int c = 64 * b / k;
      const bool middle = 8 * b == k;
      odd[2 * b] = middle ? N::scale(re - im, 8) : N::rotate_minus(re, c, im, 16 - c);
      odd[2 * b + 1] = middle ? N::scale(im + re, 8) : N::rotate(im, c, re, 16 - c);
    }
    IntegerFft<N, k / 2>::inverse(even, y, 2 * stride);
    IntegerFft<N, k / 2>::inverse(odd, y + stride, 2 * stride);
  }
};

template <class N>
struct IntegerFft<N, 2> {
  using V = typename N::V;
  ERNN_INLINE static void forward(const V* x, int stride, V* out) {
    out[0] = x[0] + x[stride];
    out[1] = x[0] - x[stride];
  }
  ERNN_INLINE static void inverse(const V* in, V* y, int stride) {
    y[0] = in[0] + in[1];
    y[stride] = in[0] - in[1];
  }
};

}  // namespace kernels
}  // namespace ernn
