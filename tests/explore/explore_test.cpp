// A whole exploration of a toy corpus.
#include "explore/explore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "kernels.h"
#include "models/circulant.h"
#include "tests/support/markup.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/toy.h"
#include "train/metrics.h"
#include "train/run.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kStages = R"(
stages:
  - {name: first, type: dense, epochs: 20}
  - {name: pull, type: admm, from: first, epochs: 4, block: {input: 2, recurrent: 2},
     schedule: {type: constant}, admm: {rho: 1, rho_final: 300, update_interval: 3}}
  - {name: back, type: circulant, from: pull, epochs: 4}
)";

RunConfig toy_config() {
  return toy::config(kStages,
                     {"training.schedule.type=constant", "export.calibration_utterances=4"});
}

struct Toy {
  explicit Toy(const fs::path& out) {
    setup.out = out;
    setup.config = toy_config();
    setup.quiet = true;
    setup.labels = {"small"};
    Platform platform = test_platform();
    platform.dsp = 200;  // folds are found sooner
    setup.tables.emplace_back(platform);
    setup.options.per_budget = 100;
    setup.options.width_budget = 5;
    setup.options.streams = 2;
    setup.load = [this] {
      ++loads;
      return toy::data();
    };
    setup.speech.calibration = [](const ModelContext&) {
      const TrainingData data = toy::data();
      std::vector<FrameMatrix> frames;
      for (std::size_t u = 0; u < 4; ++u) frames.push_back(data.train.read(u).features);
      return frames;
    };
    setup.speech.split = [](const ModelContext&, Split split) {
      return UtteranceSet(toy::utterances(8, split == Split::dev ? 2 : 3));
    };
  }

  ExploreSetup setup;
  int loads = 0;
};

/// Everything from dense to files.
Exploration explore(Toy& toy) {
  Explorer explorer(toy.setup);
  Exploration exploration = explorer.propose();
  for (std::size_t i = 0; i < exploration.trials.size(); ++i)
    explorer.train(exploration, static_cast<int>(i + 1));
  explorer.choose(exploration);
  explorer.write(exploration);
  return exploration;
}

std::vector<std::string> folders_in(const fs::path& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Explore, TrainsNoMoreThanAskedForAndRemembers) {
  const TemporaryFolder folder;
  Toy toy(folder.path());
  toy.setup.options.max_trials = 3;
  const Exploration first = explore(toy);
  EXPECT_EQ(toy.loads, 1);
  EXPECT_LT(first.cells[0].dense.dev_per, 20);
  ASSERT_EQ(first.trials.size(), 2U);
  EXPECT_EQ(folders_in(folder.path() / "trials").size(), 2U);
  for (const ExploredTrial& trial : first.trials) {
    EXPECT_EQ(trial.record.state, TrialState::finished);
    EXPECT_EQ(trial.record.numbers, parameter_count(trial.model));
    const fs::path model =
        folder.path() / "trials" / trial.record.name / "circulant" / "model.safetensors";
    const LoadedModel loaded = load_model(model);
    EXPECT_EQ(trial_name(loaded.model->options()), trial.record.name);
  }
  EXPECT_GT(first.trials[0].record.numbers, first.trials[1].record.numbers);

  Toy again(folder.path());
  again.setup.options.max_trials = 3;
  const Exploration second = explore(again);
  EXPECT_EQ(again.loads, 0);
  EXPECT_EQ(exploration_json(second), exploration_json(first));

  // One more training than before: the ends are there already.
  Toy more(folder.path());
  more.setup.options.max_trials = 4;
  EXPECT_EQ(explore(more).trials.size(), 3U);
  EXPECT_EQ(folders_in(folder.path() / "trials").size(), 3U);
  EXPECT_EQ(more.loads, 1);
}

TEST(Explore, DesignIsARunThatTrainsAnew) {
  const TemporaryFolder folder;
  Toy toy(folder.path() / "out");
  toy.setup.options.max_trials = 2;
  const Exploration found = explore(toy);
  ASSERT_EQ(found.platforms[0].chosen, found.trials[0].record.name);
  const fs::path design = folder.path() / "out" / "small";
  const RunConfig config = load_run_config(design / "design.yaml");
  EXPECT_NO_THROW(resolve(config.export_options.folding, found.trials[0].model));
  EXPECT_EQ(config.export_options.bits, found.trials[0].widths.options.bits);

  // The folder is a finished run of that configuration, and a new one comes to the same weights.
  RunOptions options;
  options.quiet = true;
  options.resume = true;
  options.out = design;
  const auto rows = run_training(config, options, []() -> TrainingData {
    throw std::logic_error("nothing should be trained");
  });
  EXPECT_EQ(rows.size(), 3U);
  options.out = folder.path() / "anew";
  run_training(config, options, [] { return toy::data(); });
  EXPECT_EQ(read_file(options.out / "circulant" / "model.safetensors"),
            read_file(design / "circulant" / "model.safetensors"));

  for (const char* file : {"pareto.csv", "explore.json", "explore.html"})
    EXPECT_TRUE(fs::exists(folder.path() / "out" / file)) << file;
  expect_well_formed(read_file(folder.path() / "out" / "explore.html"));
}

/// As processes of a job array: each one trains its trial, the last call gathers.
TEST(Explore, TrialsCanBeTrainedApart) {
  const TemporaryFolder folder;
  Toy toy(folder.path());
  toy.setup.options.max_trials = 3;
  {
    Explorer early(toy.setup);
    EXPECT_THROW(early.propose(false), UsageError);
    early.propose();
  }
  for (const int number : {2, 1}) {
    Explorer one(toy.setup);
    Exploration exploration = one.propose(false);
    EXPECT_THROW(one.train(exploration, 3), UsageError);
    one.train(exploration, number);
    EXPECT_EQ(exploration.trials[0].record.state,
              number == 2 ? TrialState::open : TrialState::finished);
  }
  const int before = toy.loads;
  const Exploration gathered = explore(toy);
  EXPECT_EQ(toy.loads, before);
  EXPECT_EQ(gathered.trials[1].record.state, TrialState::finished);
}

