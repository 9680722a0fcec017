// Quantisation-aware training on the toy corpus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "export/emulator.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/quantise.h"
#include "export/trained_formats.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/same_run.h"
#include "tests/train/toy.h"
#include "train/evaluate.h"
#include "train/run.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<SummaryRow> train(
    const std::string& stages, const std::filesystem::path& out, bool resume = false,
    std::function<bool()> stop = [] { return false; }, const std::vector<std::string>& sets = {}) {
  RunOptions options;
  options.out = out;
  options.resume = resume;
  options.quiet = true;
  options.stop = std::move(stop);
  return run_training(toy::config(stages, sets), options, [] { return toy::data(); });
}

std::string refusal(const std::string& stages, const std::vector<std::string>& sets = {}) {
  const TemporaryFolder folder;
  try {
    train(
        stages, folder.path(), false, [] { return false; }, sets);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(accepted)";
}

// So few bits cost a lot at once. The stage `real` trains on as long as `qat`, in real numbers.
constexpr const char* kStages = R"(
stages:
  - {name: circulant, type: direct, epochs: 30, block: {input: 4, recurrent: 4, projection: 4},
     schedule: {type: constant, metric: loss}}
  - {name: qat, type: qat, epochs: 8, schedule: {type: constant, metric: loss},
     optimiser: {learning_rate: 0.005},
     quantisation: {bits: 8, widths: {weight: 4, hidden: 4, projected: 4, input: 4, gate: 4,
                    spectrum: 6, sum: 6, product: 6}}}
  - {name: real, type: circulant, from: circulant, epochs: 8, optimiser: {learning_rate: 0.005},
     schedule: {type: constant, metric: loss}}
)";

ModelFile model_file(const std::filesystem::path& run, const std::string& stage) {
  return ModelFile::load(run / stage / "model.safetensors");
}

/// Loss in nats a frame and phone errors of the toy test split through the emulator.
struct Emulated {
  double loss = 0;
  ScoreSheet scores;
};

Emulated emulate(const QuantisedNetwork& network, const ModelContext& context) {
  Emulator emulator(network);
  const TrainingData data = toy::data();
  Emulated result;
  result.scores.protocol = context.protocol;
  double frames = 0;
  for (std::size_t u = 0; u < data.test.size(); ++u) {
    const UtteranceFrames utterance = data.test.read(u);
    std::int64_t saturations = 0;
    const auto codes = quantise_frames(utterance.features, network.input_format(), saturations);
    emulator.reset();
    FrameMatrix logits(utterance.features.rows, network.outputs());
    for (int t = 0; t < logits.rows; ++t) {
      const auto found = emulator.step(codes[static_cast<std::size_t>(t)]);
      double sum = 0;
      for (int c = 0; c < logits.cols; ++c) {
        logits.at(t, c) = static_cast<float>(
            dequantise(found[static_cast<std::size_t>(c)], network.logit_format()));
        sum += std::exp(logits.at(t, c));
      }
      result.loss += std::log(sum) - logits.at(t, utterance.labels[static_cast<std::size_t>(t)]);
      ++frames;
    }
    result.scores.add(score_utterance(data.test[u].id, data.test[u].phones,
                                      decode_utterance(context, logits), context.phones,
                                      context.protocol));
  }
  result.loss /= frames;
  return result;
}

/// The finished models of a run of kStages.
class Qat : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = std::make_unique<TemporaryFolder>();
    rows = train(kStages, folder->path());
    formats = trained_formats(model_file(folder->path(), "qat"), "qat");
  }
  static void TearDownTestSuite() { folder.reset(); }

  static QuantisedNetwork deployed(const std::string& stage) {
    return quantise(FloatNetwork::from_model(model_file(folder->path(), stage)), formats->network);
  }
  static ModelContext context() {
    return load_model(folder->path() / "qat/model.safetensors").context;
  }

  static std::unique_ptr<TemporaryFolder> folder;
  static std::vector<SummaryRow> rows;
  static std::optional<TrainedFormats> formats;
};

std::unique_ptr<TemporaryFolder> Qat::folder;
std::vector<SummaryRow> Qat::rows;
std::optional<TrainedFormats> Qat::formats;

