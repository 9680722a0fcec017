#include "train/losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>
#include <map>
#include <vector>

#include "base/error.h"
#include "tests/train/toy.h"
#include "train/evaluate.h"

namespace ernn {
namespace {

constexpr int kClasses = 7;

/// Random logits for a batch, with huge values in the padding.
torch::Tensor logits_for(const Batch& batch) {
  torch::manual_seed(11);
  torch::Tensor logits =
      torch::randn({batch.features.size(0), batch.features.size(1), kClasses}, torch::kFloat64);
  for (std::int64_t b = 0; b < batch.lengths.size(0); ++b) {
    for (std::int64_t t = batch.lengths[b].item<std::int64_t>(); t < logits.size(0); ++t)
      logits[t][b].fill_(1e6 * static_cast<double>(t + b));
  }
  return logits;
}

/// Cross-entropy written out frame by frame.
double reference_loss(const torch::Tensor& logits, const std::vector<LabelledUtterance>& utterances,
                      double smoothing) {
  double sum = 0;
  for (std::size_t b = 0; b < utterances.size(); ++b) {
    for (std::size_t t = 0; t < utterances[b].frame_labels.size(); ++t) {
      const int label = utterances[b].frame_labels[t];
      if (label < 0) continue;
      std::vector<double> x(kClasses);
      double total = 0;
      for (int c = 0; c < kClasses; ++c) {
        x[static_cast<std::size_t>(c)] =
            logits[static_cast<std::int64_t>(t)][static_cast<std::int64_t>(b)][c].item<double>();
        total += std::exp(x[static_cast<std::size_t>(c)]);
      }
      for (int c = 0; c < kClasses; ++c) {
        const double share = smoothing / kClasses + (c == label ? 1 - smoothing : 0);
        sum -= share * (x[static_cast<std::size_t>(c)] - std::log(total));
      }
    }
  }
  return sum;
}

TEST(FrameLoss, IgnoresPaddingAndUnlabelledFrames) {
  auto utterances = toy::utterances(4, 8);
  utterances[1].frame_labels[2] = -1;
  const Batch batch = make_batch(utterances, {0, 1, 2, 3}, 0);
  const torch::Tensor logits = logits_for(batch);
  for (const double smoothing : {0.0, 0.1}) {
    const LossSum loss = frame_loss(logits, batch, smoothing);
    const double expected = reference_loss(logits, utterances, smoothing);
    EXPECT_NEAR(loss.sum.item<double>(), expected, 1e-9 * expected);
    EXPECT_EQ(loss.count, batch.target_frames);
    EXPECT_NEAR(loss.mean().item<double>(), expected / static_cast<double>(loss.count), 1e-9);
  }
}

TEST(FrameLoss, PaddingGetsNoGradient) {
  const auto utterances = toy::utterances(3, 8);
  const Batch batch = make_batch(utterances, {0, 1, 2}, 2);
  torch::Tensor logits = logits_for(batch).requires_grad_(true);
  frame_loss(logits, batch, 0.1).mean().backward();
  const torch::Tensor touched = logits.grad().abs().sum(-1) > 0;
  EXPECT_TRUE(torch::equal(touched, batch.targets >= 0));
}

TEST(FrameErrors, CountsLabelledFramesOnly) {
  const auto utterances = toy::utterances(3, 8);
  const Batch batch = make_batch(utterances, {0, 1, 2}, 1);
  torch::Tensor logits = torch::one_hot(batch.targets.clamp_min(0), kClasses).to(torch::kFloat);
  EXPECT_EQ(frame_errors(logits, batch), 0);
  const std::int64_t label = batch.targets[3][1].item<std::int64_t>();
  logits[3][1][(label + 1) % kClasses] = 5;
  EXPECT_EQ(frame_errors(logits, batch), 1);
}

TEST(DistillationLoss, IsTheDivergenceOfLabelledFrames) {
  auto utterances = toy::utterances(4, 8);
  utterances[1].frame_labels[2] = -1;
  const Batch batch = make_batch(utterances, {0, 1, 2, 3}, 0);
  const torch::Tensor logits = logits_for(batch);
  const torch::Tensor teacher = 0.5 * logits + torch::randn_like(logits);
  for (const double temperature : {1.0, 3.0}) {
    double expected = 0;
    for (std::int64_t t = 0; t < logits.size(0); ++t) {
      for (std::int64_t b = 0; b < logits.size(1); ++b) {
        if (batch.targets[t][b].item<std::int64_t>() < 0) continue;
        const auto p = torch::softmax(teacher[t][b] / temperature, 0);
        const auto q = torch::softmax(logits[t][b] / temperature, 0);
        for (int c = 0; c < kClasses; ++c) {
          const auto share = p[c].item<double>();
          expected += temperature * temperature * share * std::log(share / q[c].item<double>());
        }
      }
    }
    const LossSum loss = distillation_loss(logits, teacher, batch, temperature);
    EXPECT_GT(expected, 1);
    EXPECT_NEAR(loss.sum.item<double>(), expected, 1e-9 * expected);
    EXPECT_EQ(loss.count, batch.target_frames);
  }
  EXPECT_NEAR(distillation_loss(logits, logits, batch, 2).sum.item<double>(), 0, 1e-9);
}

TEST(DistillationLoss, OnlyLabelledFramesOfTheStudentGetAGradient) {
  const auto utterances = toy::utterances(3, 8);
  const Batch batch = make_batch(utterances, {0, 1, 2}, 2);
  torch::Tensor logits = logits_for(batch).requires_grad_(true);
  torch::Tensor teacher = torch::randn_like(logits).requires_grad_(true);
  distillation_loss(logits, teacher, batch, 2).mean().backward();
  EXPECT_TRUE(torch::equal(logits.grad().abs().sum(-1) > 0, batch.targets >= 0));
  EXPECT_FALSE(teacher.grad().defined());
}

/// Sums the probability of every path of `frames` outputs that collapses to each string.
std::map<std::vector<int>, double> enumerate_paths(const torch::Tensor& probabilities) {
  const auto frames = static_cast<int>(probabilities.size(0));
  const auto symbols = static_cast<int>(probabilities.size(1));
  std::map<std::vector<int>, double> sums;
  std::vector<int> path(static_cast<std::size_t>(frames), 0);
  while (true) {
    double probability = 1;
    std::vector<int> collapsed;
    for (int t = 0; t < frames; ++t) {
      const int symbol = path[static_cast<std::size_t>(t)];
      probability *= probabilities[t][symbol].item<double>();
      const bool repeat = t > 0 && path[static_cast<std::size_t>(t - 1)] == symbol;
      if (symbol != 0 && !repeat) collapsed.push_back(symbol);
    }
    sums[collapsed] += probability;
    int t = 0;
    while (t < frames && ++path[static_cast<std::size_t>(t)] == symbols)
      path[static_cast<std::size_t>(t++)] = 0;
    if (t == frames) return sums;
  }
}

TEST(CtcLoss, EqualsTheSumOverAllPaths) {
  LabelledUtterance first;
  first.features = FrameMatrix(5, 1);
  first.frame_labels.assign(5, -1);
  first.phones = {0, 0, 1};  // a repeat, which needs a blank between
  LabelledUtterance second;
  second.features = FrameMatrix(4, 1);
  second.frame_labels.assign(4, -1);
  second.phones = {1};
  const std::vector<LabelledUtterance> utterances = {first, second};
  const Batch batch = make_batch(utterances, {0, 1}, 0);
  torch::manual_seed(4);
  const torch::Tensor logits = torch::randn({5, 2, 3}, torch::kFloat64);
  const torch::Tensor probabilities = torch::softmax(logits, -1);
  const double expected =
      -std::log(enumerate_paths(probabilities.select(1, 0)).at({1, 1, 2})) -
      std::log(enumerate_paths(probabilities.select(1, 1).narrow(0, 0, 4)).at({2}));
  const LossSum loss = ctc_loss(logits, batch);
  EXPECT_NEAR(loss.sum.item<double>(), expected, 1e-10);
  EXPECT_EQ(loss.count, 4);
}

TEST(Evaluate, NamesTheUtteranceWhoseOutputsAreNoNumbers) {
  const RunConfig config = toy::config();
  const AcousticModel model(complete_model(config));
  for (const auto& parameter : model->parameters()) parameter.detach().fill_(std::nan(""));
  ModelContext context;
  context.phones = config.data.phones;
  context.decoder.type = DecoderType::greedy;
  const auto utterances = toy::utterances(1, 5);
  try {
    evaluate(model, utterances, context, 1);
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("utterance toy_5_0: "),
                                             testing::HasSubstr("lower optimiser.learning_rate")));
  }
}

}  // namespace
}  // namespace ernn
