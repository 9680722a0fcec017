// Every kind of layer, for tests that hold for all of them.
#pragma once

#include <vector>

#include "models/options.h"

namespace ernn {

/// Two equal layers and an output layer.
inline ModelOptions network(LayerOptions layer, int inputs, int outputs) {
  ModelOptions options;
  options.inputs = inputs;
  options.outputs = outputs;
  options.layers = {layer, layer};
  return options;
}

struct Kind {
  const char* name;
  LayerType type;
  GruReset reset = GruReset::before;
  bool peepholes = false;
  bool projected = false;
  double cell_clip = 0;
  std::vector<int> offsets = {0};
};

inline const std::vector<Kind>& kinds() {
  static const std::vector<Kind> list = {
      {"lstm", LayerType::lstm},
      {"lstm_all", LayerType::lstm, GruReset::before, true, true, 0.5},
      {"gru_before", LayerType::gru, GruReset::before},
      {"gru_after", LayerType::gru, GruReset::after},
      {"feedforward", LayerType::feedforward},
      {"tdnn", LayerType::feedforward, GruReset::before, false, false, 0, {-3, -1, 0}}};
  return list;
}

/// Sizes that fill neither a vector nor, where it may be so, a block.
inline LayerOptions layer_of(const Kind& kind, int block, int size) {
  LayerOptions layer;
  layer.type = kind.type;
  layer.reset = kind.reset;
  layer.peepholes = kind.peepholes;
  layer.projection = kind.projected ? size / 2 + 1 : 0;
  layer.cell_clip = kind.cell_clip;
  layer.offsets = kind.offsets;
  layer.size = size;
  layer.block = {block, kind.type == LayerType::feedforward ? 1 : block,
                 kind.projected ? block : 1};
  if (kind.type == LayerType::feedforward) layer.activation = Activation::tanh;
  return layer;
}

}  // namespace ernn
