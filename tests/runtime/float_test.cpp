// The float engine against the double-precision reference: log-posteriors agree to 1e-4.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/options.h"
#include "compute/isa.h"
#include "export/reference.h"
#include "runtime/engine.h"
#include "tests/export/random_network.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

constexpr double kAgreement = 1e-4;

std::vector<double> log_softmax(const std::vector<double>& logits) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  std::vector<double> result;
  result.reserve(logits.size());
  for (const double logit : logits) result.push_back(logit - std::log(sum));
  return result;
}

void expect_reference(const ModelFile& model, const std::string& what) {
  const FrameMatrix frames = random_utterances(1, 40, model.options.inputs, 6).front();
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE(what + ", " + name_of(isa));
    EngineOptions options;
    options.isa = isa;
    Stream stream(Engine::from_model(model, options));
    Reference reference(FloatNetwork::from_model(model));
    for (int t = 0; t < frames.rows; ++t) {
      const float* const row = frames.row(t);
      const std::vector<double> expected =
          log_softmax(reference.step(std::vector<double>(row, row + frames.cols)));
      const float* const found = stream.step(row, static_cast<std::size_t>(frames.cols));
      for (std::size_t c = 0; c < expected.size(); ++c)
        ASSERT_NEAR(found[c], expected[c], kAgreement) << "frame " << t << ", output " << c;
    }
  }
}

TEST(FloatEngine, EveryKindOfNetwork) {
  for (const NamedModel& model : every_kind_of_model())
    expect_reference(random_model(model.options, 3, 2), model.name);
}

TEST(FloatEngine, EveryBlockSizeInEveryMatrix) {
  for (int k = 1; k <= 64; k *= 2) {
    ModelOptions options;
    options.inputs = 37;
    options.outputs = 29;
    options.output_block = k;
    options.layers = {lstm_layer(128, 45, {k, k, k}), gru_layer(64, GruReset::before, {k, k, 1}),
                      gru_layer(192, GruReset::after, {k, k, 1}),
                      feedforward_layer(51, Activation::relu, k)};
    expect_reference(random_model(options, 8, 1.5), "k = " + std::to_string(k));
  }
}

TEST(FloatEngine, LargeArgumentsSaturate) {
  ModelOptions options;
  options.inputs = 20;
  options.outputs = 5;
  options.layers = {lstm_layer(32, 0, {4, 4, 1}), gru_layer(32, GruReset::before, {4, 4, 1}),
                    feedforward_layer(16, Activation::sigmoid, 1)};
  const ModelFile model = random_model(options, 9, 300);
  Stream stream(Engine::from_model(model));
  const FrameMatrix frames = random_utterances(1, 20, 20, 6).front();
  for (int t = 0; t < frames.rows; ++t) {
    const float* const found = stream.step(frames.row(t), 20);
    for (int c = 0; c < 5; ++c) ASSERT_TRUE(std::isfinite(found[c])) << "frame " << t;
  }
}

TEST(FloatEngine, LoadsAModelFile) {
  const TemporaryFolder folder;
  const ModelFile model = random_model(every_kind_of_model().front().options, 3);
  model.tensors.save(folder.path() / "model.safetensors");
  const auto loaded = Engine::load_model(folder.path() / "model.safetensors");
  EXPECT_FALSE(loaded->fixed_point());
  Stream from_file(loaded);
  Stream from_memory(Engine::from_model(model));
  const FrameMatrix frames = random_utterances(1, 3, 13, 6).front();
  for (int t = 0; t < frames.rows; ++t) {
    const float* const a = from_file.step(frames.row(t), 13);
    const float* const b = from_memory.step(frames.row(t), 13);
    EXPECT_EQ(std::vector<float>(a, a + 11), std::vector<float>(b, b + 11));
  }
}

}  // namespace
}  // namespace ernn
