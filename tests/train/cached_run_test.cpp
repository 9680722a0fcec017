// Runs whose features lie on disk: the bits of runs in memory, interrupted or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tone_corpus.h"
#include "tests/train/same_run.h"
#include "train/run.h"

namespace ernn {
namespace {

const std::vector<std::string> kStages = {"dense", "admm", "circulant"};

/// Three stages of three steps an epoch, with everything that draws random numbers.
RunConfig config_of(const std::filesystem::path& corpus, const std::vector<std::string>& sets) {
  return parse_run_config("data: " + tone_data(corpus) + R"(
features: {preset: mfcc39}
model: {dropout: 0.2, layers: [{type: lstm, size: 16, projection: 8}]}
decoder: {type: viterbi, min_duration: 2, lm_weight: 1}
context: {label_delay: 2}
training: {batch: 3, feature_noise: 0.1, optimiser: {learning_rate: 0.01}}
stages:
  - {name: dense, epochs: 3}
  - {name: admm, type: admm, epochs: 2, block: {input: 4, recurrent: 4, projection: 4},
     schedule: {type: constant}, admm: {rho: 1, rho_final: 300, update_interval: 3}}
  - {name: circulant, type: circulant, epochs: 2}
)",
                          "tones.yaml", sets);
}

class CachedRun : public testing::Test {
 protected:
  CachedRun() { make_tone_corpus(folder.path() / "corpus", 4, 0.6); }

  void train(const std::string& name, bool cached, bool resume = false, int stop_after = 0) {
    RunOptions options;
    options.out = folder.path() / name;
    options.resume = resume;
    options.quiet = true;
    if (stop_after > 0)
      options.stop = [left = std::make_shared<int>(stop_after)] { return --*left == 0; };
    std::vector<std::string> sets;
    if (cached) sets.push_back("data.cache=" + (folder.path() / "cache").string());
    const RunConfig config = config_of(folder.path() / "corpus", sets);
    run_training(config, options, [&] { return load_training_data(config, *options.group, true); });
  }

  TemporaryFolder folder;
};

TEST_F(CachedRun, HasTheBitsOfARunInMemory) {
  train("memory", false);
  train("made", true);
  train("read", true);
  expect_same_run(folder.path() / "memory", folder.path() / "made", kStages);
  expect_same_run(folder.path() / "memory", folder.path() / "read", kStages);
}

TEST_F(CachedRun, CanBeInterruptedAndResumed) {
  train("straight", false);
  EXPECT_THROW(train("cut", true, false, 13), Error);
  train("cut", true, true);
  expect_same_run(folder.path() / "straight", folder.path() / "cut", kStages);
  // Where the frames lie is no part of a run.
  EXPECT_THROW(train("moved", true, false, 5), Error);
  train("moved", false, true);
  expect_same_run(folder.path() / "straight", folder.path() / "moved", kStages);
}

TEST_F(CachedRun, KeepsNoFramesInMemory) {
  RunConfig config =
      config_of(folder.path() / "corpus", {"data.cache=" + (folder.path() / "cache").string()});
  const ProcessGroup alone;
  const TrainingData cached = load_training_data(config, alone, true);
  EXPECT_EQ(cached.train.bytes_in_memory(), 0U);
  EXPECT_EQ(cached.dev.bytes_in_memory(), 0U);
  config.data.cache.clear();
  const TrainingData memory = load_training_data(config, alone, true);
  EXPECT_GT(memory.train.bytes_in_memory(), 0U);
  EXPECT_EQ(cached.normalisation.mean, memory.normalisation.mean);
  EXPECT_EQ(cached.normalisation.inverse_std, memory.normalisation.inverse_std);
  EXPECT_EQ(cached.decoder_model.log_prior, memory.decoder_model.log_prior);
  EXPECT_EQ(cached.decoder_model.log_bigram, memory.decoder_model.log_bigram);
}

}  // namespace
}  // namespace ernn
