// The float engine against the network that is trained: log-posteriors agree to 1e-4.
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <string>

#include "models/acoustic_model.h"
#include "runtime/engine.h"
#include "tests/export/random_network.h"

namespace ernn {
namespace {

torch::Tensor posteriors_of(AcousticModel model, const FrameMatrix& frames) {
  const torch::NoGradGuard no_grad;
  torch::Tensor features = torch::empty({frames.rows, 1, frames.cols});
  std::copy(frames.data.begin(), frames.data.end(), features.data_ptr<float>());
  const torch::Tensor lengths = torch::full({1}, frames.rows, torch::kLong);
  return torch::log_softmax(model->forward(features, lengths), -1).squeeze(1).contiguous();
}

void expect_trained_values(const ModelFile& file, const std::string& what) {
  SCOPED_TRACE(what);
  AcousticModel model(file.options);
  model->eval();
  model->load_tensors(file.tensors, what);
  const FrameMatrix frames = random_utterances(1, 60, file.options.inputs, 6).front();
  const torch::Tensor expected = posteriors_of(model, frames);
  Stream stream(Engine::from_model(file));
  for (int t = 0; t < frames.rows; ++t) {
    const float* const found = stream.step(frames.row(t), static_cast<std::size_t>(frames.cols));
    for (int c = 0; c < file.options.outputs; ++c)
      ASSERT_NEAR(found[c], expected[t][c].item<float>(), 1e-4) << "frame " << t;
  }
}

TEST(FloatEngine, AgreesWithTheTrainedModel) {
  for (const NamedModel& model : every_kind_of_model())
    expect_trained_values(random_model(model.options, 3, 2), model.name);
}

TEST(FloatEngine, AgreesAtTheSizesOfDeployment) {
  ModelOptions options;
  options.inputs = 123;
  options.outputs = 61;
  options.layers = {lstm_layer(1024, 512, {16, 16, 16}), lstm_layer(1024, 512, {8, 16, 8})};
  // With a gain of 1, since a large random network with more is chaotic: errors of 1e-7 grow.
  expect_trained_values(random_model(options, 3), "two layers of 1024 cells");
}

}  // namespace
}  // namespace ernn
