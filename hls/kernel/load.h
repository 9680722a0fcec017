// Weights at run time: those of another training of the same network in the same formats without
// new synthesis. Formats and tables are compiled in and codes do not say theirs; kFingerprint of
// config.h does. Codes come in the order of weights.bin: layer by layer, matrix codes in the order
// in which they are computed (block_row()), bias, peepholes or the bias inside the reset.
//
// A source has  template <class Code> void read(Code& code, int width): the next code, of so many
// bits.
#pragma once

#include "feedforward.h"
#include "gru.h"
#include "lstm.h"

namespace ernn {
namespace kernel {

/// Codes from a stream, one a transfer.
class WeightStream {
 public:
  explicit WeightStream(::hls::stream<ap_int<32>>& in) : in_(in) {}
  template <class Code>
  void read(Code& code, int /*width*/) {
    ERNN_INLINE
    code = static_cast<Code>(in_.read().to_int());
  }

 private:
  ::hls::stream<ap_int<32>>& in_;
};

template <class Source, class M>
void load(Source& source, MatrixWeights<M>& weights) {
  typedef MatrixSizes<M> Sizes;
  ERNN_BEFORE_ROLLED
  for (int n = 0; n < Sizes::p; ++n) {
    ERNN_BEFORE_ROLLED
    for (int j = 0; j < Sizes::q; ++j) {
      ERNN_BEFORE_ROLLED
      for (int i = 0; i < M::block; ++i) {
        ERNN_PIPELINE
        source.read(weights.code[n][j][i], FormatOf<typename M::Weight>::width);
      }
    }
  }
}

/// Codes of `Format`, all rows.
template <class Format, class Source, class Code, int Rows, int Size>
void load_rows(Source& source, Code (&code)[Rows][Size]) {
  ERNN_BEFORE_ROLLED
  for (int r = 0; r < Rows; ++r) {
    ERNN_BEFORE_ROLLED
    for (int u = 0; u < Size; ++u) {
      ERNN_PIPELINE
      source.read(code[r][u], FormatOf<Format>::width);
    }
  }
}
template <class Format, class Source, class Code, int Size>
void load_row(Source& source, Code (&code)[Size]) {
  ERNN_BEFORE_ROLLED
  for (int u = 0; u < Size; ++u) {
    ERNN_PIPELINE
    source.read(code[u], FormatOf<Format>::width);
  }
}

template <class Source, class L>
void load(Source& source, ProjectionWeights<L, true>& weights) {
  load(source, weights.matrix);
}
template <class Source, class L>
void load(Source& /*source*/, ProjectionWeights<L, false>& /*weights*/) {}

template <class Source, class L>
void load(Source& source, PeepholeWeights<L, true>& weights) {
  load_rows<typename L::Peephole>(source, weights.code);
}
template <class Source, class L>
void load(Source& /*source*/, PeepholeWeights<L, false>& /*weights*/) {}

template <class Source, class L>
void load(Source& source, ResetBias<L, true>& weights) {
  load_row<typename L::Bias>(source, weights.code);
}
template <class Source, class L>
void load(Source& /*source*/, ResetBias<L, false>& /*weights*/) {}

template <class Source, class L>
void load(Source& source, LstmWeights<L>& weights) {
  load(source, weights.input);
  load(source, weights.recurrent);
  load(source, weights.projection);
  load_rows<typename L::Bias>(source, weights.bias);
  load(source, weights.peephole);
}

template <class Source, class L>
void load(Source& source, GruWeights<L>& weights) {
  load(source, weights.input);
  load(source, weights.recurrent);
  load(source, weights.candidate);
  load_rows<typename L::Bias>(source, weights.bias);
  load(source, weights.candidate_bias);
}

template <class Source, class L>
void load(Source& source, FeedforwardWeights<L>& weights) {
  load(source, weights.input);
  load_row<typename L::Bias>(source, weights.bias);
}

}  // namespace kernel
}  // namespace ernn
