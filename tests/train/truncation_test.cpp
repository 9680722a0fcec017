// Truncated backpropagation through time: batches in pieces, a step for each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/text.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/toy.h"
#include "train/pieces.h"
#include "train/run.h"

namespace ernn {
namespace {

std::vector<nlohmann::json> train(const std::filesystem::path& out,
                                  const std::vector<std::string>& sets) {
  RunOptions options;
  options.out = out;
  options.quiet = true;
  run_training(toy::config("", sets), options, [] { return toy::data(); });
  std::vector<nlohmann::json> lines;
  for (const auto& line : split(read_file(out / "metrics.jsonl"), '\n')) {
    if (line.empty()) continue;
    lines.push_back(nlohmann::json::parse(line));
    lines.back().erase("seconds");
    lines.back().erase("data_wait");
  }
  return lines;
}

std::vector<std::string> with(std::vector<std::string> sets, const std::string& set) {
  sets.push_back(set);
  return sets;
}

int longest_utterance() {
  int longest = 0;
  const TrainingData data = toy::data();
  for (const UtteranceInfo& utterance : data.train.infos())
    longest = std::max(longest, utterance.frames);
  return longest;
}

TEST(Pieces, AreTheBatch) {
  const auto utterances = toy::utterances(4, 5);
  const Batch batch = make_batch(utterances, plan_batches(utterances, 4).front(), 2);
  const std::int64_t total = batch.features.size(0);
  for (const std::int64_t frames :
       {std::int64_t{1}, std::int64_t{5}, total - 1, total, total + 1}) {
    const std::int64_t count = piece_count(total, frames);
    EXPECT_EQ(count, (total - 1) / frames + 1);
    std::vector<torch::Tensor> features;
    std::vector<torch::Tensor> targets;
    torch::Tensor lengths = torch::zeros({4}, torch::kInt64);
    long long labels = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const Batch piece = piece_of(batch, i * frames, frames);
      EXPECT_EQ(piece.utterances, batch.utterances);
      EXPECT_LE(piece.features.size(0), frames);
      // Every frame of an utterance lies before its end in the piece.
      const auto left = (batch.lengths - i * frames).clamp(0, piece.features.size(0));
      EXPECT_TRUE(torch::equal(piece.lengths, left));
      features.push_back(piece.features);
      targets.push_back(piece.targets);
      lengths += piece.lengths;
      labels += piece.target_frames;
    }
    EXPECT_TRUE(torch::equal(torch::cat(features), batch.features));
    EXPECT_TRUE(torch::equal(torch::cat(targets), batch.targets));
    EXPECT_TRUE(torch::equal(lengths, batch.lengths));
    EXPECT_EQ(labels, batch.target_frames);
    EXPECT_TRUE(piece_of(batch, count * frames, frames).utterances.empty());
  }
  EXPECT_EQ(piece_count(total, 0), 1);
  EXPECT_TRUE(torch::equal(piece_of(batch, 0, 0).features, batch.features));
  EXPECT_TRUE(piece_of(Batch{}, 0, 5).utterances.empty());
}

TEST(Truncation, AtTheLongestUtteranceChangesNoBit) {
  const TemporaryFolder folder;
  const std::vector<std::string> sets = {"training.epochs=2", "training.feature_noise=0.2",
                                         "context.label_delay=3", "training.schedule.type=cosine"};
  const auto whole = train(folder.path() / "whole", sets);
  const int longest = longest_utterance() + 3;
  for (const int frames : {longest, longest + 100}) {
    const auto out = folder.path() / std::to_string(frames);
    EXPECT_EQ(train(out, with(sets, "training.truncate=" + std::to_string(frames))), whole);
    EXPECT_EQ(read_file(out / "dense/model.safetensors"),
              read_file(folder.path() / "whole/dense/model.safetensors"));
  }
  const auto shorter = train(folder.path() / "shorter",
                             with(sets, "training.truncate=" + std::to_string(longest - 1)));
  EXPECT_GT(shorter.back()["step"], whole.back()["step"]);
}

// At a rate that moves nothing, an epoch's loss is that of one model: the pieces' losses add up to
// the whole utterances' only when each piece starts from the state behind the one before it.
TEST(Truncation, CarriesTheStateAndTheLabels) {
  const TemporaryFolder folder;
  for (const std::string layer :
       {"{type: lstm, size: 16, projection: 8}", "{type: gru, size: 16}"}) {
    const std::vector<std::string> sets = {"training.epochs=1",
                                           "model.dropout=0",
                                           "context.label_delay=3",
                                           "training.optimiser.type=sgd",
                                           "training.optimiser.learning_rate=1e-12",
                                           "model.layers=[" + layer + "," + layer + "]"};
    const std::string name = layer.substr(7, 3);
    const double whole = train(folder.path() / name, sets)[0]["train_loss"];
    for (const int frames : {4, 7, 20}) {
      const auto lines = train(folder.path() / (name + std::to_string(frames)),
                               with(sets, "training.truncate=" + std::to_string(frames)));
      EXPECT_NEAR(lines[0]["train_loss"], whole, 1e-6) << layer << ", " << frames << " frames";
    }
  }
}

TEST(Truncation, EveryPieceIsAStep) {
  const TemporaryFolder folder;
  const TrainingData data = toy::data();
  long long steps = 0;
  for (const auto& batch : plan_batches(data.train, 4))
    steps += (data.train[batch.front()].frames + 1) / 2;
  const auto lines = train(folder.path() / "all", {"training.epochs=2", "training.truncate=2"});
  EXPECT_EQ(lines[0]["step"], steps);
  EXPECT_EQ(lines[1]["step"], 2 * steps);
  // In the middle of a batch.
  const auto few = train(folder.path() / "few", {"training.max_steps=3", "training.truncate=2"});
  EXPECT_EQ(few.back()["step"], 3);
}

TEST(Truncation, LearnsASeparableToy) {
  const TemporaryFolder folder;
  const auto lines = train(folder.path(), {"training.epochs=8", "training.schedule.type=constant",
                                           "training.truncate=8", "context.label_delay=2"});
  EXPECT_LT(lines.back()["train_loss"], 0.5 * lines.front()["train_loss"].get<double>());
  EXPECT_LT(lines.back()["dev_per"], 8);
}

}  // namespace
}  // namespace ernn
