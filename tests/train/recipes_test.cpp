// The recipes in configs/: every stage of each begins, on tones and with small layers, so that no
// recipe falls behind the options.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "tests/support/temporary_folder.h"
#include "tests/support/tone_corpus.h"
#include "tests/train/same_run.h"
#include "train/run.h"
#include "train/stage_method.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;

const fs::path kConfigs = fs::path(ERNN_SOURCE_DIR) / "configs";

std::vector<std::string> recipes() {
  std::vector<std::string> names;
  for (const char* folder : {"", "timit"}) {
    for (const auto& entry : fs::directory_iterator(kConfigs / folder)) {
      if (entry.path().extension() == ".yaml")
        names.push_back((fs::path(folder) / entry.path().filename()).string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

RunConfig load(const std::string& recipe, const std::vector<std::string>& sets = {}) {
  return load_run_config(kConfigs / recipe, sets);
}

/// What every stage hands on, at the recipe's own sizes.
std::map<std::string, ModelOptions> networks(const RunConfig& config) {
  std::map<std::string, ModelOptions> results;
  for (const auto& stage : config.stages) {
    const bool fresh = stage.from.empty() || stage.from == kFromNothing;
    results[stage.name] =
        make_stage_method(stage)->result(fresh ? complete_model(config) : results.at(stage.from));
  }
  return results;
}

class Recipe : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Configs, Recipe, testing::ValuesIn(recipes()), [](const auto& info) {
  std::string name = fs::path(info.param).replace_extension().string();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char letter) { return std::isalnum(letter) == 0; },
      '_');
  return name;
});

TEST_P(Recipe, TrainsEveryStage) {
  const TemporaryFolder folder;
  const fs::path corpus = folder.path() / "TIMIT";
  add_tone_speech(corpus, "TRAIN", "FAAA0", 2, 0.5);
  add_tone_speech(corpus, "TEST", "FAKS0", 1, 0.5);  // one of Kaldi's dev speakers
  add_tone_speech(corpus, "TEST", "FELC0", 1, 0.5);  // of the core test set
  RunConfig config = load(GetParam(), {"data.root=" + corpus.string()});
  // Where a recipe names speakers, they are those of its own corpus.
  config.data.dev_speakers.clear();
  config.data.test_speakers.clear();
  EXPECT_EQ(networks(config).size(), config.stages.size()) << "sizes that do not suit";
  for (auto& layer : config.model.layers) {
    layer.size = std::min(layer.size, 64);  // a multiple of every block size
    layer.projection = std::min(layer.projection, 32);
  }
  for (auto& stage : config.stages) stage.max_steps = 1;
  RunOptions options;
  options.out = folder.path() / "run";
  options.quiet = true;
  const auto rows = run_training(config, options,
                                 [&] { return load_training_data(config, *options.group, true); });
  ASSERT_EQ(rows.size(), config.stages.size());
  const auto lines = metrics(options.out);
  ASSERT_EQ(lines.size(), config.stages.size()) << "one epoch of one step each";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].name, config.stages[i].name);
    EXPECT_EQ(lines[i]["stage"], config.stages[i].name);
    EXPECT_GT(rows[i].tokens, 0);
  }
}

// They have more stages than are worth a step each here, of kinds that the recipes above train.
TEST(StudyConfigs, LoadAndSuit) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kConfigs / "study")) {
    const RunConfig config = load(fs::path("study") / entry.path().filename());
    EXPECT_EQ(networks(config).size(), config.stages.size()) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 3);
}

TEST(TimitRecipes, HaveTheSizesThatTheyAreNamedAfter) {
  const auto sixteenth = networks(load("timit/lowest_per_16x.yaml"));
  EXPECT_GE(parameter_count(sixteenth.at("dense")),
            16 * parameter_count(sixteenth.at("circulant-16x")));
  for (const char* recipe : {"timit/lstm.yaml", "timit/gru.yaml"}) {
    const auto results = networks(load(recipe));
    for (const int k : {8, 16}) {
      const ModelOptions& model = results.at("circulant-k" + std::to_string(k));
      ASSERT_EQ(model.layers.size(), 2U) << recipe;
      for (const LayerOptions& layer : model.layers) EXPECT_EQ(layer.size, 1024) << recipe;
      for (const MatrixShape& shape : matrix_shapes(model))
        EXPECT_EQ(shape.block, shape.name == "output.input" ? 1 : k) << recipe << " " << shape.name;
    }
  }
}

}  // namespace
}  // namespace ernn
