// The arithmetic of a block-circulant matrix times a vector (docs/arithmetic.md), as pure functions
// that unroll: transform of an input block, products of spectra, transform of an output block.
// Block size 1 is the dense matrix. matrix_vector.h puts them in sequence.
//
// A matrix configuration M (generated) has
//   int rows, cols, block       of the matrix, and k
//   int gates, group_rows       gates whose rows follow each other, and block rows of one gate that
//                               are taken together (1 and any for a matrix without gates)
//   int rows_parallel           block rows multiplied at the same time, 1 to their number p
//   int cols_parallel           blocks of a row multiplied at the same time; divides their number q
//   int inverses_parallel       block rows transformed back at the same time; a power of two that
//                               divides rows_parallel and p
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
  /// Groups of rows_parallel block rows; when p is no multiple, the last one has rows beyond p.
  static constexpr int row_groups = ceil_divide(p, M::rows_parallel);
  /// Block rows of all groups, with those beyond p.
  static constexpr int padded_rows = row_groups * M::rows_parallel;
  static_assert(k >= 1 && k <= 64 && (k & (k - 1)) == 0, "block must be 1, 2, 4, 8, 16, 32 or 64");
  static_assert(M::rows_parallel >= 1 && M::rows_parallel <= p,
                "rows_parallel must be 1 to the number of block rows");
  static_assert(q % M::cols_parallel == 0, "cols_parallel must divide the blocks of a row");
  static_assert(M::inverses_parallel >= 1 &&
                    (M::inverses_parallel & (M::inverses_parallel - 1)) == 0,
                "inverses_parallel must be a power of two");
  static_assert(M::rows_parallel % M::inverses_parallel == 0,
                "inverses_parallel must divide rows_parallel");
  static_assert(p % M::inverses_parallel == 0,
                "inverses_parallel must divide the number of block rows");
  static_assert(p % (M::gates * M::group_rows) == 0, "group_rows must divide the rows of a gate");
};

/// The block row of the matrix that is the `n`-th to be computed: group by group of units, in a
/// group gate by gate, so that all gates of a unit come close together.
template <class M>
constexpr int block_row(int n) {
  return n % (M::gates * M::group_rows) / M::group_rows * (MatrixSizes<M>::p / M::gates) +
         n / (M::gates * M::group_rows) * M::group_rows + n % M::group_rows;
}

/// Weight codes [p][q][k] in the order of block_row(): packed spectra, or plain weights when k
/// is 1. Rows beyond p make the last group of rows a whole one; they are read and multiplied like
/// all others and their sums thrown away.
template <class M>
struct MatrixWeights {
  typename M::Code code[MatrixSizes<M>::padded_rows][MatrixSizes<M>::q][MatrixSizes<M>::k];
};

/// One component of a complex product: a c - b d needs one bit more than a c.
template <class W, class X>
using ComplexPart = Grown<Product<W, X>, 1>;

/// The product of two packed spectra: bins 0 and k/2 are real, every other complex product takes
/// three multiplications. Exact.
template <int K, class W, class X, class A>
void multiply_spectra(const W (&w)[K], const X (&x)[K], A (&product)[K]) {
  ERNN_INLINE
  product[0] = Product<W, X>(w[0] * x[0]);
  product[1] = Product<W, X>(w[1] * x[1]);
  ERNN_BEFORE_UNROLL
  for (int b = 1; b < K / 2; ++b) {
    ERNN_UNROLL
    const W wr = w[2 * b], wi = w[2 * b + 1];
    const X xr = x[2 * b], xi = x[2 * b + 1];
    const ComplexPart<W, X> common = wr * Sum<X, X>(xr + xi);
    const ComplexPart<W, X> from_im = xi * Sum<W, W>(wr + wi);
    const ComplexPart<W, X> from_re = xr * Sum<W, W>(wi - wr);
    product[2 * b] = common - from_im;      // wr xr - wi xi
    product[2 * b + 1] = common + from_re;  // wr xi + wi xr
  }
}