TEST_F(Qat, TheFormatsAreThoseOfTheStartModel) {
  ASSERT_TRUE(formats.has_value());
  const FloatNetwork start = FloatNetwork::from_model(model_file(folder->path(), "circulant"));
  std::vector<FrameMatrix> frames;
  const TrainingData data = toy::data();
  for (std::size_t i = 0; i < data.train.size(); ++i)
    frames.push_back(data.train.read(i).features);  // 24, fewer than calibration_utterances
  const QuantisedNetwork exported =
      quantise(start, profile_ranges(start, frames), formats->options);
  EXPECT_EQ(to_json_text({formats->options, exported}), to_json_text(*formats));
  EXPECT_EQ(formats->options.bits, 8);
  EXPECT_EQ(formats->network.layers[0].matrices[1].weight.width, 4);
  EXPECT_EQ(formats->network.layers[0].hidden, (Format{4, 1}));
  EXPECT_EQ(formats->network.layers[0].projected.width, 4);
  EXPECT_EQ(formats->network.layers[0].cell.width, 12);
}

TEST_F(Qat, IsScoredByWhatTheEmulatorComputes) {
  const Emulated emulated = emulate(deployed("qat"), context());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].per, emulated.scores.total.per());
  EXPECT_EQ(rows[1].tokens, emulated.scores.total.tokens);
  // And so is the model that is read from its file.
  const LoadedModel loaded = load_model(folder->path() / "qat/model.safetensors");
  const SplitResult result = evaluate(loaded.model, toy::data().test, loaded.context, 3);
  EXPECT_NEAR(result.loss, emulated.loss, 1e-6);
  EXPECT_EQ(result.scores.total.per(), emulated.scores.total.per());
}

/// The loss in real numbers of a stage's model.
double real_loss(const std::filesystem::path& run, const std::string& stage) {
  LoadedModel loaded = load_model(run / stage / "model.safetensors");
  loaded.model->set_arithmetic(nullptr);
  return evaluate(loaded.model, toy::data().test, loaded.context, 4).loss;
}

TEST_F(Qat, LosesLessThanRoundingWhatWasTrainedInRealNumbers) {
  const double trained = emulate(deployed("qat"), context()).loss;
  for (const char* stage : {"circulant", "real"}) {
    // In formats of its own, as the exporter chooses them.
    const FloatNetwork network = FloatNetwork::from_model(model_file(folder->path(), stage));
    std::vector<FrameMatrix> frames;
    const TrainingData data = toy::data();
    for (std::size_t i = 0; i < data.train.size(); ++i)
      frames.push_back(data.train.read(i).features);
    const QuantisedNetwork exported =
        quantise(network, profile_ranges(network, frames), formats->options);
    const double rounded = emulate(exported, context()).loss;
    const double real = real_loss(folder->path(), stage);
    EXPECT_GT(rounded, 1.2 * real) << stage << ": rounding costs nothing, nothing is shown";
    EXPECT_LT(trained, 0.8 * rounded) << stage;
  }
}

TEST_F(Qat, TheRowHasTheStoredCodes) {
  EXPECT_EQ(rows[1].stage, "qat");
  EXPECT_EQ(rows[1].bits, 4);
  EXPECT_EQ(rows[1].block_size, 4);
  EXPECT_EQ(rows[1].parameters, rows[0].parameters);
  EXPECT_EQ(rows[1].multiplications, rows[0].multiplications);
  EXPECT_EQ(rows[1].stored_bits, stored_bits(deployed("qat")));
  const std::int64_t others = 64 + 48 + 39;  // biases and peepholes, 8 bits
  EXPECT_EQ(rows[1].stored_bits, 4 * (rows[1].parameters - others) + 8 * others);
}

TEST_F(Qat, AStageBehindItTrainsInRealNumbers) {
  LoadedModel loaded = load_model(folder->path() / "qat/model.safetensors");
  AcousticModel copy = convert_blocks(loaded.model, loaded.model->options());
  copy->eval();
  loaded.model->eval();
  const torch::Tensor x = torch::randn({5, 1, 6});
  const torch::Tensor lengths = torch::tensor({5}, torch::kLong);
  const torch::Tensor fixed = loaded.model->forward(x, lengths).detach();
  const torch::Tensor real = copy->forward(x, lengths).detach();
  EXPECT_GT((fixed - real).abs().max().item<float>(), 1e-3);
  loaded.model->set_arithmetic(nullptr);
  EXPECT_TRUE(torch::equal(loaded.model->forward(x, lengths), real));
}

TEST(QatStage, ResumesBitForBit) {
  const TemporaryFolder folder;
  constexpr const char* stages = R"(
stages:
  - {name: circulant, type: direct, epochs: 1, block: {input: 4, recurrent: 4, projection: 4}}
  - {name: qat, type: qat, epochs: 2, quantisation: {bits: 8, widths: {weight: 4}}}
)";
  train(stages, folder.path() / "whole");
  int left = 6 + 9;  // in the second epoch of the stage
  EXPECT_THROW(train(stages, folder.path() / "parts", false, [&] { return --left == 0; }), Error);
  train(stages, folder.path() / "parts", true);
  expect_same_run(folder.path() / "whole", folder.path() / "parts", {"circulant", "qat"});
}

