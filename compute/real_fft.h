// Real Fourier transforms of K numbers, one transform in each lane of a vector.
//
// A spectrum is packed as K real numbers in the order Re0, Re(K/2), Re1, Im1, Re2, Im2, ...
// (bins 0 and K/2 are real), like packed_rfft() of models/circulant.h. K is a power of two.
#pragma once

#include <utility>

#include "compute/vector.h"

namespace ernn::compute {

/// sine and cosine of 2 pi m / K for 0 <= m < K / 4, at compile time (Taylor series; the angle is
/// below pi / 2, where 14 terms leave less than an ulp of a double).
template <class T, int K>
struct Twiddles {
  static constexpr double series(double x, double term, int first) {
    double sum = 0;
    for (int n = first; n < first + 28; n += 2) {
      sum += term;
      term *= -x * x / ((n + 1.0) * (n + 2.0));
    }
    return sum;
  }
  static constexpr double angle(int m) { return 2 * 3.14159265358979323846 * m / K; }
  static constexpr T cosine(int m) { return static_cast<T>(series(angle(m), 1, 0)); }
  static constexpr T sine(int m) { return static_cast<T>(series(angle(m), angle(m), 1)); }
};

/// x[0], x[stride], ... to the packed spectrum of K vectors. Decimation in time.
template <class Set, class T, int K>
ERNN_INLINE void real_fft(const Vector<Set, T>* x, std::ptrdiff_t stride,
                          Vector<Set, T>* spectrum) {
  using V = Vector<Set, T>;
  if constexpr (K == 1) {
    spectrum[0] = x[0];
  } else if constexpr (K == 2) {
    const V a = x[0];
    const V b = x[stride];
    spectrum[0] = a + b;
    spectrum[1] = a - b;
  } else {
    constexpr int M = K / 2;
    V even[M];
    V odd[M];
    real_fft<Set, T, M>(x, 2 * stride, even);
    real_fft<Set, T, M>(x + stride, 2 * stride, odd);
    spectrum[0] = even[0] + odd[0];
    spectrum[1] = even[0] - odd[0];
    // Bin K/4, where the twiddle factor is -j.
    spectrum[M] = even[1];
    spectrum[M + 1] = -odd[1];
    unrolled<M / 2 - 1>([&](auto i) ERNN_INLINE_LAMBDA {
      constexpr int m = decltype(i)::value + 1;
      constexpr T c = Twiddles<T, K>::cosine(m);
      constexpr T s = Twiddles<T, K>::sine(m);
      const V re = odd[2 * m] * c + odd[2 * m + 1] * s;
      const V im = odd[2 * m + 1] * c - odd[2 * m] * s;
      spectrum[2 * m] = even[2 * m] + re;
      spectrum[2 * m + 1] = even[2 * m + 1] + im;
      spectrum[2 * (M - m)] = even[2 * m] - re;
      spectrum[2 * (M - m) + 1] = im - even[2 * m + 1];
    });
  }
}

/// K times the inverse of real_fft().
template <class Set, class T, int K>
ERNN_INLINE void unscaled_inverse_fft(const Vector<Set, T>* spectrum, Vector<Set, T>* x,
                                      std::ptrdiff_t stride) {
  using V = Vector<Set, T>;
  if constexpr (K == 1) {
    x[0] = spectrum[0];
  } else if constexpr (K == 2) {
    const V a = spectrum[0];
    const V b = spectrum[1];
    x[0] = a + b;
    x[stride] = a - b;
  } else {
    constexpr int M = K / 2;
    V even[M];
    V odd[M];
    even[0] = spectrum[0] + spectrum[1];
    odd[0] = spectrum[0] - spectrum[1];
    even[1] = spectrum[M] + spectrum[M];
    odd[1] = -(spectrum[M + 1] + spectrum[M + 1]);
    unrolled<M / 2 - 1>([&](auto i) ERNN_INLINE_LAMBDA {
      constexpr int m = decltype(i)::value + 1;
      constexpr T c = Twiddles<T, K>::cosine(m);
      constexpr T s = Twiddles<T, K>::sine(m);
      even[2 * m] = spectrum[2 * m] + spectrum[2 * (M - m)];
      even[2 * m + 1] = spectrum[2 * m + 1] - spectrum[2 * (M - m) + 1];
      const V re = spectrum[2 * m] - spectrum[2 * (M - m)];
      const V im = spectrum[2 * m + 1] + spectrum[2 * (M - m) + 1];
      odd[2 * m] = re * c - im * s;
      odd[2 * m + 1] = im * c + re * s;
    });
    unscaled_inverse_fft<Set, T, M>(even, x, 2 * stride);
    unscaled_inverse_fft<Set, T, M>(odd, x + stride, 2 * stride);
  }
}

template <class Set, class T, int... I>
ERNN_INLINE void split_pair(Vector<Set, T> a, Vector<Set, T> b, Vector<Set, T>& even,
                            Vector<Set, T>& odd, std::integer_sequence<int, I...>) {
  even = __builtin_shufflevector(a, b, (2 * I)...);
  odd = __builtin_shufflevector(a, b, (2 * I + 1)...);
}

template <class Set, class T, int... I>
ERNN_INLINE void merge_pair(Vector<Set, T> even, Vector<Set, T> odd, Vector<Set, T>& a,
                            Vector<Set, T>& b, std::integer_sequence<int, I...>) {
  constexpr int kCount = sizeof...(I);
  a = __builtin_shufflevector(even, odd, (I / 2 + (I % 2) * kCount)...);
  b = __builtin_shufflevector(even, odd, (kCount / 2 + I / 2 + (I % 2) * kCount)...);
}

/// K vectors that hold blocks of K numbers one after another to K vectors of which x[i] holds
/// number i of every block.
template <class Set, class T, int K>
ERNN_INLINE void transpose_blocks(const Vector<Set, T>* memory, Vector<Set, T>* x,
                                  std::ptrdiff_t stride) {
  using V = Vector<Set, T>;
  if constexpr (K == 1) {
    x[0] = memory[0];
  } else {
    V even[K / 2];
    V odd[K / 2];
    unrolled<K / 2>([&](auto n) ERNN_INLINE_LAMBDA {
      constexpr int i = decltype(n)::value;
      split_pair<Set, T>(memory[2 * i], memory[2 * i + 1], even[i], odd[i],
                         std::make_integer_sequence<int, kLanes<Set, T>>());
    });
    transpose_blocks<Set, T, K / 2>(even, x, 2 * stride);
    transpose_blocks<Set, T, K / 2>(odd, x + stride, 2 * stride);
  }
}

/// The inverse of transpose_blocks().
template <class Set, class T, int K>
ERNN_INLINE void transpose_back(const Vector<Set, T>* x, std::ptrdiff_t stride,
                                Vector<Set, T>* memory) {
  using V = Vector<Set, T>;
  if constexpr (K == 1) {
    memory[0] = x[0];
  } else {
    V even[K / 2];
    V odd[K / 2];
    transpose_back<Set, T, K / 2>(x, 2 * stride, even);
    transpose_back<Set, T, K / 2>(x + stride, 2 * stride, odd);
    unrolled<K / 2>([&](auto n) ERNN_INLINE_LAMBDA {
      constexpr int i = decltype(n)::value;
      merge_pair<Set, T>(even[i], odd[i], memory[2 * i], memory[2 * i + 1],
                         std::make_integer_sequence<int, kLanes<Set, T>>());
    });
  }
}

}  // namespace ernn::compute
