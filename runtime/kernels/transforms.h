// Transforms of whole planes, for every block size.
#pragma once

#include "compute/real_fft.h"
#include "runtime/kernels/integer_fft.h"

namespace ernn {
namespace kernels {

/// Floats: nothing to do before and after a transform.
template <class Tag>
struct PlainPlanes {
  using N = FloatNumbers<Tag>;
  using V = typename N::V;

  ERNN_INLINE V take(const float* from) const { return N::read(from); }
  template <int k>
  ERNN_INLINE static void forward(const V* x, V* packed) {
    compute::real_fft<typename Tag::Set, float, k>(x, 1, packed);
  }
  template <int k>
  ERNN_INLINE static void inverse(const V* packed, V* y) {
    compute::unscaled_inverse_fft<typename Tag::Set, float, k>(packed, y, 1);
  }
  template <int k>
  ERNN_INLINE void put(float* to, std::ptrdiff_t stride, const V* values) const {
#pragma GCC unroll 64
    for (int i = 0; i < k; ++i) N::write(to + i * stride, values[i]);
  }
};

/// Codes with the guard fraction of 2 bits on the way in, narrowed on the way out.
template <class Numbers>
struct CodePlanes {
  using N = Numbers;
  using V = typename N::V;

  const Narrowing<typename N::T>& narrowing;

  ERNN_INLINE V take(const std::int32_t* from) const { return N::twice(N::twice(N::read(from))); }
  template <int k>
  ERNN_INLINE static void forward(const V* x, V* packed) {
    IntegerFft<N, k>::forward(x, 1, packed);
  }
  template <int k>
  ERNN_INLINE static void inverse(const V* packed, V* y) {
    IntegerFft<N, k>::inverse(packed, y, 1);
  }
  template <int k>
  ERNN_INLINE void put(std::int32_t* to, std::ptrdiff_t stride, const V* values) const {
#pragma GCC unroll 64
    for (int i = 0; i < k; ++i) N::write(to + i * stride, narrow<N>(values[i], narrowing));
  }
};

/// The same with two 16-bit pairs a bin (Kernels::pair_forward).
template <class Tag>
struct PairPlanes {
  using N = IntNumbers<Tag>;
  using V = typename N::V;

  const Narrowing<std::int32_t>& narrowing;

  ERNN_INLINE V take(const std::int32_t* from) const { return N::twice(N::twice(N::read(from))); }
  template <int k>
  ERNN_INLINE static void forward(const V* x, V* packed) {
    IntegerFft<N, k>::forward(x, 1, packed);
  }
  template <int k>
  ERNN_INLINE static void inverse(const V* packed, V* y) {
    IntegerFft<N, k>::inverse(packed, y, 1);
  }
  template <int k>
  ERNN_INLINE void put(std::int32_t* to, std::ptrdiff_t stride, const V* values) const {
    N::write(to, narrow<N>(values[0], narrowing) & 0xFFFF);
    N::write(to + stride, narrow<N>(values[1], narrowing) << 16);
#pragma GCC unroll 64
    for (int i = 2; i < k; i += 2) {
      const V re = narrow<N>(values[i], narrowing);
      const V im = narrow<N>(values[i + 1], narrowing);
      N::write(to + i * stride, (re & 0xFFFF) | (~im << 16));
      N::write(to + (i + 1) * stride, (im & 0xFFFF) | (re << 16));
    }
  }
};

template <class Planes, int k>
struct Forward {
  static void run(const Planes& planes, const TransformPlan& plan,
                  const typename Planes::N::Memory* from, typename Planes::N::Memory* to) {
    using N = typename Planes::N;
    typename N::V x[k];
    typename N::V y[k];
    for (int b = 0; b < plan.blocks; b += N::lanes) {
#pragma GCC unroll 64
      for (int i = 0; i < k; ++i) x[i] = planes.take(from + i * plan.from_stride + b);
      Planes::template forward<k>(x, y);
      planes.template put<k>(to + b, plan.to_stride, y);
    }
  }
};

template <class Planes, int k>
struct Inverse {
  static void run(const Planes& planes, const TransformPlan& plan,
                  const typename Planes::N::Memory* from, typename Planes::N::Memory* to) {
    using N = typename Planes::N;
    typename N::V x[k];
    typename N::V y[k];
    for (int b = 0; b < plan.blocks; b += N::lanes) {
#pragma GCC unroll 64
      for (int i = 0; i < k; ++i) x[i] = planes.take(from + i * plan.from_stride + b);
      Planes::template inverse<k>(x, y);
      planes.template put<k>(to + b, plan.to_stride, y);
    }
  }
};

/// Runs Forward or Inverse with the block size as a compile-time constant.
template <template <class, int> class Action, class Planes, class Memory>
ERNN_INLINE void for_block(const Planes& planes, const TransformPlan& plan, const Memory* from,
                           Memory* to) {
  switch (plan.k) {
    case 2:
      return Action<Planes, 2>::run(planes, plan, from, to);
    case 4:
      return Action<Planes, 4>::run(planes, plan, from, to);
    case 8:
      return Action<Planes, 8>::run(planes, plan, from, to);
    case 16:
      return Action<Planes, 16>::run(planes, plan, from, to);
    case 32:
      return Action<Planes, 32>::run(planes, plan, from, to);
    case 64:
      return Action<Planes, 64>::run(planes, plan, from, to);
    default:
      return;
  }
}

template <class Tag>
void float_forward(const TransformPlan& plan, const float* from, float* to) {
  for_block<Forward>(PlainPlanes<Tag>{}, plan, from, to);
}

template <class Tag>
void float_inverse(const TransformPlan& plan, const float* from, float* to) {
  for_block<Inverse>(PlainPlanes<Tag>{}, plan, from, to);
}

template <class Tag>
void pair_forward(const TransformPlan& plan, const Narrowing<std::int32_t>& narrowing,
                  const std::int32_t* from, std::int32_t* to) {
  for_block<Forward>(PairPlanes<Tag>{narrowing}, plan, from, to);
}

template <class Tag>
void pair_inverse(const TransformPlan& plan, const Narrowing<std::int32_t>& narrowing,
                  const std::int32_t* from, std::int32_t* to) {
  for_block<Inverse>(CodePlanes<IntNumbers<Tag>>{narrowing}, plan, from, to);
}

template <class Tag>
void wide_forward(const TransformPlan& plan, const Narrowing<std::int64_t>& narrowing,
                  const std::int32_t* from, std::int32_t* to) {
  for_block<Forward>(CodePlanes<LongNumbers<Tag>>{narrowing}, plan, from, to);
}

template <class Tag>
void wide_inverse(const TransformPlan& plan, const Narrowing<std::int64_t>& narrowing,
                  const std::int32_t* from, std::int32_t* to) {
  for_block<Inverse>(CodePlanes<LongNumbers<Tag>>{narrowing}, plan, from, to);
}

}  // namespace kernels
}  // namespace ernn
