// A trained network in double precision, laid out as QuantisedNetwork is.
#pragma once

#include <string>
#include <vector>

#include "models/model_file.h"
#include "models/options.h"

namespace ernn {

struct FloatMatrix {
  MatrixShape shape;
  /// First columns of blocks [block_rows, block_cols, block], or [rows, cols] when block is 1.
  std::vector<double> weights;
};

/// One layer; see QuantisedLayer for the order of matrices and gates.
struct FloatLayer {
  LayerOptions options;  ///< its `size` is the number of classes for the output layer
  std::string name;      ///< "layers.0", ..., "output"
  int inputs = 0;
  std::vector<FloatMatrix> matrices;
  std::vector<double> bias;
  std::vector<double> candidate_bias;
  std::vector<double> peephole;

  int outputs() const { return options.outputs(); }
};

/// Hidden layers, then the output layer.
struct FloatNetwork {
  std::vector<FloatLayer> layers;

  int inputs() const { return layers.front().inputs; }
  int outputs() const { return layers.back().outputs(); }

  static FloatNetwork from_model(const ModelFile& model);
};

/// Gates of a layer: 4 (LSTM), 3 (GRU), 1 (feed-forward).
int gate_count(LayerType type);

/// True for sigmoid and tanh, which tables compute.
bool has_table(Activation activation);

/// The layers of a model without weights: names, widths and matrix shapes, the output layer last.
std::vector<FloatLayer> layer_outlines(const ModelOptions& options);

}  // namespace ernn
