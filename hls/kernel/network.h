// The ends of the chain of stages: frames of integer codes in, logits as integer codes out. The
// chain itself is generated (model.h of an exported project).
#pragma once

#include "feedforward.h"
#include "gru.h"
#include "load.h"
#include "lstm.h"
#include "types.h"

namespace ernn {
namespace kernel {

/// Reads `Width` codes a vector and writes them in transfers of N, padded with zeros; `vectors` is
/// the number of frames of all streams together.
template <int Width, class T, int N>
void read_stage(int vectors, ::hls::stream<typename Codes<T>::Code>& in,
                ::hls::stream<Beat<T, N>>& out) {
  ERNN_BEFORE_ROLLED
  for (int v = 0; v < vectors; ++v) {
    Beat<T, N> beat;
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < ceil_divide(Width, N) * N; ++i) {
      ERNN_PIPELINE
      T element = 0;
      if (i < Width) element = from_code<T>(in.read());
      beat.at[i % N] = element;
      if ((i + 1) % N == 0) out.write(beat);
    }
  }
}

/// Reads transfers and writes the first `Width` elements of each vector as codes.
template <int Width, class T, int N>
void write_stage(int vectors, ::hls::stream<Beat<T, N>>& in,
                 ::hls::stream<typename Codes<T>::Code>& out) {
  ERNN_BEFORE_ROLLED
  for (int v = 0; v < vectors; ++v) {
    Beat<T, N> beat;
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < Width; ++i) {
      ERNN_PIPELINE
      if (i % N == 0) beat = in.read();
      out.write(Codes<T>::code(beat.at[i % N]));
    }
  }
}

}  // namespace kernel
}  // namespace ernn
