#include "export/float_network.h"

#include <fmt/format.h>

#include <cstdint>

namespace ernn {

int gate_count(LayerType type) {
  switch (type) {
    case LayerType::lstm:
      return 4;
    case LayerType::gru:
      return 3;
    case LayerType::feedforward:
      break;
  }
  return 1;
}

bool has_table(Activation activation) {
  return activation == Activation::sigmoid || activation == Activation::tanh;
}

std::vector<FloatLayer> layer_outlines(const ModelOptions& options) {
  std::vector<FloatLayer> layers;
  int inputs = options.inputs;
  for (const LayerOptions& layer : options.layers) {
    FloatLayer outline;
    outline.options = layer;
    outline.name = fmt::format("layers.{}", layers.size());
    outline.inputs = inputs;
    inputs = layer.outputs();
    layers.push_back(std::move(outline));
  }
  FloatLayer output;
  output.options.type = LayerType::feedforward;
  output.options.size = options.outputs;
  output.options.block.input = options.output_block;
  output.name = "output";
  output.inputs = inputs;
  layers.push_back(std::move(output));
  for (const MatrixShape& shape : matrix_shapes(options)) {
    for (FloatLayer& layer : layers) {
      if (shape.name.rfind(layer.name + ".", 0) == 0) layer.matrices.push_back({shape, {}});
    }
  }
  return layers;
}

FloatNetwork FloatNetwork::from_model(const ModelFile& model) {
  const auto values = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    return model.tensors.get(name, shape, "model").as_doubles();
  };
  FloatNetwork network;
  network.layers = layer_outlines(model.options);
  for (FloatLayer& layer : network.layers) {
    const LayerOptions& options = layer.options;
    for (FloatMatrix& matrix : layer.matrices) {
      const MatrixShape& s = matrix.shape;
      matrix.weights = s.block == 1
                           ? values(s.name + ".weight", {s.rows, s.cols})
                           : values(s.name + ".weight", {s.block_rows(), s.block_cols(), s.block});
    }
    layer.bias = values(layer.name + ".bias", {gate_count(options.type) * options.size});
    if (options.type == LayerType::lstm && options.peepholes)
      layer.peephole = values(layer.name + ".peephole", {3, options.size});
    if (options.type == LayerType::gru && options.reset == GruReset::after)
      layer.candidate_bias = values(layer.name + ".candidate_bias", {options.size});
  }
  return network;
}

}  // namespace ernn
