// What LSTM and GRU share: the outputs of the frame before, and products that arrive group by group
// of units, gate by gate.
#pragma once

#include "matrix_vector.h"
#include "types.h"

namespace ernn {
namespace kernel {

/// Words that a stream from a product to the units holds: the units read a group's words in a
/// burst, and a product that had to wait for them would fall behind.
constexpr int kProductDepth = 32;
/// Vectors of h and of the gates that wait beside a GRU's products, so that the next streams are
/// not held up by a product that is still busy.
constexpr int kWaitingVectors = 3;

/// Outputs of every stream, twice: a frame reads one half and writes the other.
template <class T, int Streams, int Width>
struct OutputState {
  T a[Streams][Width];
  T b[Streams][Width];
  bool second;  ///< the last frame is in b
};

/// Zeroes the rows of the streams whose bit is set.
template <class T, int Streams, int Width>
void clear_rows(unsigned reset, T (&rows)[Streams][Width]) {
  ERNN_BEFORE_ROLLED
  for (int s = 0; s < Streams; ++s) {
    ERNN_BEFORE_ROLLED
    for (int u = 0; u < Width; ++u) {
      ERNN_PIPELINE
      if ((reset >> s & 1U) != 0) rows[s][u] = 0;
    }
  }
}

/// Zeroes the outputs `now` of the streams whose bit is set. Those of the streams from `streams`
/// on, which this call leaves out, go to the other half too: whichever half later calls read, a
/// stream goes on from its own last frame.
template <class T, int Streams, int Width>
void begin_rows(unsigned reset, int streams, T (&now)[Streams][Width], T (&other)[Streams][Width]) {
  ERNN_BEFORE_ROLLED
  for (int s = 0; s < Streams; ++s) {
    ERNN_BEFORE_ROLLED
    for (int u = 0; u < Width; ++u) {
      ERNN_PIPELINE
      T value = now[s][u];
      if ((reset >> s & 1U) != 0) value = 0;
      now[s][u] = value;
      if (s >= streams) other[s][u] = value;
    }
  }
}

template <class T, int Streams, int Width>
void begin_call(unsigned reset, int streams, OutputState<T, Streams, Width>& state) {
  if (state.second) {
    begin_rows(reset, streams, state.b, state.a);
  } else {
    begin_rows(reset, streams, state.a, state.b);
  }
}

/// Hands a vector on in transfers of N, padded with zeros.
template <class T, int N, int Width>
void read_vector(const T (&vector)[Width], ::hls::stream<Beat<T, N>>& out) {
  ERNN_BANKS(vector, 1, N)
  ERNN_BEFORE_ROLLED
  for (int first = 0; first < Width; first += N) {
    ERNN_PIPELINE
    Beat<T, N> beat;
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < N; ++n) {
      ERNN_UNROLL
      beat.at[n] = 0;
      if (first + n < Width) beat.at[n] = vector[first + n];
    }
    out.write(beat);
  }
}

/// The products of one group of units, all gates of them.
template <class M, int Gates, int Group>
struct GroupOf {
  static constexpr int beats = Gates * Group / ProductBeat<M>::size;
  static_assert(Gates * Group % ProductBeat<M>::size == 0,
                "inverses_parallel must divide the block rows of a unit group");
  static_assert(M::gates == Gates && M::group_rows * M::block == Group,
                "the matrix is stored in another order than the layer needs");

  void put(int beat, const typename ProductBeat<M>::type& in) {
    ERNN_INLINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < ProductBeat<M>::size; ++n) {
      ERNN_UNROLL
      values[beat * ProductBeat<M>::size + n] = in.at[n];
    }
  }
  const typename M::Product& at(int gate, int unit) const { return values[gate * Group + unit]; }

 private:
  typename M::Product values[Gates * Group];
};

}  // namespace kernel
}  // namespace ernn