TEST(Explore, HopelessTrialsStopAndStayStopped) {
  const TemporaryFolder folder;
  Toy toy(folder.path());
  toy.setup.options.max_trials = 2;
  toy.setup.options.per_budget = 0;
  toy.setup.options.stop_margin = 0;
  // A penalty and rates so small that the trial is the dense network projected at once.
  toy.setup.config.stages[1].admm.rho = toy.setup.config.stages[1].admm.rho_final = 1e-9;
  for (const std::size_t stage : {1U, 2U})
    toy.setup.config.stages[stage].optimiser.learning_rate = 1e-9;
  const Exploration exploration = explore(toy);
  const ExploredTrial& trial = exploration.trials.at(0);
  ASSERT_EQ(trial.record.state, TrialState::stopped)
      << trial.record.name << ": " << trial.record.dev_per << " with a limit of "
      << exploration.limit;
  EXPECT_EQ(trial.record.epoch, 2);
  EXPECT_THAT(trial.dropped, HasSubstr("given up: dev PER"));
  EXPECT_EQ(exploration.platforms[0].chosen, "");
  EXPECT_THAT(why_no_design(exploration), HasSubstr("--per-budget of"));
  Toy again(folder.path());
  again.setup = toy.setup;
  again.setup.load = []() -> TrainingData { throw std::logic_error("nothing should be trained"); };
  EXPECT_EQ(explore(again).trials[0].record.state, TrialState::stopped);
  // Epochs of another template are none of this one's, whether the trial was given up or cut off.
  Toy changed(folder.path());
  changed.setup = again.setup;
  changed.setup.config.stages[2].optimiser.learning_rate = 0.01;
  for (const bool recorded : {true, false}) {
    if (!recorded) fs::remove(folder.path() / "trials" / trial.record.name / "trial.json");
    try {
      explore(changed);
      FAIL() << "accepted";
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("stage.optimiser.learning_rate is "));
      EXPECT_THAT(error.what(), HasSubstr("circulant"));
    }
  }
  // With another budget it goes on from where it was.
  again.setup.options.per_budget = 100;
  again.setup.load = [] { return toy::data(); };
  const Exploration resumed = explore(again);
  EXPECT_EQ(resumed.trials[0].record.state, TrialState::finished);
  EXPECT_EQ(resumed.trials[0].record.epoch, 4);
}

TEST(Explore, OtherCellsAreCounted) {
  const TemporaryFolder folder;
  Toy toy(folder.path());
  toy.setup.options.max_trials = 4;
  toy.setup.options.cells = {LayerType::lstm, LayerType::gru};
  const Exploration exploration = explore(toy);
  ASSERT_EQ(exploration.cells.size(), 2U);
  ASSERT_EQ(exploration.trials.size(), 2U);
  EXPECT_EQ(exploration.trials[1].record.cell, "gru");
  EXPECT_EQ(folders_in(folder.path() / "trials").size(), 2U);
  toy.setup.options.max_trials = 3;
  EXPECT_THROW(Explorer{toy.setup}, UsageError);
}

TEST(Explore, RefusesJoinedFramesByNameBeforeItTrains) {
  const TemporaryFolder folder;
  Toy toy(folder.path());
  LayerOptions joining;
  joining.type = LayerType::feedforward;
  joining.size = 16;
  joining.offsets = {-2, 0};
  toy.setup.config.model.layers.push_back(joining);
  const std::string place =
      "model.layers." + std::to_string(toy.setup.config.model.layers.size() - 1) + ".offsets";
  try {
    Explorer(toy.setup).propose();
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr(place + ": found 2 frames, expected 0 alone"));
  }
  // Nor are there networks of such layers alone to explore.
  toy.setup.config.model.layers = {joining};
  EXPECT_THROW(Explorer{toy.setup}, UsageError);
  EXPECT_EQ(toy.loads, 0);
}

TEST(Explore, RefusesADeviceWithoutRoomBeforeItTrains) {
  const TemporaryFolder folder;
  Toy toy(folder.path());
  Platform platform = test_platform();
  platform.dsp = 3;
  toy.setup.tables = {DatapathTable(platform)};
  Explorer explorer(toy.setup);
  EXPECT_THROW(explorer.propose(), UsageError);
  EXPECT_EQ(toy.loads, 0);
  // Beside one that has room it is a result.
  toy.setup.tables.emplace_back(test_platform());
  toy.setup.labels = {"tiny", "roomy"};
  toy.setup.options.max_trials = 2;
  const Exploration exploration = explore(toy);
  EXPECT_EQ(exploration.platforms[0].chosen, "");
  EXPECT_THAT(exploration.platforms[0].designs.at(0).refusal, HasSubstr("DSP blocks are needed"));
  EXPECT_NE(exploration.platforms[1].chosen, "");
  // What was chosen under the same name before does not stay.
  const fs::path former = folder.path() / "roomy";
  ASSERT_TRUE(fs::exists(former / "design.yaml"));
  write_file(former / "notes.txt", "mine");
  toy.setup.labels = {"roomy", "large"};
  explore(toy);
  for (const char* file : {"design.yaml", "config.yaml", "folds.yaml"}) {
    EXPECT_FALSE(fs::exists(former / file)) << file;
    EXPECT_TRUE(fs::exists(folder.path() / "large" / file)) << file;
  }
  EXPECT_TRUE(fs::exists(former / "notes.txt"));
}

}  // namespace
}  // namespace ernn
