#include "bench/steps.h"

namespace ernn::bench {

ModelOptions network(LayerType type, int size, int projection, bool peepholes, int block) {
  LayerOptions layer;
  layer.type = type;
  layer.size = size;
  layer.projection = projection;
  layer.peepholes = peepholes;
  layer.block = {block, block, projection > 0 ? block : 1};
  ModelOptions options;
  options.inputs = kInputs;
  options.outputs = kClasses;
  options.output_block = block;
  options.layers = {layer, layer};
  return options;
}

double dense_operations(const ModelOptions& options, int64_t frames) {
  double weights = 0;
  for (const auto& shape : matrix_shapes(options))
    weights += static_cast<double>(shape.rows) * shape.cols;
  return 6 * weights * static_cast<double>(frames);
}

Data::Data(int64_t frames, int64_t batch)
    : features(torch::randn({frames, batch, kInputs})),
      lengths(torch::full({batch}, frames, torch::kLong)),
      targets(torch::randint(kClasses, {frames * batch}, torch::kLong)) {}

torch::Tensor Data::loss(const torch::Tensor& logits) const {
  return torch::nn::functional::cross_entropy(logits.reshape({-1, kClasses}), targets);
}

}  // namespace ernn::bench
