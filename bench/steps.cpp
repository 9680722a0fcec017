#include "bench/steps.h"

#include <torch/cuda.h>
#include <torch/nn.h>
#include <torch/optim.h>
#include <torch/utils.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "admm/solver.h"
#include "export/profile.h"
#include "export/quantise.h"

namespace ernn::bench {

namespace {
constexpr int kCalibrationFrames = 20;
constexpr int kAdmmBlock = 8;

void wait_for(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize();
}

Data data_for(const StepOptions& options) {
  Data data(options.frames, options.batch);
  data.features = data.features.to(options.device, options.type);
  data.targets = data.targets.to(options.device);
  return data;
}

template <class Layers>
std::function<void()> torch_step(Layers layers, int width, const StepOptions& options) {
  torch::nn::Linear output(width, kClasses);
  layers->to(options.device, options.type);
  output->to(options.device, options.type);
  auto parameters = layers->parameters();
  for (const auto& parameter : output->parameters()) parameters.push_back(parameter);
  const auto optimiser = std::make_shared<torch::optim::SGD>(parameters, kRate);
  return [data = data_for(options), layers, output, optimiser, options]() mutable {
    optimiser->zero_grad();
    data.loss(output->forward(std::get<0>(layers->forward(data.features)))).backward();
    optimiser->step();
    wait_for(options.device);
  };
}

}  // namespace

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

std::function<void()> own_step(const ModelOptions& network, const StepOptions& options) {
  AcousticModel model(network);
  model->initialise(1);
  model->to(options.device, options.type);
  model->set_plain(options.plain);
  const auto optimiser = std::make_shared<torch::optim::SGD>(model->parameters(), kRate);
  std::shared_ptr<AdmmSolver> solver;
  if (options.admm) {
    std::vector<ConstrainedMatrix> matrices;
    for (const auto& matrix : model->matrices())
      matrices.push_back(
          {matrix.shape.name, matrix.weight, std::make_shared<BlockCirculantSet>(kAdmmBlock)});
    AdmmOptions admm_options;
    admm_options.schedule = RhoSchedule::constant;
    solver = std::make_shared<AdmmSolver>(matrices, admm_options);
  }
  return [data = data_for(options), model, optimiser, solver, options]() mutable {
    optimiser->zero_grad();
    data.loss(model->forward(data.features, data.lengths)).backward();
    if (solver) solver->add_penalty_gradients();
    optimiser->step();
    if (solver) solver->after_step(kRate);
    wait_for(options.device);
  };
}

std::function<void()> torch_lstm_step(int size, int projection, const StepOptions& options) {
  return torch_step(
      torch::nn::LSTM(torch::nn::LSTMOptions(kInputs, size).num_layers(2).proj_size(projection)),
      projection > 0 ? projection : size, options);
}

std::function<void()> torch_gru_step(int size, const StepOptions& options) {
  return torch_step(torch::nn::GRU(torch::nn::GRUOptions(kInputs, size).num_layers(2)), size,
                    options);
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
