// The ends of the chain of stages: frames of integer codes in, logits as integer codes out. The
// chain itself is generated (model.h of an exported project).
#pragma once

#include "feedforward.h"
#include "gru.h"
#include "lstm.h"
#include "types.h"

namespace ernn {
namespace kernel {

/// Reads `Width` codes a frame and writes them as beats, padded with zeros to whole beats.
template <int Width, class T, int N>
void read_stage(int frames, ::hls::stream<typename Codes<T>::Code>& in,
                ::hls::stream<Beat<T, N>>& out) {
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    T frame[Width];
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < Width; ++i) {
      ERNN_PIPELINE
      frame[i] = from_code<T>(in.read());
    }
    write_blocks(frame, out);
  }
}

/// Reads beats and writes their first `Width` elements of each frame as codes.
template <int Width, class T, int N>
void write_stage(int frames, ::hls::stream<Beat<T, N>>& in,
                 ::hls::stream<typename Codes<T>::Code>& out) {
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    ERNN_BEFORE_ROLLED
    for (int j = 0; j < ceil_divide(Width, N); ++j) {
      const Beat<T, N> beat = in.read();
      ERNN_BEFORE_ROLLED
      for (int n = 0; n < N; ++n) {
        ERNN_PIPELINE
        if (j * N + n < Width) out.write(Codes<T>::code(beat.at[n]));
      }
    }
  }
}

}  // namespace kernel
}  // namespace ernn
