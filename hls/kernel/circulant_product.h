// A block-circulant matrix times a vector (docs/arithmetic.md, A matrix times a vector): each input
// block is transformed once, spectra are accumulated over a block row, each output block is
// transformed back once. Block size 1 is the dense matrix.
//
// A matrix configuration M (generated) has
//   int rows, cols, block       of the matrix, and k
//   int rows_parallel           block rows computed at the same time; divides their number p
//   int cols_parallel           blocks of a row multiplied at the same time; divides their number q
//   int spectrum_signal, sum_signal, product_signal      numbers for the probe
//   types Input, Weight, Spectrum, Sum, Product          formats (or double)
//   type Code                   how a weight code is stored
#pragma once

#include "real_fft.h"
#include "types.h"

namespace ernn {
namespace kernel {

/// Sizes that follow from a matrix configuration, and the type of its accumulators.
template <class M>
struct MatrixSizes {
  static constexpr int k = M::block;
  static constexpr int p = ceil_divide(M::rows, k);
  static constexpr int q = ceil_divide(M::cols, k);
  static_assert(k >= 1 && k <= 64 && (k & (k - 1)) == 0, "block must be 1, 2, 4, 8, 16, 32 or 64");
  static_assert(p % M::rows_parallel == 0, "rows_parallel must divide the number of block rows");
  static_assert(q % M::cols_parallel == 0, "cols_parallel must divide the blocks of a row");
};

/// Weight codes [p][q][k]: packed spectra, or plain weights when k is 1.
template <class M>
struct MatrixWeights {
  typename M::Code code[MatrixSizes<M>::p][MatrixSizes<M>::q][MatrixSizes<M>::k];
};

/// One component of a complex product: a c - b d needs one bit more than a c.
template <class W, class X>
using ComplexPart = Grown<Product<W, X>, 1>;

/// Adds the product of two packed spectra to an accumulator: bins 0 and k/2 are real, every other
/// complex product takes three multiplications. Exact.
template <int K, class W, class X, class A>
void multiply_spectra(const W (&w)[K], const X (&x)[K], A (&sum)[K]) {
  ERNN_INLINE
  sum[0] = sum[0] + Product<W, X>(w[0] * x[0]);
  sum[1] = sum[1] + Product<W, X>(w[1] * x[1]);
  ERNN_BEFORE_UNROLL
  for (int b = 1; b < K / 2; ++b) {
    ERNN_UNROLL
    const W wr = w[2 * b], wi = w[2 * b + 1];
    const X xr = x[2 * b], xi = x[2 * b + 1];
    const ComplexPart<W, X> common = wr * Sum<X, X>(xr + xi);
    const ComplexPart<W, X> from_im = xi * Sum<W, W>(wr + wi);
    const ComplexPart<W, X> from_re = xr * Sum<W, W>(wi - wr);
    const ComplexPart<W, X> re = common - from_im;  // wr xr - wi xi
    const ComplexPart<W, X> im = common + from_re;  // wr xi + wi xr
    sum[2 * b] = sum[2 * b] + re;
    sum[2 * b + 1] = sum[2 * b + 1] + im;
  }
}

/// The transforms around the accumulation, for k > 1.
template <class M, int K>
struct BlockTransform {
  typedef typename M::Spectrum Operand;
  typedef Grown<ComplexPart<typename M::Weight, Operand>, ceil_log2(MatrixSizes<M>::q)> Accumulator;

  /// Block j of the input to its spectrum.
  template <class Probe>
  static void forward(const Beat<typename M::Input, K>& x, int j, Operand (&spectrum)[K],
                      Probe probe) {
    ERNN_INLINE
    typedef Finer<typename M::Input, kTransformGuardBits> Point;
    typedef ForwardFft<K, Point> Transform;
    Point points[K];
    typename Transform::Output wide[K];
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      points[n] = x.at[n];
    }
    Transform::run(points, wide);
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      spectrum[n] = narrow<Operand>(wide[n], probe, M::spectrum_signal);
      probe.value(M::spectrum_signal, j * K + n, spectrum[n]);
    }
  }

