// A matrix times a vector as three processes joined by a buffer and a stream (docs/kernel.md):
// input blocks are transformed, block rows multiplied and added, output blocks transformed back.
// They work at the same time on successive vectors.
#pragma once

#include "circulant_product.h"
#include "types.h"

namespace ernn {
namespace kernel {

/// Sums of the block rows that are computed at the same time, on their way to the inverse.
template <class M>
struct RowSums {
  typename TransformOf<M>::Carried at[M::rows_parallel][M::block];
};

/// Elements of a product that come in one transfer.
template <class M>
struct ProductBeat {
  static constexpr int size = M::inverses_parallel * M::block;
  /// Transfers of one vector; elements beyond the matrix are zero.
  static constexpr int count = MatrixSizes<M>::p / M::inverses_parallel;
  typedef Beat<typename M::Product, size> type;
};

/// Reads a vector of `cols` elements in transfers of A and writes its spectra. A and k are powers
/// of two. Takes a beat for each transfer or each block, whichever are more.
template <class M, int A, class Probe>
void transform_stage(::hls::stream<Beat<typename M::Input, A>>& in,
                     typename TransformOf<M>::Operand (&spectra)[MatrixSizes<M>::q][M::block],
                     Probe probe) {
  constexpr int k = M::block;
  constexpr int step = A < k ? A : k;
  static_assert(A % step == 0 && k % step == 0, "one of transfer and block must divide the other");
  Beat<typename M::Input, A> transfer;
  Beat<typename M::Input, k> block;
  ERNN_BEFORE_ROLLED
  for (int e = 0; e < MatrixSizes<M>::q * k; e += step) {
    ERNN_PIPELINE
    if (e % A == 0 && e < M::cols) transfer = in.read();
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < step; ++n) {
      ERNN_UNROLL
      typename M::Input element = 0;
      if (e + n < M::cols) element = transfer.at[e % A + n];
      block.at[e % k + n] = element;
    }
    if ((e + step) % k == 0) TransformOf<M>::forward(block, e / k, spectra[e / k], probe);
  }
}

/// Multiplies and adds; ceil(p / rows_parallel) (q / cols_parallel) beats. Sums of rows beyond p,
/// which the last group of rows may have, are not carried on.
template <class M, class Probe>
void multiply_stage(const typename TransformOf<M>::Operand (&spectra)[MatrixSizes<M>::q][M::block],
                    const MatrixWeights<M>& weights, ::hls::stream<RowSums<M>>& out, Probe probe) {
  typedef MatrixSizes<M> Sizes;
  ERNN_REGISTERS(weights.code, 3)
  ERNN_BANKS(weights.code, 1, M::rows_parallel)
  ERNN_BANKS(weights.code, 2, M::cols_parallel)
  typename TransformOf<M>::Accumulator sum[M::rows_parallel][M::block];
  ERNN_REGISTERS(sum, 0)
  ERNN_BEFORE_ROLLED
  for (int n = 0; n < Sizes::padded_rows; n += M::rows_parallel) {
    ERNN_BEFORE_ROLLED
    for (int j = 0; j < Sizes::q; j += M::cols_parallel) {
      ERNN_PIPELINE
      multiply_fold<M>(weights, n, j, spectra, sum);
      if (j + M::cols_parallel == Sizes::q) {
        RowSums<M> rows;
        ERNN_BEFORE_UNROLL
        for (int r = 0; r < M::rows_parallel; ++r) {
          ERNN_UNROLL
          if (n + r < Sizes::p)
            TransformOf<M>::carry(sum[r], block_row<M>(n + r), rows.at[r], probe);
        }
        out.write(rows);
      }
    }
  }
}

/// The first `inverses_parallel` rows make place for the next ones.
template <class M>
void move_up(RowSums<M>& rows) {
  ERNN_INLINE
  ERNN_BEFORE_UNROLL
  for (int r = 0; r + M::inverses_parallel < M::rows_parallel; ++r) {
    ERNN_UNROLL
    ERNN_BEFORE_UNROLL
    for (int i = 0; i < M::block; ++i) {
      ERNN_UNROLL
      rows.at[r][i] = rows.at[r + M::inverses_parallel][i];
    }
  }
}

/// Transforms back; p / inverses_parallel beats, of which the last group of rows takes only as many
/// as it has rows of the matrix. The rows of a group move up to the place of the first ones, so
/// that the transforms have one input and no multiplexer.
template <class M, class Probe>
void inverse_stage(::hls::stream<RowSums<M>>& in, ::hls::stream<typename ProductBeat<M>::type>& out,
                   Probe probe) {
  RowSums<M> rows;
  int left = 0;  // rows of the group that are still to come
  ERNN_BEFORE_ROLLED
  for (int n = 0; n < MatrixSizes<M>::p; n += M::inverses_parallel) {
    ERNN_PIPELINE
    if (left == 0) {
      rows = in.read();
      left = M::rows_parallel;
    } else {
      move_up<M>(rows);
    }
    left -= M::inverses_parallel;
    typename ProductBeat<M>::type y;
    ERNN_BEFORE_UNROLL
    for (int f = 0; f < M::inverses_parallel; ++f) {
      ERNN_UNROLL
      typename M::Product block[M::block];
      TransformOf<M>::inverse(rows.at[f], block_row<M>(n + f), block, probe);
      ERNN_BEFORE_UNROLL
      for (int i = 0; i < M::block; ++i) {
        ERNN_UNROLL
        y.at[f * M::block + i] = block[i];
      }
    }
    out.write(y);
  }
}

/// y = W x: reads transfers of A elements, writes products in the order of block_row().
template <class M, int A, class Probe>
void matrix_vector(::hls::stream<Beat<typename M::Input, A>>& in, const MatrixWeights<M>& weights,
                   ::hls::stream<typename ProductBeat<M>::type>& out, Probe probe) {
  ERNN_DATAFLOW
  typename TransformOf<M>::Operand spectra[MatrixSizes<M>::q][M::block];
  ERNN_REGISTERS(spectra, 2)
  ERNN_BANKS(spectra, 1, M::cols_parallel)
  ::hls::stream<RowSums<M>> sums("sums");
  transform_stage<M, A>(in, spectra, probe);
  multiply_stage<M>(spectra, weights, sums, probe);
  inverse_stage<M>(sums, out, probe);
}

/// The stage of a layer's input product, which has no recurrence and so runs ahead: `vectors` is
/// the number of frames of all streams together.
template <class M, int A, class Probe>
void product_stage(int vectors, ::hls::stream<Beat<typename M::Input, A>>& in,
                   const MatrixWeights<M>& weights,
                   ::hls::stream<typename ProductBeat<M>::type>& out, Probe probe) {
  ERNN_BEFORE_ROLLED
  for (int v = 0; v < vectors; ++v) {
    ERNN_DATAFLOW
    matrix_vector<M, A>(in, weights, out, probe);
  }
}

}  // namespace kernel
}  // namespace ernn
