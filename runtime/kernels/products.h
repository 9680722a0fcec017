// Weights times spectra: a tile of output blocks in registers, one pass over the weights in the
// order in which they lie, each input value broadcast.
#pragma once

#include "runtime/kernels/numbers.h"

namespace ernn {
namespace kernels {

/// Sums of `groups` groups of output blocks over the block columns `begin` to `end`. N reads
/// weights of kGroup real and kGroup imaginary parts (`parts` = 2), or real ones alone.
template <class N, int groups>
struct Tile {
  using V = typename N::V;
  using Memory = typename N::Memory;
  static constexpr int registers = groups * kGroup / N::lanes;
  static constexpr int per_group = kGroup / N::lanes;

  V re[registers];
  V im[registers];

  ERNN_INLINE void clear() {
    for (int v = 0; v < registers; ++v) re[v] = im[v] = V{};
  }

  /// re += w.re x.re - w.im x.im and so on.
  ERNN_INLINE void complex(const Memory* weights, const Memory* x_re, const Memory* x_im,
                           int columns) {
    for (int j = 0; j < columns; ++j, weights += groups * 2 * kGroup) {
      const V xr = N::splat(x_re[j]);
      const V xi = N::splat(x_im[j]);
#pragma GCC unroll 16
      for (int v = 0; v < registers; ++v) {
        const Memory* at = weights + (v / per_group) * 2 * kGroup + (v % per_group) * N::lanes;
        const V wr = N::read(at);
        const V wi = N::read(at + kGroup);
        re[v] += wr * xr;
        im[v] += wr * xi;
        re[v] -= wi * xi;
        im[v] += wi * xr;
      }
    }
  }

  /// The bin of two real numbers: re += w.re x.re, im += w.im x.im.
  ERNN_INLINE void real(const Memory* weights, const Memory* x_re, const Memory* x_im,
                        int columns) {
    for (int j = 0; j < columns; ++j, weights += groups * 2 * kGroup) {
      const V xr = N::splat(x_re[j]);
      const V xi = N::splat(x_im[j]);
#pragma GCC unroll 16
      for (int v = 0; v < registers; ++v) {
        const Memory* at = weights + (v / per_group) * 2 * kGroup + (v % per_group) * N::lanes;
        re[v] += N::read(at) * xr;
        im[v] += N::read(at + kGroup) * xi;
      }
    }
  }

  /// Dense: re += w x.
  ERNN_INLINE void dense(const Memory* weights, const Memory* x, int columns) {
    for (int j = 0; j < columns; ++j, weights += groups * kGroup) {
      const V xj = N::splat(x[j]);
#pragma GCC unroll 16
      for (int v = 0; v < registers; ++v) re[v] += N::read(weights + v * N::lanes) * xj;
    }
  }
};

template <class Tag, int groups>
struct FloatTile {
  using N = FloatNumbers<Tag>;
  using Sums = Tile<N, groups>;

  ERNN_INLINE static void read(Sums& sums, const float* re, const float* im) {
    for (int v = 0; v < Sums::registers; ++v) {
      sums.re[v] = N::read(re + v * N::lanes);
      sums.im[v] = N::read(im + v * N::lanes);
    }
  }

  /// One bin of one tile.
  static void run(const ProductPlan<float>& plan, int bin, const float* weights,
                  const float* spectrum, float* to, bool add) {
    Sums sums;
    const float* x = spectrum + 2 * bin * plan.from_stride;
    float* re = to + 2 * bin * plan.to_stride;
    float* im = re + plan.to_stride;
    sums.clear();
    if (add) read(sums, re, im);
    if (bin == 0) {
      sums.real(weights, x, x + plan.from_stride, plan.columns);
    } else {
      sums.complex(weights, x, x + plan.from_stride, plan.columns);
    }
    for (int v = 0; v < Sums::registers; ++v) {
      N::write(re + v * N::lanes, sums.re[v]);
      N::write(im + v * N::lanes, sums.im[v]);
    }
  }

  static void dense(const ProductPlan<float>& plan, const float* weights, const float* input,
                    float* to, bool add) {
    Sums sums;
    sums.clear();
    if (add) read(sums, to, to);
    sums.dense(weights, input, plan.columns);
    for (int v = 0; v < Sums::registers; ++v) N::write(to + v * N::lanes, sums.re[v]);
  }
};

template <class Tag, int groups>
struct WideTile {
  using N = LongNumbers<Tag>;
  using Sums = Tile<N, groups>;