TEST(QatStage, TrainsDenseMatricesAndPiecesOfUtterances) {
  const TemporaryFolder folder;
  const auto rows = train(R"(
stages:
  - {name: dense, epochs: 2}
  - {name: qat, type: qat, epochs: 1, truncate: 12}
)",
                          folder.path());
  EXPECT_EQ(rows[1].bits, 12);
  EXPECT_EQ(rows[1].block_size, 1);
  const auto formats = trained_formats(model_file(folder.path(), "qat"), "qat");
  const QuantisedNetwork network =
      quantise(FloatNetwork::from_model(model_file(folder.path(), "qat")), formats->network);
  const LoadedModel loaded = load_model(folder.path() / "qat/model.safetensors");
  EXPECT_EQ(rows[1].per, emulate(network, loaded.context).scores.total.per());
}

TEST(FixedPointAdmm, HandsOnWeightsThatTheExporterKeeps) {
  const TemporaryFolder folder;
  const auto rows = train(R"(
stages:
  - {name: circulant, type: direct, epochs: 3, block: {input: 4, recurrent: 4}}
  - {name: admm, type: admm, constraint: fixed_point, epochs: 3, schedule: {type: constant},
     quantisation: {bits: 8, widths: {weight: 4}}, admm: {rho: 1, rho_final: 100, update_interval: 3}}
)",
                          folder.path());
  EXPECT_EQ(rows[1].bits, 4);
  EXPECT_EQ(rows[1].block_size, 4);
  const std::int64_t others = 64 + 48 + 39;  // biases and peepholes
  EXPECT_EQ(rows[1].stored_bits, 4 * (rows[1].parameters - others) + 32 * others);
  const FloatNetwork start = FloatNetwork::from_model(model_file(folder.path(), "circulant"));
  const FloatNetwork found = FloatNetwork::from_model(model_file(folder.path(), "admm"));
  QuantisationOptions options;
  options.widths["weight"] = 4;
  for (std::size_t l = 0; l < found.layers.size(); ++l) {
    for (std::size_t m = 0; m < found.layers[l].matrices.size(); ++m) {
      const FloatMatrix& matrix = found.layers[l].matrices[m];
      // What the exporter would choose now, which may have fewer integer bits than at the start.
      const Format format = weight_format(matrix, options);
      EXPECT_LE(format.integer, weight_format(start.layers[l].matrices[m], options).integer);
      const std::vector<double> before = stored_values(start.layers[l].matrices[m]);
      double off = 0;
      double off_before = 0;
      std::int64_t limits = 0;
      const auto error = [&](double v) {
        return std::abs(dequantise(quantise(v, format, limits), format) - v);
      };
      const double step = dequantise(1, format);
      for (const double v : stored_values(matrix)) off = std::max(off, error(v) / step);
      for (const double v : before) off_before = std::max(off_before, error(v) / step);
      EXPECT_LT(off, 1e-5) << matrix.shape.name;
      EXPECT_GT(off_before, 0.1) << matrix.shape.name;
      EXPECT_NE(stored_values(matrix), before);
    }
  }
  EXPECT_LT(metrics(folder.path()).back()["admm"][0]["distance"], 0.1);
}

TEST(QatStage, RefusesWhatItCannotDoBeforeAnythingIsTrained) {
  EXPECT_THAT(refusal("stages: [{name: q, type: qat}]\n"),
              HasSubstr("stage 'q': from: found none, expected a trained stage"));
  EXPECT_THAT(refusal(R"(
stages:
  - {name: a, epochs: 1}
  - {name: q, type: qat, block: {recurrent: 4}}
)"),
              HasSubstr("stage 'q': found block size 4 for layers.0.recurrent, expected 1 as 'a'"));
  EXPECT_THAT(refusal(R"(
stages:
  - {name: a, epochs: 1}
  - {name: q, type: qat, quantisation: {widths: {cel: 12}}}
)"),
              AllOf(HasSubstr("stage 'q'"), HasSubstr("no signal 'cel'; did you mean 'cell'?")));
  EXPECT_THAT(refusal("stages: [{name: q, type: admm, constraint: fixed_point}]\n"),
              HasSubstr("stage 'q': from: found none, expected a trained stage"));
  EXPECT_THAT(refusal(R"(
stages:
  - {name: a, epochs: 1}
  - {name: q, type: qat, quantisation: {bits: 5}}
)"),
              HasSubstr("stages.1.quantisation.bits: 5 is not between 6 and 16"));
}

}  // namespace
}  // namespace ernn