  static void multiply(const typename M::Weight (&w)[K], const Operand (&x)[K],
                       Accumulator (&sum)[K]) {
    ERNN_INLINE
    multiply_spectra<K>(w, x, sum);
  }

  /// The accumulated spectrum of block row i to the outputs; rows beyond the matrix stay zero.
  template <class Probe>
  static void inverse(const Accumulator (&sum)[K], int i, Beat<typename M::Product, K>& y,
                      Probe probe) {
    ERNN_INLINE
    typedef Grown<Finer<typename M::Sum, kTransformGuardBits>, 1> Point;
    typedef InverseFft<K, Point> Transform;
    Point points[K];
    typename Transform::Output wide[K];
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      const typename M::Sum narrowed = narrow<typename M::Sum>(sum[n], probe, M::sum_signal);
      probe.value(M::sum_signal, i * K + n, narrowed);
      points[n] = narrowed;
    }
    Transform::run(points, wide);
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      y.at[n] = 0;
      if (i * K + n < M::rows) {
        y.at[n] = narrow<typename M::Product>(wide[n], probe, M::product_signal);
        probe.value(M::product_signal, i * K + n, y.at[n]);
      }
    }
  }
};

/// Dense: no transforms.
template <class M>
struct BlockTransform<M, 1> {
  typedef typename M::Input Operand;
  typedef Grown<Product<typename M::Weight, Operand>, ceil_log2(MatrixSizes<M>::q)> Accumulator;

  template <class Probe>
  static void forward(const Beat<typename M::Input, 1>& x, int /*j*/, Operand (&operand)[1],
                      Probe /*probe*/) {
    ERNN_INLINE
    operand[0] = x.at[0];
  }
  static void multiply(const typename M::Weight (&w)[1], const Operand (&x)[1],
                       Accumulator (&sum)[1]) {
    ERNN_INLINE
    sum[0] = sum[0] + Product<typename M::Weight, Operand>(w[0] * x[0]);
  }
  template <class Probe>
  static void inverse(const Accumulator (&sum)[1], int i, Beat<typename M::Product, 1>& y,
                      Probe probe) {
    ERNN_INLINE
    y.at[0] = narrow<typename M::Product>(sum[0], probe, M::product_signal);
    probe.value(M::product_signal, i, y.at[0]);
  }
};

/// One beat of the fold: rows_parallel x cols_parallel blocks are multiplied and added. `i0` and
/// `j0` are the first block row and block column.
template <class M, class Transform>
void multiply_fold(const MatrixWeights<M>& weights, int i0, int j0,
                   const typename Transform::Operand (&x)[MatrixSizes<M>::q][M::block],
                   typename Transform::Accumulator (&sum)[M::rows_parallel][M::block]) {
  ERNN_INLINE
  constexpr int k = M::block;
  ERNN_BEFORE_UNROLL
  for (int i = 0; i < M::rows_parallel; ++i) {
    ERNN_UNROLL
    ERNN_BEFORE_UNROLL
    for (int j = 0; j < M::cols_parallel; ++j) {
      ERNN_UNROLL
      typename M::Weight w[k];
      ERNN_BEFORE_UNROLL
      for (int n = 0; n < k; ++n) {
        ERNN_UNROLL
        w[n] = from_code<typename M::Weight>(weights.code[i0 + i][j0 + j][n]);
      }
      Transform::multiply(w, x[j0 + j], sum[i]);
    }
  }
}

