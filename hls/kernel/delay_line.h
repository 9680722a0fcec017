// What a feed-forward layer with offsets has in front of its product: the frames that it joins to
// one input (docs/arithmetic.md, Layers).
//
// The layer's configuration L (generated, feedforward.h) then also has
//   int streams                  that a call can interleave
//   int width                    elements of a frame
//   int reach                    frames that it looks back
//   int joined                   frames that are joined
//   int back(int n)              how many frames before the current one the n-th of them is
#pragma once

#include "circulant_product.h"
#include "recurrent.h"
#include "types.h"

namespace ernn {
namespace kernel {

/// The last frames of every stream; [s][0] is the current one.
template <class L>
struct DelayLine {
  typedef typename L::InputMatrix::Input Element;
  Element frame[L::streams][L::reach + 1][L::width];
};

/// The largest power of two up to `size`, itself one, that divides `width`.
constexpr int power_of_two_in(int width, int size) {
  return width % size == 0 ? size : power_of_two_in(width, size / 2);
}

/// What it hands on in one transfer: as much of a block as no frame's end divides.
template <class L>
struct JoinedBeat {
  static constexpr int size = power_of_two_in(L::width, L::InputMatrix::block);
  typedef Beat<typename L::InputMatrix::Input, size> type;
};

/// Zeroes the streams whose bit is set.
template <class L>
void clear(unsigned reset, DelayLine<L>& line) {
  ERNN_BEFORE_ROLLED
  for (int s = 0; s < L::streams; ++s) {
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < L::width; ++i) {
      ERNN_PIPELINE
      ERNN_BEFORE_UNROLL
      for (int d = 0; d <= L::reach; ++d) {
        ERNN_UNROLL
        if ((reset >> s & 1U) != 0) line.frame[s][d][i] = 0;
      }
    }
  }
}

/// Takes a frame of stream s; every frame before it becomes a frame older.
template <class L, int A>
void take_frame(int s, ::hls::stream<Beat<typename L::InputMatrix::Input, A>>& in,
                DelayLine<L>& line) {
  ERNN_BEFORE_ROLLED
  for (int first = 0; first < L::width; first += A) {
    ERNN_PIPELINE
    const Beat<typename L::InputMatrix::Input, A> beat = in.read();
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < A; ++n) {
      ERNN_UNROLL
      const int i = first + n;
      if (i < L::width) {
        ERNN_BEFORE_UNROLL
        for (int d = L::reach; d > 0; --d) {
          ERNN_UNROLL
          line.frame[s][d][i] = line.frame[s][d - 1][i];
        }
        line.frame[s][0][i] = beat.at[n];
      }
    }
  }
}

/// Hands the joined frames of stream s on.
template <class L>
void hand_on(int s, const DelayLine<L>& line, ::hls::stream<typename JoinedBeat<L>::type>& out) {
  ERNN_BEFORE_ROLLED
  for (int n = 0; n < L::joined; ++n) {
    ERNN_BEFORE_ROLLED
    for (int first = 0; first < L::width; first += JoinedBeat<L>::size) {
      ERNN_PIPELINE
      typename JoinedBeat<L>::type beat;
      ERNN_BEFORE_UNROLL
      for (int i = 0; i < JoinedBeat<L>::size; ++i) {
        ERNN_UNROLL
        beat.at[i] = line.frame[s][L::back(n)][first + i];
      }
      out.write(beat);
    }
  }
}

/// The stage: reads the frames of each stream, writes the inputs of the layer's product. Streams
/// whose bit is set in `reset` start from zeros, the others go on from the last call.
template <class L, int A>
void join_stage(int frames, int streams, unsigned reset,
                ::hls::stream<Beat<typename L::InputMatrix::Input, A>>& in, DelayLine<L>& line,
                ::hls::stream<typename JoinedBeat<L>::type>& out) {
  static_assert(L::InputMatrix::cols == L::joined * L::width,
                "the matrix has other columns than the frames that are joined");
  constexpr int banks = A > JoinedBeat<L>::size ? A : JoinedBeat<L>::size;
  static_assert(banks % A == 0 && banks % JoinedBeat<L>::size == 0,
                "one of the transfers must divide the other");
  ERNN_REGISTERS(line.frame, 2)
  ERNN_BANKS(line.frame, 3, banks)
  clear<L>(reset, line);
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    ERNN_BEFORE_ROLLED
    for (int s = 0; s < streams; ++s) {
      take_frame<L>(s, in, line);
      hand_on<L>(s, line, out);
    }
  }
}

}  // namespace kernel
}  // namespace ernn
