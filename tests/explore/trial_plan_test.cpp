#include "explore/trial_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "explore/block_places.h"
#include "explore/trial_record.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::HasSubstr;

RunConfig config_with(const std::string& stages) {
  return parse_run_config(R"(
name: plan
data: {phones: timit39}
model:
  inputs: 12
  layers: [{type: lstm, size: 32, projection: 16, block: {input: 4}}, {type: lstm, size: 16}]
training: {epochs: 7, batch: 4}
stages:
)" + stages,
                          "plan.yaml");
}

constexpr const char* kStages = R"(
  - {name: base, type: dense, epochs: 3}
  - {name: pull8, type: admm, from: base, block: {input: 8}, admm: {rho: 5}}
  - {name: pull4, type: admm, from: base, block: {input: 4}}
  - {name: back4, type: circulant, from: pull4, epochs: 9}
  - {name: back8, type: circulant, from: pull8, epochs: 5, feature_noise: 0.25}
)";

std::string message_of(const std::string& stages) {
  try {
    find_trial_stages(config_with(stages));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(TrialPlan, TakesTheFirstAdmmStageAndWhatGoesWithIt) {
  const TrialStages stages = find_trial_stages(config_with(kStages));
  EXPECT_EQ(stages.dense.epochs, 3);
  EXPECT_EQ(stages.admm.admm.rho, 5);
  EXPECT_EQ(stages.circulant.epochs, 5);
  EXPECT_EQ(stages.circulant.feature_noise, 0.25);
}

TEST(TrialPlan, AdmmMayStartFromNothing) {
  const TrialStages stages = find_trial_stages(config_with(R"(
  - {name: pull, type: admm, from: none, block: {input: 8}, epochs: 6}
  - {name: back, type: circulant, from: pull}
  - {name: longer, type: dense, from: back, epochs: 4}
  - {name: base, type: dense, from: none, epochs: 3}
)"));
  EXPECT_EQ(stages.dense.epochs, 3) << "one with fresh parameters";
  EXPECT_EQ(stages.admm.from, kFromNothing);
  EXPECT_EQ(stages.admm.epochs, 6);
  EXPECT_EQ(stages.circulant.from, kAdmmStage);
  EXPECT_EQ(find_trial_stages(config_with(kStages)).admm.from, kDenseStage);
}

TEST(TrialPlan, TheDenseStageMayTeach) {
  const std::string back = "  - {name: back, type: circulant, distillation: {teacher: ";
  const std::string first =
      "  - {name: base, type: dense}\n  - {name: more, type: dense}\n"
      "  - {name: pull, type: admm, from: base, block: {input: 4}}\n";
  const TrialStages stages = find_trial_stages(config_with(first + back + "base}}\n"));
  EXPECT_EQ(stages.circulant.distillation.teacher, kDenseStage);
  EXPECT_EQ(stages.admm.distillation.teacher, "");
  EXPECT_THAT(
      message_of(first + back + "more}}\n"),
      HasSubstr("'back' learns from 'more', expected no teacher but the dense stage 'base'"));
}

TEST(TrialPlan, SaysWhichStageIsMissing) {
  EXPECT_THAT(message_of("  - {name: base, type: dense}\n"), HasSubstr("of type admm"));
  EXPECT_THAT(message_of("  - {name: base, type: dense}\n"
                         "  - {name: pull, type: admm, block: {input: 4}}\n"),
              HasSubstr("of type circulant that starts from 'pull'"));
  EXPECT_THAT(message_of("  - {name: base, type: circulant, block: {input: 4}}\n"
                         "  - {name: pull, type: admm}\n  - {name: back, type: circulant}\n"),
              HasSubstr("of type dense with fresh parameters that 'pull' starts from"));
  EXPECT_THAT(message_of("  - {name: pull, type: admm, from: none, block: {input: 4}}\n"
                         "  - {name: back, type: circulant}\n"),
              HasSubstr("stages: found none of type dense with fresh parameters, expected one"));
}

TEST(TrialPlan, ConfigurationHasTheChosenBlockSizes) {
  const RunConfig config = config_with(kStages);
  const TrialStages stages = find_trial_stages(config);
  ModelOptions model = with_place_blocks(complete_model(config), {8, 4, 16, 2, 1, 4});
  EXPECT_EQ(trial_name(model), "lstm-i8r4p16-i2r1-o4");
  const RunConfig trial = trial_config(config, stages, model);
  for (const MatrixShape& shape : matrix_shapes(trial.model)) EXPECT_EQ(shape.block, 1);
  ASSERT_EQ(trial.stages.size(), 3U);
  ASSERT_EQ(trial.stages[1].layer_blocks.size(), 2U);
  EXPECT_EQ(trial.stages[1].layer_blocks[0].projection, 16);
  EXPECT_EQ(trial.stages[1].layer_blocks[1].recurrent, 1);
  EXPECT_EQ(trial.stages[1].output_block, 4);
  EXPECT_EQ(trial.stages[2].block.input, 0);

  // A file of it says the same.
  const TemporaryFolder folder;
  save(trial, folder.path() / "trial.yaml");
  const RunConfig again = load_run_config(folder.path() / "trial.yaml");
  EXPECT_EQ(write_options(again).to_yaml(), write_options(trial).to_yaml());
}

TEST(TrialPlan, OtherCellsKeepSizes) {
  const RunConfig config = config_with(kStages);
  const ModelOptions gru = with_cells(complete_model(config), LayerType::gru);
  EXPECT_EQ(cell_of(gru), LayerType::gru);
  EXPECT_EQ(gru.layers[0].size, 32);
  EXPECT_EQ(gru.layers[0].outputs(), 32);
  EXPECT_NO_THROW(validate(gru));
  EXPECT_EQ(trial_name(with_place_blocks(gru, {8, 4, 2, 1, 4})), "gru-i8r4-i2r1-o4");
  // What has these cells already stays as it is.
  EXPECT_EQ(with_cells(complete_model(config), LayerType::lstm).layers[0].projection, 16);
  ModelOptions mixed = gru;
  mixed.layers[1].type = LayerType::lstm;
  EXPECT_THROW(cell_of(mixed), UsageError);
}

TrialRecord record(const char* name, double per, long long numbers, int epoch) {
  TrialRecord one;
  one.name = name;
  one.state = epoch == 10 ? TrialState::finished : TrialState::open;
  one.dev_per = per;
  one.numbers = one.multiplications = numbers;
  one.epoch = epoch;
  one.epochs = 10;
  return one;
}

TEST(TrialRecord, HopelessTrialsAreGivenUp) {
  StopRule rule;
  rule.after = 0.5;
  rule.margin = 2;
  rule.limit = 20;
  EXPECT_THAT(why_hopeless(record("a", 22.5, 100, 5), rule, {}),
              HasSubstr("more than 2.00 points above the budget's 20.00 %"));
  EXPECT_EQ(why_hopeless(record("a", 22.5, 100, 4), rule, {}), "");   // not long enough
  EXPECT_EQ(why_hopeless(record("a", 22.5, 100, 10), rule, {}), "");  // it is over
  EXPECT_EQ(why_hopeless(record("a", 21.9, 100, 5), rule, {}), "");
  const TrialRecord smaller = record("small", 19, 90, 10);
  EXPECT_THAT(why_hopeless(record("a", 21.5, 100, 5), rule, {smaller}),
              HasSubstr("above the smaller small's 19.00 %"));
  EXPECT_EQ(why_hopeless(record("a", 20.9, 100, 5), rule, {smaller}), "");
  EXPECT_EQ(why_hopeless(record("a", 21.5, 80, 5), rule, {smaller}), "");
  EXPECT_EQ(why_hopeless(record("a", 21.5, 100, 5), rule, {record("open", 19, 90, 9)}), "");
}

TEST(TrialRecord, IsKeptInItsFolder) {
  const TemporaryFolder folder;
  EXPECT_FALSE(read_trial(folder.path()));
  TrialRecord one = record("kept", 12.3456789, 77, 10);
  one.reason = "none";
  one.dev_tokens = 1234;
  write_trial(one, folder.path());
  const auto again = read_trial(folder.path());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->dev_per, one.dev_per);
  EXPECT_EQ(again->state, TrialState::finished);
  EXPECT_EQ(again->dev_tokens, 1234);
  write_file(folder.path() / "trial.json", "{\"name\": ");
  EXPECT_THROW(read_trial(folder.path()), DataError);
}

}  // namespace
}  // namespace ernn
