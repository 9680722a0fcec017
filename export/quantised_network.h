// The deployed network: formats and integer codes, nothing else. Written to and read from the
// artefact, executed by the emulator, and turned into the HLS project.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "export/format.h"
#include "models/options.h"

namespace ernn {

/// One weight matrix. Formats as in docs/arithmetic.md; `spectrum` and `sum` are unused when block
/// is 1.
struct QuantisedMatrix {
  MatrixShape shape;
  Format weight;
  Format spectrum;
  Format sum;
  Format product;
  /// [block_rows, block_cols, block]: packed spectra of c/k, or [rows, cols] plain weights when
  /// block is 1.
  std::vector<std::int32_t> codes;
};

/// Straight pieces of sigmoid or tanh over [0, 2^range_log2).
struct ActivationTable {
  Activation kind = Activation::sigmoid;
  int range_log2 = 3;               ///< R
  int segments_log2 = 5;            ///< s
  std::int32_t last = 0;            ///< code in the gate format beyond the range
  std::vector<std::int32_t> base;   ///< 2^s codes, fraction Fg + 6
  std::vector<std::int32_t> slope;  ///< 2^s codes, fraction Fg + 6, per segment width
};

/// Extra fraction bits of table entries (E in docs/arithmetic.md).
inline constexpr int kTableExtraBits = 6;
/// Extra fraction bits inside a transform (G) and fraction bits of its constants.
inline constexpr int kTransformGuardBits = 2;
inline constexpr int kTwiddleFraction = 16;

/// One layer. Members that a layer type does not use stay empty; the output layer is a feed-forward
/// layer.
struct QuantisedLayer {
  LayerOptions options;  ///< its `size` is the number of classes for the output layer
  std::string name;      ///< "layers.0", ..., "output"
  int inputs = 0;

  Format input, bias, peephole, preactivation, gate, cell, reset_hidden, hidden, projected, output;

  /// LSTM: input, recurrent [, projection]. GRU: input, recurrent, candidate. Feed-forward: input.
  std::vector<QuantisedMatrix> matrices;
  /// LSTM [4 size] in the order i, f, g, o; GRU [3 size] z, r, candidate; feed-forward [size].
  std::vector<std::int32_t> bias_codes;
  /// GRU with reset after: b_v [size], inside the reset.
  std::vector<std::int32_t> candidate_bias_codes;
  /// LSTM: [3 size] in the order i, f, o; empty without peepholes.
  std::vector<std::int32_t> peephole_codes;
  /// LSTM: code of cell_clip in the cell format; 0 for no limit.
  std::int64_t cell_clip_code = 0;
  ActivationTable sigmoid, tanh;

  int outputs() const { return options.outputs(); }
  /// Format of what the layer hands on.
  const Format& output_format() const;
  /// Format of what `matrices[index]` multiplies.
  const Format& matrix_input(std::size_t index) const;
};

/// Hidden layers, then the output layer.
struct QuantisedNetwork {
  std::vector<QuantisedLayer> layers;

  int inputs() const { return layers.front().inputs; }
  int outputs() const { return layers.back().outputs(); }
  const Format& input_format() const { return layers.front().input; }
  const Format& logit_format() const { return layers.back().output; }
};

}  // namespace ernn