  static void run(const WideProductPlan& plan, int bin, const std::int32_t* weights,
                  const std::int32_t* spectrum, std::int32_t* to) {
    Sums sums;
    const ProductPlan<std::int32_t>& product = plan.product;
    const std::int32_t* x = spectrum + 2 * bin * product.from_stride;
    std::int32_t* re = to + 2 * bin * product.to_stride;
    sums.clear();
    if (bin == 0) {
      sums.real(weights, x, x + product.from_stride, product.columns);
    } else {
      sums.complex(weights, x, x + product.from_stride, product.columns);
    }
    for (int v = 0; v < Sums::registers; ++v) {
      N::write(re + v * N::lanes, narrow<N>(sums.re[v], plan.narrow));
      N::write(re + product.to_stride + v * N::lanes, narrow<N>(sums.im[v], plan.narrow));
    }
  }

  static void dense(const WideProductPlan& plan, const std::int32_t* weights,
                    const std::int32_t* input, std::int32_t* to) {
    Sums sums;
    sums.clear();
    sums.dense(weights, input, plan.product.columns);
    for (int v = 0; v < Sums::registers; ++v)
      N::write(to + v * N::lanes, narrow<N>(sums.re[v], plan.narrow));
  }
};

/// 16-bit pairs: `parts` sums of products of a weight pair with an input pair, 2 for a bin, 1 for
/// dense rows.
template <class Tag, int groups, int parts>
struct PairTile {
  using N = IntNumbers<Tag>;
  using L = LongNumbers<Tag>;
  using V = typename N::V;
  static constexpr int registers = groups * kGroup / N::lanes;

  /// `x` holds the pairs of part 0, x + x_stride those of part 1; sums go to `to` and
  /// to + to_stride. `start` is that of this bin and tile in the first segment, or null.
  static void run(const PairProductPlan& plan, const std::int32_t* weights, const std::int32_t* x,
                  std::ptrdiff_t x_stride, const std::int32_t* start, std::int32_t* to,
                  std::ptrdiff_t to_stride) {
    V sums[parts * registers];
    if (plan.segments == 1) {
      segment(plan, weights, x, x_stride, 0, plan.product.columns, start, sums);
#pragma GCC unroll 32
      for (int s = 0; s < parts * registers; ++s)
        N::write(to + (s / registers) * to_stride + (s % registers) * N::lanes,
                 narrow<N>(sums[s], plan.narrow));
      return;
    }
    std::int64_t totals[parts * groups * kGroup] = {};
    int begin = 0;
    for (int i = 0; i < plan.segments; ++i) {
      const int end = plan.segment_ends[i];
      segment(plan, weights + static_cast<std::ptrdiff_t>(begin) * groups * kGroup, x, x_stride,
              begin, end, start, sums);
      if (start != nullptr) start += 2 * plan.product.bins * plan.product.groups * kGroup;
      for (int s = 0; s < parts * registers; ++s) {
        for (int l = 0; l < N::lanes; ++l) totals[s * N::lanes + l] += sums[s][l];
      }
      begin = end;
    }
    for (int i = 0; i < parts * groups * kGroup; i += L::lanes) {
      L::write(to + (i / (groups * kGroup)) * to_stride + i % (groups * kGroup),
               narrow<L>(load<typename L::V>(totals + i), plan.narrow_wide));
    }
  }

 private:
  ERNN_INLINE static void segment(const PairProductPlan& plan, const std::int32_t* weights,
                                  const std::int32_t* x, std::ptrdiff_t x_stride, int begin,
                                  int end, const std::int32_t* start, V* sums) {
#pragma GCC unroll 32
    for (int s = 0; s < parts * registers; ++s) {
      const std::ptrdiff_t part = s / registers * static_cast<std::ptrdiff_t>(plan.product.groups);
      sums[s] =
          start == nullptr ? V{} : N::read(start + part * kGroup + (s % registers) * N::lanes);
    }
    for (int j = begin; j < end; ++j, weights += groups * kGroup) {
      V xs[parts];
#pragma GCC unroll 2
      for (int p = 0; p < parts; ++p) xs[p] = N::splat(x[p * x_stride + j]);
#pragma GCC unroll 32
      for (int v = 0; v < registers; ++v) {
        const V w = N::read(weights + v * N::lanes);
#pragma GCC unroll 2
        for (int p = 0; p < parts; ++p)
          sums[p * registers + v] = Tag::add_pairs(sums[p * registers + v], w, xs[p]);
      }
    }
  }
};

/// Splits `groups` into tiles of at most `most`, calls body.template run<size>(first group).
template <int most, class Body>
ERNN_INLINE void for_tiles(int groups, Body& body) {
  int group = 0;
  for (; groups - group >= most; group += most) body.template run<most>(group);
  if constexpr (most > 4) {
    if (groups - group >= 4) {
      body.template run<4>(group);
      group += 4;
    }
  }
  if constexpr (most > 2) {
    if (groups - group >= 2) {
      body.template run<2>(group);
      group += 2;
    }
  }
  if constexpr (most > 1) {
    if (groups - group >= 1) body.template run<1>(group);
  }
}

template <class Tag>
struct FloatBody {
  const ProductPlan<float>& plan;
  int bin;
  const float* weights;
  const float* from;
  float* to;
  bool add;
  bool is_dense;

