// Registers full of numbers, by instruction set. `Tag` is the instruction set of a translation
// unit: its register types and the few operations that have no operator. Everything here is a
// template on it, so that no two translation units share a function.
#pragma once

#include <cstdint>

#include "compute/vector.h"
#include "runtime/kernels/kernels.h"

namespace ernn {
namespace kernels {

/// cos(2 pi n / 64), n = 0..16.
inline constexpr double kCosines[17] = {1,
                                        0.99518472667219688624,
                                        0.98078528040323044913,
                                        0.95694033573220886494,
                                        0.92387953251128675613,
                                        0.88192126434835502971,
                                        0.83146961230254523708,
                                        0.77301045336273696081,
                                        0.70710678118654752440,
                                        0.63439328416364549822,
                                        0.55557023301960222474,
                                        0.47139673682599764856,
                                        0.38268343236508977173,
                                        0.29028467725446236764,
                                        0.19509032201612826785,
                                        0.098017140329560601994,
                                        0};

/// The same with 16 fraction bits, rounded half up (docs/arithmetic.md).
template <class T>
ERNN_INLINE constexpr T integer_cosine(int n) {
  return static_cast<T>(kCosines[n] * 65536 + 0.5);
}

template <class To, class From>
ERNN_INLINE To bits_as(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

template <class V, class T>
ERNN_INLINE V load(const T* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class V, class T>
ERNN_INLINE void store(T* to, const V& v) {
  __builtin_memcpy(to, &v, sizeof v);
}

/// Floats: a register of them, and what products need.
template <class Tag>
struct FloatNumbers {
  using V = typename Tag::Floats;
  using Memory = float;
  static constexpr int lanes = Tag::lanes;

  ERNN_INLINE static V splat(float x) { return V{} + x; }
  ERNN_INLINE static V read(const float* from) { return load<V>(from); }
  ERNN_INLINE static void write(float* to, V v) { store(to, v); }
};

/// 32-bit integers whose transforms provably fit (FixedMatrix).
template <class Tag>
struct IntNumbers {
  using V = typename Tag::Ints;
  using T = std::int32_t;
  using Memory = std::int32_t;
  static constexpr int lanes = Tag::lanes;

  ERNN_INLINE static V splat(std::int32_t x) { return V{} + x; }
  ERNN_INLINE static V read(const std::int32_t* from) { return load<V>(from); }
  ERNN_INLINE static void write(std::int32_t* to, V v) { store(to, v); }
  ERNN_INLINE static V twice(V v) { return v + v; }
  // floor((a c + b s + 2^15) / 2^16) with 17-bit constants: the 14 low bits of a and b are
  // multiplied apart, so that neither part needs more than 32 bits.
  ERNN_INLINE static V rotate(V a, int ci, V b, int si) {
    const auto c = integer_cosine<std::int32_t>(ci);
    const auto s = integer_cosine<std::int32_t>(si);
    const V high = (a >> 14) * c + (b >> 14) * s;
    const V low = (a & 0x3FFF) * c + (b & 0x3FFF) * s + 0x8000;
    return (high + (low >> 14)) >> 2;
  }
  ERNN_INLINE static V rotate_minus(V a, int ci, V b, int si) {
    const auto c = integer_cosine<std::int32_t>(ci);
    const auto s = integer_cosine<std::int32_t>(si);
    const V high = (a >> 14) * c - (b >> 14) * s;
    const V low = (a & 0x3FFF) * c - (b & 0x3FFF) * s + 0x8000;
    return (high + (low >> 14)) >> 2;
  }
  ERNN_INLINE static V scale(V a, int ci) {
    const auto c = integer_cosine<std::int32_t>(ci);
    return ((a >> 14) * c + (((a & 0x3FFF) * c + 0x8000) >> 14)) >> 2;
  }
};

/// 64-bit integers, read from and written to 32-bit codes.
template <class Tag>
struct LongNumbers {
  using V = typename Tag::Longs;
  using T = std::int64_t;
  using Memory = std::int32_t;
  static constexpr int lanes = Tag::lanes / 2;

  ERNN_INLINE static V splat(std::int64_t x) { return V{} + x; }
  ERNN_INLINE static V read(const std::int32_t* from) {
    return __builtin_convertvector(load<typename Tag::HalfInts>(from), V);
  }
  ERNN_INLINE static void write(std::int32_t* to, V v) {
    store(to, __builtin_convertvector(v, typename Tag::HalfInts));
  }
  ERNN_INLINE static V twice(V v) { return v + v; }
  ERNN_INLINE static V rotate(V a, int ci, V b, int si) {
    return (a * integer_cosine<std::int64_t>(ci) + b * integer_cosine<std::int64_t>(si) + 0x8000) >>
           16;
  }
  ERNN_INLINE static V rotate_minus(V a, int ci, V b, int si) {
    return (a * integer_cosine<std::int64_t>(ci) - b * integer_cosine<std::int64_t>(si) + 0x8000) >>
           16;
  }
  ERNN_INLINE static V scale(V a, int ci) {
    return (a * integer_cosine<std::int64_t>(ci) + 0x8000) >> 16;
  }
};

/// The exact integers of `N` to codes of a format.
template <class N>
ERNN_INLINE typename N::V narrow(typename N::V v, const Narrowing<typename N::T>& to) {
  using V = typename N::V;
  const V low = N::splat(to.low);
  const V high = N::splat(to.high);
  if (to.left > 0) {
    // What the limits decide must not overflow on the way.
    const V low_in = N::splat(to.low_in);
    const V high_in = N::splat(to.high_in);
    const V held = v < low_in ? low_in : (v > high_in ? high_in : v);
    const V shifted = held << to.left;
    return v < low_in ? low : (v > high_in ? high : shifted);
  }
  if (to.right > 0) v = (v >> to.right) + ((v >> (to.right - 1)) & 1);
  v = v < low ? low : v;
  return v > high ? high : v;
}

}  // namespace kernels
}  // namespace ernn