/// y = W x. `x` is padded with zeros to q blocks; `y` has p blocks, of which rows beyond the matrix
/// are zero. Takes q + (p / rows_parallel) (q / cols_parallel) + p beats.
template <class M, class Probe>
void matrix_vector(const Beat<typename M::Input, M::block> (&x)[MatrixSizes<M>::q],
                   const MatrixWeights<M>& weights,
                   Beat<typename M::Product, M::block> (&y)[MatrixSizes<M>::p], Probe probe) {
  typedef MatrixSizes<M> Sizes;
  typedef BlockTransform<M, M::block> Transform;
  ERNN_REGISTERS(weights.code, 3)
  ERNN_BANKS(weights.code, 1, M::rows_parallel)
  ERNN_BANKS(weights.code, 2, M::cols_parallel)
  typename Transform::Operand spectra[Sizes::q][M::block];
  ERNN_REGISTERS(spectra, 2)
  ERNN_BANKS(spectra, 1, M::cols_parallel)
  ERNN_BEFORE_ROLLED
  for (int j = 0; j < Sizes::q; ++j) {
    ERNN_PIPELINE
    Transform::forward(x[j], j, spectra[j], probe);
  }
  ERNN_BEFORE_ROLLED
  for (int i = 0; i < Sizes::p; i += M::rows_parallel) {
    typename Transform::Accumulator sum[M::rows_parallel][M::block];
    ERNN_REGISTERS(sum, 0)
    ERNN_BEFORE_UNROLL
    for (int r = 0; r < M::rows_parallel; ++r) {
      ERNN_UNROLL
      ERNN_BEFORE_UNROLL
      for (int n = 0; n < M::block; ++n) {
        ERNN_UNROLL
        sum[r][n] = 0;
      }
    }
    ERNN_BEFORE_ROLLED
    for (int j = 0; j < Sizes::q; j += M::cols_parallel) {
      ERNN_PIPELINE
      multiply_fold<M, Transform>(weights, i, j, spectra, sum);
    }
    ERNN_BEFORE_ROLLED
    for (int r = 0; r < M::rows_parallel; ++r) {
      ERNN_PIPELINE
      Transform::inverse(sum[r], i + r, y[i + r], probe);
    }
  }
}

/// A flat vector of N <= q k elements as blocks, padded with zeros.
template <class T, int K, int Blocks, int N>
void pack_blocks(const T (&flat)[N], Beat<T, K> (&blocks)[Blocks]) {
  ERNN_BEFORE_ROLLED
  for (int j = 0; j < Blocks; ++j) {
    ERNN_PIPELINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      const int at = j * K + n;
      blocks[j].at[n] = 0;
      if (at < N) blocks[j].at[n] = flat[at];
    }
  }
}

/// Element `at` of a vector in blocks.
template <class T, int K, int Blocks>
T element(const Beat<T, K> (&blocks)[Blocks], int at) {
  ERNN_INLINE
  return blocks[at / K].at[at % K];
}

/// Hands a flat vector on in beats of K, padded with zeros.
template <class T, int K, int N>
void write_blocks(const T (&flat)[N], ::hls::stream<Beat<T, K>>& out) {
  Beat<T, K> blocks[ceil_divide(N, K)];
  pack_blocks(flat, blocks);
  ERNN_BEFORE_ROLLED
  for (int j = 0; j < ceil_divide(N, K); ++j) {
    ERNN_PIPELINE
    out.write(blocks[j]);
  }
}

/// The stage of a layer's input product, which has no recurrence and so runs ahead: reads q beats
/// a frame and writes p.
template <class M, class Probe>
void input_product_stage(int frames, ::hls::stream<Beat<typename M::Input, M::block>>& in,
                         const MatrixWeights<M>& weights,
                         ::hls::stream<Beat<typename M::Product, M::block>>& out, Probe probe) {
  typedef MatrixSizes<M> Sizes;
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    Beat<typename M::Input, M::block> x[Sizes::q];
    Beat<typename M::Product, M::block> y[Sizes::p];
    ERNN_BEFORE_ROLLED
    for (int j = 0; j < Sizes::q; ++j) {
      ERNN_PIPELINE
      x[j] = in.read();
    }
    matrix_vector<M>(x, weights, y, probe);
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < Sizes::p; ++i) {
      ERNN_PIPELINE
      out.write(y[i]);
    }
  }
}

}  // namespace kernel
}  // namespace ernn
