// Layers in the deployed arithmetic (docs/arithmetic.md, "Layers"), differentiable: the LSTM, the
// GRU and the feed-forward layer of export/emulator.cpp on batches of sequences.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>

#include "export/quantised_network.h"
#include "models/layer_state.h"

namespace ernn::fixed_point {

class Layer {
 public:
  Layer() = default;
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  /// x [frames, batch, inputs], F64 on the grid of the layer's input format, to [frames, batch,
  /// outputs] on that of its output format. `state` as in ernn::Layer::forward(), F64; null: the
  /// layer starts at zero and the state behind it is not kept.
  virtual torch::Tensor forward(const torch::Tensor& x, LayerState* state) const = 0;
};

/// A parameter of the model by its name in the model file, for example "layers.0.bias".
using ParameterOf = std::function<torch::Tensor(const std::string& name)>;

/// @param formats formats and tables; codes are not looked at
std::unique_ptr<Layer> make_layer(const QuantisedLayer& formats, const ParameterOf& parameter);

}  // namespace ernn::fixed_point