  template <int groups>
  ERNN_INLINE void run(int group) {
    if (is_dense) {
      FloatTile<Tag, groups>::dense(plan, weights, from, to + group * kGroup, add);
      weights += static_cast<std::ptrdiff_t>(plan.columns) * groups * kGroup;
    } else {
      FloatTile<Tag, groups>::run(plan, bin, weights, from, to + group * kGroup, add);
      weights += static_cast<std::ptrdiff_t>(plan.columns) * groups * 2 * kGroup;
    }
  }
};

template <class Tag>
struct WideBody {
  const WideProductPlan& plan;
  int bin;
  const std::int32_t* weights;
  const std::int32_t* from;
  std::int32_t* to;
  bool is_dense;

  template <int groups>
  ERNN_INLINE void run(int group) {
    if (is_dense) {
      WideTile<Tag, groups>::dense(plan, weights, from, to + group * kGroup);
      weights += static_cast<std::ptrdiff_t>(plan.product.columns) * groups * kGroup;
    } else {
      WideTile<Tag, groups>::run(plan, bin, weights, from, to + group * kGroup);
      weights += static_cast<std::ptrdiff_t>(plan.product.columns) * groups * 2 * kGroup;
    }
  }
};

template <class Tag, int parts>
struct PairBody {
  const PairProductPlan& plan;
  int bin;
  const std::int32_t* weights;
  const std::int32_t* from;
  std::int32_t* to;

  template <int groups>
  ERNN_INLINE void run(int group) {
    const ProductPlan<std::int32_t>& product = plan.product;
    const std::int32_t* start = plan.start;
    if (start != nullptr)
      start += (static_cast<std::ptrdiff_t>(2 * bin) * product.groups + group) * kGroup;
    PairTile<Tag, groups, parts>::run(
        plan, weights, from + 2 * bin * product.from_stride, product.from_stride, start,
        to + 2 * bin * product.to_stride + group * kGroup, product.to_stride);
    weights += static_cast<std::ptrdiff_t>(product.columns) * groups * kGroup;
  }
};

template <class Tag>
void float_product(const ProductPlan<float>& plan, const float* spectrum, float* sums, bool add) {
  FloatBody<Tag> body{plan, 0, plan.weights, spectrum, sums, add, false};
  for (; body.bin < plan.bins; ++body.bin) for_tiles<Tag::tile>(plan.groups, body);
}

template <class Tag>
void float_dense(const ProductPlan<float>& plan, const float* input, float* output, bool add) {
  FloatBody<Tag> body{plan, 0, plan.weights, input, output, add, true};
  for_tiles<Tag::tile>(plan.groups, body);
}

template <class Tag>
void wide_product(const WideProductPlan& plan, const std::int32_t* spectrum, std::int32_t* sums) {
  WideBody<Tag> body{plan, 0, plan.product.weights, spectrum, sums, false};
  for (; body.bin < plan.product.bins; ++body.bin) for_tiles<Tag::tile>(plan.product.groups, body);
}

template <class Tag>
void wide_dense(const WideProductPlan& plan, const std::int32_t* input, std::int32_t* output) {
  WideBody<Tag> body{plan, 0, plan.product.weights, input, output, true};
  for_tiles<Tag::tile>(plan.product.groups, body);
}

template <class Tag>
void pair_product(const PairProductPlan& plan, const std::int32_t* spectrum, std::int32_t* sums) {
  PairBody<Tag, 2> body{plan, 0, plan.product.weights, spectrum, sums};
  for (; body.bin < plan.product.bins; ++body.bin) for_tiles<Tag::tile>(plan.product.groups, body);
}

template <class Tag>
void pair_columns(const std::int32_t* from, std::int32_t* to, int columns) {
  for (int j = 0; j < columns; ++j)
    to[j] = static_cast<std::int32_t>((static_cast<std::uint32_t>(from[2 * j]) & 0xFFFFU) |
                                      static_cast<std::uint32_t>(from[2 * j + 1]) << 16U);
}

template <class Tag>
void pair_dense(const PairProductPlan& plan, const std::int32_t* pairs, std::int32_t* output) {
  PairBody<Tag, 1> body{plan, 0, plan.product.weights, pairs, output};
  for_tiles<Tag::tile>(plan.product.groups, body);
}

}  // namespace kernels
}  // namespace ernn
