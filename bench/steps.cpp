#include "bench/steps.h"

#include <torch/nn/functional/loss.h>

#include <algorithm>

#include "export/profile.h"
#include "export/quantise.h"

namespace ernn::bench {

namespace {
constexpr int kCalibrationFrames = 20;
}

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

FrameMatrix random_features(int frames) {
  const torch::Tensor values = torch::randn({frames, kInputs});
  FrameMatrix matrix(frames, kInputs);
  std::copy_n(values.data_ptr<float>(), matrix.data.size(), matrix.data.begin());
  return matrix;
}

ModelFile made_up_model(const ModelOptions& options) {
  AcousticModel model(options);
  model->initialise(1);
  ModelFile file;
  file.options = options;
  file.tensors = model->to_tensor_file("{}");
  return file;
}

QuantisedNetwork quantise(const ModelFile& model) {
  const FloatNetwork floats = FloatNetwork::from_model(model);
  return ernn::quantise(floats, profile_ranges(floats, {random_features(kCalibrationFrames)}),
                        ExportOptions{});
}

}  // namespace ernn::bench