/// The transforms around the accumulation, for k > 1.
template <class M, int K>
struct BlockTransform {
  typedef typename M::Spectrum Operand;
  typedef Grown<ComplexPart<typename M::Weight, Operand>, ceil_log2(MatrixSizes<M>::q)> Accumulator;
  /// What goes from the products to the inverse transform.
  typedef typename M::Sum Carried;

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
                       Accumulator (&product)[K]) {
    ERNN_INLINE
    multiply_spectra<K>(w, x, product);
  }

  /// The accumulated spectrum of block row i, narrowed.
  template <class Probe>
  static void carry(const Accumulator (&sum)[K], int i, Carried (&carried)[K], Probe probe) {
    ERNN_INLINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      carried[n] = narrow<Carried>(sum[n], probe, M::sum_signal);
      probe.value(M::sum_signal, i * K + n, carried[n]);
    }
  }

  /// To the outputs of block row i; rows beyond the matrix stay zero.
  template <class Probe>
  static void inverse(const Carried (&carried)[K], int i, typename M::Product (&y)[K],
                      Probe probe) {
    ERNN_INLINE
    typedef Grown<Finer<Carried, kTransformGuardBits>, 1> Point;
    typedef InverseFft<K, Point> Transform;
    Point points[K];
    typename Transform::Output wide[K];
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      points[n] = carried[n];
    }
    Transform::run(points, wide);
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K; ++n) {
      ERNN_UNROLL
      y[n] = 0;
      // Where the block divides the rows, the number of the row matters to the probe alone.
      if (M::rows % K == 0 || i * K + n < M::rows) {
        y[n] = narrow<typename M::Product>(wide[n], probe, M::product_signal);
        probe.value(M::product_signal, i * K + n, y[n]);
      }
    }
  }
};

/// Dense: no transforms.
template <class M>
struct BlockTransform<M, 1> {
  typedef typename M::Input Operand;
  typedef Grown<Product<typename M::Weight, Operand>, ceil_log2(MatrixSizes<M>::q)> Accumulator;
  typedef Accumulator Carried;

  template <class Probe>
  static void forward(const Beat<typename M::Input, 1>& x, int /*j*/, Operand (&operand)[1],
                      Probe /*probe*/) {
    ERNN_INLINE
    operand[0] = x.at[0];
  }
  static void multiply(const typename M::Weight (&w)[1], const Operand (&x)[1],
                       Accumulator (&product)[1]) {
    ERNN_INLINE
    product[0] = Product<typename M::Weight, Operand>(w[0] * x[0]);
  }
  template <class Probe>
  static void carry(const Accumulator (&sum)[1], int /*i*/, Carried (&carried)[1],
                    Probe /*probe*/) {
    ERNN_INLINE
    carried[0] = sum[0];
  }
  template <class Probe>
  static void inverse(const Carried (&carried)[1], int i, typename M::Product (&y)[1],
                      Probe probe) {
    ERNN_INLINE
    y[0] = narrow<typename M::Product>(carried[0], probe, M::product_signal);
    probe.value(M::product_signal, i, y[0]);
  }
};

template <class M>
using TransformOf = BlockTransform<M, M::block>;

/// One beat of the fold: rows_parallel x cols_parallel blocks are multiplied and added. `n` is the
/// first block row in the order of block_row(), `j` the first block of the row; the sums start anew
/// at block 0.
template <class M>
void multiply_fold(const MatrixWeights<M>& weights, int n, int j,
                   const typename TransformOf<M>::Operand (&x)[MatrixSizes<M>::q][M::block],
                   typename TransformOf<M>::Accumulator (&sum)[M::rows_parallel][M::block]) {
  ERNN_INLINE
  typedef typename TransformOf<M>::Accumulator Accumulator;
  constexpr int k = M::block;
  ERNN_BEFORE_UNROLL
  for (int r = 0; r < M::rows_parallel; ++r) {
    ERNN_UNROLL
    // The blocks of the beat are added first: what is carried around the loop is one addition.
    Accumulator beat[k];
    ERNN_BEFORE_UNROLL
    for (int c = 0; c < M::cols_parallel; ++c) {
      ERNN_UNROLL
      typename M::Weight w[k];
      Accumulator product[k];
      ERNN_BEFORE_UNROLL
      for (int i = 0; i < k; ++i) {
        ERNN_UNROLL
        w[i] = from_code<typename M::Weight>(weights.code[n + r][j + c][i]);
      }
      TransformOf<M>::multiply(w, x[j + c], product);
      ERNN_BEFORE_UNROLL
      for (int i = 0; i < k; ++i) {
        ERNN_UNROLL
        beat[i] = c == 0 ? product[i] : Accumulator(beat[i] + product[i]);
      }
    }
    ERNN_BEFORE_UNROLL
    for (int i = 0; i < k; ++i) {
      ERNN_UNROLL
      if (j == 0) sum[r][i] = 0;
      sum[r][i] = sum[r][i] + beat[i];
    }
  }
}

}  // namespace kernel
}  // namespace ernn
