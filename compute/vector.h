// Vectors of one instruction set, for code that is compiled once for each (compute/isa.h).
//
// Such code is instantiated in translation units with flags of their own. What they share with the
// rest of the program must not be code that the linker could take from them: everything here
// depends on a tag type and is always inlined, and nothing of the standard library is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#define ERNN_INLINE [[gnu::always_inline]] inline
// The same for a lambda: [&](auto i) ERNN_INLINE_LAMBDA { ... }
#define ERNN_INLINE_LAMBDA __attribute__((always_inline))

namespace ernn::compute {

/// An instruction set: the width of its vectors, and the size of the matrix product's tile in its
/// registers, rows x vectors (both operands and the sums must fit).
struct Portable {
  static constexpr int kBytes = 16;
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 2;
};
struct Avx2 {
  static constexpr int kBytes = 32;
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 3;
};
struct Avx512 {
  static constexpr int kBytes = 64;
  static constexpr int kTileRows = 8;
  static constexpr int kTileVectors = 3;
};

template <int I>
struct Constant {
  static constexpr int value = I;
};

template <class Function, int... I>
ERNN_INLINE void call_each([[maybe_unused]] Function function, std::integer_sequence<int, I...>) {
  (function(Constant<I>{}), ...);
}

/// function(Constant<0>{}), ... function(Constant<Count - 1>{}) without a loop: arrays of vectors
/// that are indexed by constants live in registers, those indexed in loops often do not.
template <int Count, class Function>
ERNN_INLINE void unrolled(Function function) {
  call_each(function, std::make_integer_sequence<int, Count>());
}

template <class T>
struct SameSizeInt;
template <>
struct SameSizeInt<float> {
  using Type = std::int32_t;
};
template <>
struct SameSizeInt<double> {
  using Type = std::int64_t;
};

template <class Set, class T>
inline constexpr int kLanes = Set::kBytes / static_cast<int>(sizeof(T));

template <class Set, class T>
struct VectorType {
  typedef T Type __attribute__((vector_size(Set::kBytes)));
  // Memory of any alignment, which may hold anything else too.
  typedef T Unaligned __attribute__((vector_size(Set::kBytes), aligned(alignof(T)), may_alias));
  typedef typename SameSizeInt<T>::Type Int __attribute__((vector_size(Set::kBytes)));
};
template <class Set, class T>
using Vector = typename VectorType<Set, T>::Type;
template <class Set, class T>
using IntVector = typename VectorType<Set, T>::Int;

template <class Set, class T>
ERNN_INLINE Vector<Set, T> load(const T* from) {
  return *reinterpret_cast<const typename VectorType<Set, T>::Unaligned*>(from);
}

template <class Set, class T>
ERNN_INLINE void store(T* to, Vector<Set, T> value) {
  *reinterpret_cast<typename VectorType<Set, T>::Unaligned*>(to) = value;
}

/// The first `count` lanes; the others are 0.
template <class Set, class T>
ERNN_INLINE Vector<Set, T> load_first(const T* from, std::ptrdiff_t count) {
  Vector<Set, T> value = {};
  for (std::ptrdiff_t i = 0; i < count; ++i) value[i] = from[i];
  return value;
}

template <class Set, class T>
ERNN_INLINE void store_first(T* to, Vector<Set, T> value, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) to[i] = value[i];
}

/// The same number in all lanes.
template <class Set, class T>
ERNN_INLINE Vector<Set, T> all(T value) {
  return value - Vector<Set, T>{};  // x - 0 is x for every x, -0 included
}

/// e^r - 1 = r + r^2/2 + ... for |r| <= ln(2) / 2, cut where the rest is below half an ulp of r.
template <class Set, class T>
ERNN_INLINE Vector<Set, T> expm1_near_zero(Vector<Set, T> r) {
  constexpr int kTerms = sizeof(T) == 4 ? 7 : 14;
  T coefficient = 1;
  for (int n = 2; n <= kTerms; ++n) coefficient /= static_cast<T>(n);
  Vector<Set, T> sum = all<Set, T>(coefficient);
  for (int n = kTerms; n > 2; --n) {
    coefficient *= static_cast<T>(n);
    sum = sum * r + coefficient;
  }
  return r + (r * r) * sum;
}

/// e^x - 1, accurate relative to the result also near 0; x is limited to what does not overflow
/// (and the result to -1 from below). NaN stays NaN.
template <class Set, class T>
ERNN_INLINE Vector<Set, T> expm1(Vector<Set, T> x) {
  using V = Vector<Set, T>;
  using I = IntVector<Set, T>;
  constexpr bool kFloat = sizeof(T) == 4;
  constexpr T kLimit = kFloat ? T(87) : T(708);
  constexpr T kLog2E = T(1.44269504088896340736);
  // ln 2 in two parts: the first has so few bits that n times it is exact.
  constexpr T kLn2High = kFloat ? T(0.693359375) : T(6.93145751953125e-1);
  constexpr T kLn2Low = kFloat ? T(-2.12194440054690583e-4) : T(1.42860682030941723212e-6);
  // Adding 1.5 x 2^(mantissa bits) rounds to an integer and leaves it in the lowest bits.
  constexpr T kRound = kFloat ? T(12582912) : T(6755399441055744.0);
  constexpr int kMantissa = kFloat ? 23 : 52;
  constexpr int kBias = kFloat ? 127 : 1023;
  x = x > kLimit ? all<Set, T>(kLimit) : x;
  x = x < -kLimit ? all<Set, T>(-kLimit) : x;
  const V shifted = x * kLog2E + kRound;
  const V n = shifted - kRound;
  const V r = (x - n * kLn2High) - n * kLn2Low;
  const I exponent =
      reinterpret_cast<I>(shifted) - reinterpret_cast<I>(all<Set, T>(kRound)) + kBias;
  const V power = reinterpret_cast<V>(exponent << kMantissa);
  return power * expm1_near_zero<Set, T>(r) + (power - T(1));
}

template <class Set, class T>
ERNN_INLINE Vector<Set, T> sigmoid(Vector<Set, T> x) {
  return T(1) / (T(2) + expm1<Set, T>(-x));
}

template <class Set, class T>
ERNN_INLINE Vector<Set, T> tanh(Vector<Set, T> x) {
  const Vector<Set, T> t = expm1<Set, T>(x + x);
  return t / (t + T(2));
}

}  // namespace ernn::compute
