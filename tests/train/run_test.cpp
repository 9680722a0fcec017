#include "train/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "admm/constraint_set.h"
#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/tensor_file.h"
#include "base/text.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/same_run.h"
#include "tests/train/toy.h"
#include "train/evaluate.h"
#include "train/losses.h"
#include "train/metrics.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// What a power cut looks like from inside.
struct PowerCut {};

RunOptions options_for(const std::filesystem::path& out, bool resume) {
  RunOptions options;
  options.out = out;
  options.resume = resume;
  options.quiet = true;
  return options;
}

std::vector<SummaryRow> train(
    const RunConfig& config, const std::filesystem::path& out, bool resume = false,
    std::function<bool()> stop = [] { return false; }, double scatter = 0.3) {
  RunOptions options = options_for(out, resume);
  options.stop = std::move(stop);
  return run_training(config, options, [&] { return toy::data(scatter); });
}

/// Calls `act` after the given number of optimiser steps.
std::function<bool()> after_steps(int steps, const std::function<bool()>& act) {
  // Shared, because every stage gets a copy of the function.
  return [left = std::make_shared<int>(steps), act] { return --*left == 0 ? act() : false; };
}

template <class Expected>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  }
  return "(no such error)";
}

constexpr const char* kTwoStages = R"(
stages:
  - {name: dense, epochs: 3}
  - {name: admm, type: admm, epochs: 4, block: {input: 4, recurrent: 4, projection: 4},
     schedule: {type: constant}, admm: {rho: 1, rho_final: 300, update_interval: 3}}
  - {name: circulant, type: circulant, epochs: 2}
)";

TEST(Run, LayersCanHaveBlockSizesOfTheirOwn) {
  const std::string stages = R"(
stages:
  - {name: dense, epochs: 1}
  - {name: admm, type: admm, epochs: 1, block: {input: 4, recurrent: 2}, output_block: 2,
     layer_blocks: [{recurrent: 8}, {input: 2, projection: 1}]}
  - {name: circulant, type: circulant, epochs: 1}
)";
  const std::vector<std::string> two = {
      "model.layers=[{type: lstm, size: 16, projection: 8}, {type: lstm, size: 16, projection: "
      "8}]"};
  const TemporaryFolder folder;
  train(toy::config(stages, two), folder.path());
  const ModelOptions model =
      load_model(folder.path() / "circulant" / "model.safetensors").model->options();
  std::vector<int> blocks;
  for (const MatrixShape& shape : matrix_shapes(model)) blocks.push_back(shape.block);
  EXPECT_THAT(blocks, testing::ElementsAre(4, 8, 1, 2, 2, 1, 2));
  EXPECT_THAT(message_of<UsageError>([&] { train(toy::config(stages), folder.path() / "one"); }),
              HasSubstr("stage 'admm': layer_blocks: found 2 entries, expected 1"));
}

TEST(Run, LearnsASeparableToy) {
  const TemporaryFolder folder;
  const auto rows = train(
      toy::config("", {"training.epochs=20", "training.schedule.type=constant"}), folder.path());
  const auto lines = metrics(folder.path());
  ASSERT_GE(lines.size(), 3U);
  EXPECT_LT(lines.back()["train_loss"], 0.5 * lines.front()["train_loss"].get<double>());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(lines.back()["dev_per"], 0);
  EXPECT_LT(rows[0].per, 8);  // 2 of 34 phones are missed however long it trains
  EXPECT_GT(rows[0].tokens, 30);
  EXPECT_EQ(rows[0].stage, "dense");
  EXPECT_EQ(rows[0].cell, "lstm");
  EXPECT_EQ(rows[0].parameters * 32, rows[0].stored_bits);
}

TEST(Run, SaysWhatShareOfTheTimeItWaitedForData) {
  const TemporaryFolder folder;
  train(toy::config(), folder.path());
  for (const auto& line : metrics(folder.path())) {
    // The first batch of an epoch is always waited for.
    EXPECT_GT(line["data_wait"], 0);
    EXPECT_LT(line["data_wait"], 1);
  }
  EpochRecord record;
  record.data_wait = 0.125;
  EXPECT_THAT(to_text(record, 4), HasSubstr("12.5 % waiting for data"));
}

TEST(Run, LabelDelayIsTakenOffAgain) {
  const TemporaryFolder folder;
  const auto rows =
      train(toy::config("", {"training.epochs=40", "training.schedule.type=constant",
                             "context.label_delay=3", "training.optimiser.learning_rate=0.02"}),
            folder.path());
  EXPECT_LT(rows[0].per, 8);
  EXPECT_LT(metrics(folder.path()).back()["dev_frame_error"], 10);
}

TEST(Run, LearnsByCtcToo) {
  const TemporaryFolder folder;
  const auto rows = train(
      toy::config("", {"training.epochs=60", "training.schedule.type=constant",
                       "context.criterion=ctc", "model.dropout=0", "decoder.type=ctc_greedy",
                       "training.optimiser.learning_rate=0.02"}),
      folder.path(), false, [] { return false; }, /*scatter=*/0.15);
  EXPECT_LT(rows[0].per, 15);
  EXPECT_FALSE(metrics(folder.path()).back().contains("dev_frame_error"));
}

TEST(Run, SavesTheBestEpochOnDev) {
  const TemporaryFolder folder;
  // A rate so large that epochs go up and down.
  const RunConfig config =
      toy::config("", {"training.epochs=8", "training.schedule.type=constant",
                       "training.schedule.metric=loss", "training.optimiser.learning_rate=0.4"});
  train(config, folder.path());
  double best = 1e9;
  const auto lines = metrics(folder.path());
  for (const auto& line : lines) best = std::min(best, line["dev_loss"].get<double>());
  ASSERT_GT(lines.back()["dev_loss"], best) << "the last epoch should not be the best here";
  const LoadedModel loaded = load_model(folder.path() / "dense/model.safetensors");
  const SplitResult dev = evaluate(loaded.model, toy::data().dev, loaded.context, 4);
  EXPECT_NEAR(dev.loss, best, 1e-9);
  EXPECT_EQ(loaded.context.stage, "dense");
  EXPECT_EQ(loaded.context.seed, 3);
}

TEST(Run, TheAverageOfTheParametersIsWhatIsScoredAndHandedOn) {
  const TemporaryFolder folder;
  // A rate so large that parameters jump about; without the average the loss is another one.
  const std::vector<std::string> sets = {"training.epochs=3", "training.schedule.type=constant",
                                         "training.schedule.metric=loss",
                                         "training.optimiser.learning_rate=0.1", "model.dropout=0"};
  auto averaged = sets;
  averaged.emplace_back("training.average=0.9");
  train(toy::config("", sets), folder.path() / "plain");
  train(toy::config("", averaged), folder.path() / "averaged");
  const auto plain = metrics(folder.path() / "plain");
  const auto lines = metrics(folder.path() / "averaged");
  EXPECT_EQ(lines[0]["train_loss"], plain[0]["train_loss"]) << "the steps are the same";
  EXPECT_NE(lines[0]["dev_loss"], plain[0]["dev_loss"]);
  double best = 1e9;
  for (const auto& line : lines) best = std::min(best, line["dev_loss"].get<double>());
  const LoadedModel loaded = load_model(folder.path() / "averaged/dense/model.safetensors");
  EXPECT_NEAR(evaluate(loaded.model, toy::data().dev, loaded.context, 4).loss, best, 1e-9);
}

constexpr const char* kTaught = R"(
stages:
  - {name: dense, epochs: 3}
  - {name: alone, from: none, epochs: 2}
  - {name: taught, from: none, epochs: 2, distillation: {teacher: dense, weight: 0.75, temperature: 2}}
)";

// At a rate that moves nothing, an epoch's loss is that of one model: the labels' part and the
// teacher's, each of which can be computed without the trainer.
TEST(Run, AStageLearnsFromATeacherAsWell) {
  const TemporaryFolder folder;
  const std::vector<std::string> still = {"model.dropout=0", "stages.2.optimiser.type=sgd",
                                          "stages.2.optimiser.learning_rate=1e-12",
                                          "stages.2.label_smoothing=0.1", "stages.2.epochs=1"};
  train(toy::config(kTaught, still), folder.path());
  AcousticModel teacher = load_model(folder.path() / "dense" / "model.safetensors").model;
  AcousticModel student = load_model(folder.path() / "taught" / "model.safetensors").model;
  teacher->eval();
  student->eval();
  const TrainingData data = toy::data();
  double sum = 0;
  double count = 0;
  for (const auto& indices : plan_batches(data.train, 4)) {
    const Batch batch = make_batch(data.train, indices, 0);
    const torch::NoGradGuard no_grad;
    const auto logits = student->forward(batch.features, batch.lengths);
    const auto taught = teacher->forward(batch.features, batch.lengths);
    sum += 0.25 * frame_loss(logits, batch, 0.1).sum.item<double>() +
           0.75 * distillation_loss(logits, taught, batch, 2).sum.item<double>();
    count += static_cast<double>(batch.target_frames);
  }
  EXPECT_NEAR(metrics(folder.path()).back()["train_loss"], sum / count, 1e-5);
}

// The teacher carries its state from piece to piece as the student does: pieces add up.
TEST(Run, ATeacherRemembersTheUtteranceWhenItIsTruncated) {
  std::map<int, double> losses;
  for (const int truncate : {0, 7}) {
    const TemporaryFolder folder;
    train(toy::config(kTaught, {"model.dropout=0", "stages.2.optimiser.type=sgd",
                                "stages.2.optimiser.learning_rate=1e-12", "stages.2.epochs=1",
                                "stages.2.truncate=" + std::to_string(truncate)}),
          folder.path());
    losses[truncate] = metrics(folder.path()).back()["train_loss"];
  }
  EXPECT_NEAR(losses[7], losses[0], 1e-5);
}

TEST(Run, ATaughtStageDependsOnItsTeacher) {
  const TemporaryFolder folder;
  train(toy::config(kTaught), folder.path());
  const auto model = folder.path() / "taught" / "model.safetensors";
  const std::string taught = read_file(model);
  // Interrupted in its middle, it goes on to the same bits.
  std::filesystem::remove_all(folder.path() / "taught");
  const auto power_cut = []() -> bool { throw PowerCut(); };
  EXPECT_THROW(train(toy::config(kTaught), folder.path(), true, after_steps(8, power_cut)),
               PowerCut);
  train(toy::config(kTaught), folder.path(), true);
  EXPECT_EQ(read_file(model), taught);
  // Another teacher under the name is noticed, a missing one too.
  std::filesystem::copy_file(folder.path() / "alone" / "model.safetensors",
                             folder.path() / "dense" / "model.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(message_of<DataError>([&] { train(toy::config(kTaught), folder.path(), true); }),
              HasSubstr("started or learns from has been trained again"));
  std::filesystem::remove_all(folder.path() / "dense");
  RunOptions options = options_for(folder.path(), true);
  options.stages = {"taught"};
  EXPECT_THAT(message_of<UsageError>(
                  [&] { run_training(toy::config(kTaught), options, [] { return toy::data(); }); }),
              HasSubstr("not there, but stage 'taught' learns from it; train 'dense' first"));
}

// What it starts from was trained by the same configuration, named in --stages or not.
TEST(Run, AStageBehindOneOfAnotherConfigurationIsRefused) {
  const TemporaryFolder folder;
  RunOptions options = options_for(folder.path(), true);
  const auto train_only = [&](const std::string& stage, const std::vector<std::string>& sets) {
    options.stages = {stage};
    run_training(toy::config(kTwoStages, sets), options, [] { return toy::data(); });
  };
  train_only("dense", {});
  EXPECT_THAT(message_of<DataError>([&] { train_only("admm", {"model.dropout=0.4"}); }),
              AllOf(HasSubstr("dense/checkpoint.safetensors"), HasSubstr("model.dropout"),
                    HasSubstr("and 0.4 here")));
  EXPECT_THAT(message_of<DataError>([&] { train_only("admm", {"stages.0.epochs=7"}); }),
              AllOf(HasSubstr("dense/checkpoint.safetensors"), HasSubstr("stage.epochs")));
  train_only("admm", {});
  EXPECT_THAT(message_of<DataError>([&] { train_only("circulant", {"stages.0.epochs=7"}); }),
              HasSubstr("dense/checkpoint.safetensors"));
}

// Data that lies elsewhere now is the same data; other data is not, wherever it lies.
TEST(Run, GoesOnWithDataThatHasMoved) {
  const TemporaryFolder folder;
  RunOptions options = options_for(folder.path(), true);
  const auto train_in = [&](const std::string& root, const TrainingData& data) {
    run_training(toy::config(kTwoStages, {"data.root=" + root,
                                          "data.dev_speakers=[" + root + "/dev_speakers.txt]"}),
                 options, [&] { return data; });
  };
  train_in("/scratch/1", toy::data());
  const auto model = folder.path() / "circulant" / "model.safetensors";
  const std::string whole = read_file(model);
  train_in("/scratch/2", toy::data());
  TrainingData other = toy::data();
  other.dev = toy::data().test;
  EXPECT_THAT(message_of<DataError>([&] { train_in("/scratch/3", other); }),
              AllOf(HasSubstr("belongs to other data: there 24 utterances with digest"),
                    HasSubstr("here 24 utterances"), HasSubstr("set data.root")));
  // In the middle of a stage, too.
  std::filesystem::remove_all(folder.path() / "circulant");
  options.stop = after_steps(3, [] { return true; });
  EXPECT_THROW(train_in("/scratch/1", toy::data()), Error);
  options.stop = [] { return false; };
  train_in("/scratch/2", toy::data());
  EXPECT_EQ(read_file(model), whole);
  EXPECT_THROW(train_in("/scratch/3", other), DataError);
}

// An option that a later version has is as by default in a checkpoint without it.
TEST(Run, GoesOnBehindAVersionWithFewerOptions) {
  const TemporaryFolder folder;
  train(toy::config(), folder.path());
  const auto path = folder.path() / "dense" / "checkpoint.safetensors";
  const auto forget = [&](const std::string& part, const std::string& name) {
    TensorFile file = TensorFile::load(path);
    nlohmann::json options = nlohmann::json::parse(file.metadata.at(part));
    const nlohmann::json::json_pointer option(name);
    options.at(option.parent_pointer()).erase(option.back());
    file.metadata[part] = options.dump();
    file.save(path);
  };
  forget("stage", "/label_smoothing");
  forget("run", "/data/speeds");
  forget("model", "/layers/0/cell_clip");
  // One that only earlier versions have.
  TensorFile file = TensorFile::load(path);
  nlohmann::json position = nlohmann::json::parse(file.metadata.at("position"));
  position["metrics_bytes"] = 2310;
  file.metadata["position"] = position.dump();
  file.save(path);
  train(toy::config(), folder.path(), true);
  EXPECT_THAT(message_of<DataError>([&] {
                train(toy::config("", {"training.label_smoothing=0.1"}), folder.path(), true);
              }),
              HasSubstr("stage.label_smoothing is 0 there and 0.1 here"));
}

TEST(Run, SameSeedSameModelOtherSeedOtherModel) {
  const TemporaryFolder folder;
  train(toy::config(kTwoStages), folder.path() / "a");
  torch::manual_seed(12345);
  train(toy::config(kTwoStages), folder.path() / "b");
  expect_same_run(folder.path() / "a", folder.path() / "b", {"dense", "admm", "circulant"});
  train(toy::config("", {"seed=4"}), folder.path() / "c");
  EXPECT_NE(read_file(folder.path() / "a/dense/model.safetensors"),
            read_file(folder.path() / "c/dense/model.safetensors"));
}

TEST(Run, AdmmEndsOnTheCirculantSet) {
  const TemporaryFolder folder;
  const auto rows = train(toy::config(kTwoStages, {"stages.1.epochs=12"}), folder.path());
  std::vector<nlohmann::json> admm;
  for (const auto& line : metrics(folder.path())) {
    if (line["type"] == "admm") admm.push_back(line);
  }
  ASSERT_EQ(admm.size(), 12U);
  ASSERT_EQ(admm[0]["admm"].size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& first = admm.front()["admm"][i];
    const auto& last = admm.back()["admm"][i];
    EXPECT_EQ(first["matrix"], last["matrix"]);
    EXPECT_LT(last["distance"], 0.1 * first["distance"].get<double>()) << last["matrix"];
    EXPECT_LT(last["distance"], 0.02) << last["matrix"];
  }
  // The iterate is close to the set, so projecting it changes little.
  EXPECT_NEAR(admm.back()["projected_dev_per"], admm.back()["dev_per"], 3);
  const LoadedModel loaded = load_model(folder.path() / "admm/model.safetensors");
  for (const auto& matrix : loaded.model->matrices()) {
    if (matrix.shape.name == "output.input") continue;
    EXPECT_EQ(matrix.shape.block, 4) << matrix.shape.name;
    const torch::Tensor dense = matrix.matrix->dense().detach();
    EXPECT_TRUE(torch::allclose(dense, BlockCirculantSet(4).project(dense), 0, 1e-7));
  }
  // The row is that of the projected model.
  const SplitResult test = evaluate(loaded.model, toy::data().test, loaded.context, 4);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].stage, "admm");
  EXPECT_EQ(rows[1].block_size, 4);
  EXPECT_EQ(rows[1].per, test.scores.total.per());
  EXPECT_LT(rows[1].parameters, rows[0].parameters);
  EXPECT_EQ(rows[2].parameters, rows[1].parameters);
}

struct ResumeCase {
  std::string name;
  int steps;  ///< before the interruption; 6 an epoch
  std::vector<std::string> sets;
};

class Resume : public testing::TestWithParam<ResumeCase> {};

TEST_P(Resume, AfterAPowerCutEqualsOneRun) {
  const TemporaryFolder folder;
  const RunConfig config = toy::config(kTwoStages, GetParam().sets);
  train(config, folder.path() / "straight");
  const auto cut = [&] {
    train(config, folder.path() / "cut", false,
          after_steps(GetParam().steps, []() -> bool { throw PowerCut{}; }));
  };
  EXPECT_THROW(cut(), PowerCut);
  // The cut may come between an epoch's line and its checkpoint: the line must not stay, nor half a
  // line.
  std::ofstream lines(folder.path() / "cut/metrics.jsonl", std::ios::app);
  for (const std::string stage : {"dense", "admm", "circulant"}) {
    if (!std::filesystem::exists(folder.path() / "cut" / stage / "model.safetensors"))
      lines << R"({"stage": ")" << stage << R"(", "epoch": 99})" << '\n';
  }
  lines << "{\"stage\": ";
  lines.close();
  torch::manual_seed(999);
  train(config, folder.path() / "cut", true);
  expect_same_run(folder.path() / "straight", folder.path() / "cut",
                  {"dense", "admm", "circulant"});
}

TEST_P(Resume, AfterAnInterruptEqualsOneRun) {
  const TemporaryFolder folder;
  const RunConfig config = toy::config(kTwoStages, GetParam().sets);
  train(config, folder.path() / "straight");
  const auto interrupted = [&] {
    train(config, folder.path() / "cut", false, after_steps(GetParam().steps, [] { return true; }));
  };
  try {
    interrupted();
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_status(), 130);
    EXPECT_THAT(error.what(), HasSubstr("--resume"));
  }
  torch::manual_seed(999);
  train(config, folder.path() / "cut", true);
  expect_same_run(folder.path() / "straight", folder.path() / "cut",
                  {"dense", "admm", "circulant"});
}

INSTANTIATE_TEST_SUITE_P(
    , Resume,
    testing::Values(
        ResumeCase{"Adam", 15, {}},
        ResumeCase{"SgdMomentum",
                   9,
                   {"training.optimiser.type=sgd", "training.optimiser.learning_rate=0.3"}},
        ResumeCase{"FirstEpoch", 4, {"training.feature_noise=0.3"}},
        ResumeCase{"InsideAdmm", 18 + 16, {"training.feature_noise=0.2"}},
        ResumeCase{"InsideCirculant", 18 + 24 + 9, {}},
        ResumeCase{"NewbobRestores",
                   17,
                   {"training.optimiser.learning_rate=0.3", "training.schedule.metric=loss"}},
        // No step is left in the epoch, but its evaluation.
        ResumeCase{"LastStep", 13, {"training.max_steps=13"}},
        ResumeCase{"Cosine", 14, {"training.schedule.type=cosine"}},
        ResumeCase{"Averaged", 9, {"training.average=0.9"}},
        // Inside a batch: its pieces that are left come before the checkpoint.
        ResumeCase{"Truncated", 47, {"training.truncate=5", "training.feature_noise=0.2"}}),
    [](const auto& info) { return info.param.name; });

// Metrics of a stage stay when another one is interrupted, resumed or trained again.
TEST(Run, StagesMayBeInterruptedInTurns) {
  const TemporaryFolder folder;
  const RunConfig config = toy::config("stages: [{name: a}, {name: b, from: none}]\n");
  const auto train_only = [&](const std::string& stage, const std::function<bool()>& stop) {
    RunOptions options = options_for(folder.path(), true);
    options.stages = {stage};
    options.stop = stop;
    run_training(config, options, [] { return toy::data(); });
  };
  const auto never = [] { return false; };
  EXPECT_THROW(train_only("a", after_steps(15, [] { return true; })), Error);
  EXPECT_THROW(train_only("b", after_steps(9, [] { return true; })), Error);
  train_only("a", never);
  train_only("b", never);
  std::filesystem::remove_all(folder.path() / "a");
  train_only("a", never);
  std::map<std::string, std::vector<int>> epochs;
  for (const auto& line : metrics(folder.path())) epochs[line["stage"]].push_back(line["epoch"]);
  EXPECT_EQ(epochs["a"], (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(epochs["b"], (std::vector<int>{1, 2, 3, 4}));
}

TEST(Run, MetricsThatAreLostAreNotPassedOver) {
  const TemporaryFolder folder;
  const RunConfig config = toy::config();
  EXPECT_THROW(train(config, folder.path(), false, after_steps(15, [] { return true; })), Error);
  std::filesystem::remove(folder.path() / "metrics.jsonl");
  EXPECT_THAT(message_of<DataError>([&] { train(config, folder.path(), true); }),
              HasSubstr("found 0 epochs of stage 'dense', expected 2"));
}

TEST(Run, TwoTrainingsInOneFolderAreRefused) {
  const TemporaryFolder folder;
  FileLock other(folder.path() / ".lock");
  ASSERT_TRUE(other.try_take());
  EXPECT_THAT(message_of<UsageError>([&] { train(toy::config(), folder.path()); }),
              HasSubstr("another training works on this folder"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "config.yaml"));
}

// The loss of the last step says nothing of what the step did.
TEST(Run, ParametersThatAreNotFiniteEndTheStage) {
  const TemporaryFolder folder;
  const auto config = toy::config(
      "", {"training.max_steps=1", "training.optimiser.type=sgd",
           "training.optimiser.learning_rate=3e38", "training.optimiser.weight_decay=1000"});
  EXPECT_THAT(message_of<DataError>([&] { train(config, folder.path()); }),
              AllOf(HasSubstr("stage dense, epoch 1, step 1: "), HasSubstr("not finite"),
                    HasSubstr("lower the stage's optimiser.learning_rate")));
}

TEST(Run, FinishedStagesAreSkipped) {
  const TemporaryFolder folder;
  train(toy::config(kTwoStages), folder.path());
  const RunOptions options = options_for(folder.path(), true);
  const auto rows = run_training(toy::config(kTwoStages), options, []() -> TrainingData {
    throw std::logic_error("nothing is left to train");
  });
  EXPECT_EQ(rows.size(), 3U);
}

TEST(Run, WhatComesAfterTrainingMayChangeInAFinishedRun) {
  const TemporaryFolder folder;
  train(toy::config("", {"training.max_steps=2"}), folder.path());
  const std::string model = read_file(folder.path() / "dense/model.safetensors");
  train(toy::config("", {"training.max_steps=2", "export.bits=7"}), folder.path(), true);
  EXPECT_EQ(load_run_config(folder.path() / "config.yaml", {}).export_options.bits, 7);
  EXPECT_EQ(read_file(folder.path() / "dense/model.safetensors"), model);
  // A configuration that the folder does not belong to leaves it as it is.
  const auto other = toy::config("", {"training.max_steps=2", "seed=4", "export.bits=9"});
  EXPECT_THROW(train(other, folder.path(), true), DataError);
  EXPECT_EQ(load_run_config(folder.path() / "config.yaml", {}).export_options.bits, 7);
}

TEST(Run, StagesCanBeTrainedOneByOne) {
  const TemporaryFolder folder;
  train(toy::config(kTwoStages), folder.path() / "straight");
  RunOptions options = options_for(folder.path() / "single", false);
  const auto run = [&](const std::string& stage) {
    options.stages = {stage};
    run_training(toy::config(kTwoStages), options, [] { return toy::data(); });
    options.resume = true;
  };
  EXPECT_THAT(message_of<UsageError>([&] { run("admm"); }), HasSubstr("train 'dense' first"));
  EXPECT_THAT(message_of<UsageError>([&] { run("dens"); }), HasSubstr("did you mean 'dense'"));
  for (const char* stage : {"dense", "admm", "circulant"}) run(stage);
  expect_same_run(folder.path() / "straight", folder.path() / "single",
                  {"dense", "admm", "circulant"});
}

TEST(Run, AFolderIsNoRunWithoutItsData) {
  const TemporaryFolder folder;
  const RunOptions options = options_for(folder.path(), false);
  const auto missing = []() -> TrainingData { throw DataError("no such folder"); };
  EXPECT_THROW(run_training(toy::config(), options, missing), DataError);
  EXPECT_EQ(train(toy::config("", {"training.max_steps=2"}), folder.path()).size(), 1U);
}

TEST(Run, AFolderWithARunIsNotOverwritten) {
  const TemporaryFolder folder;
  train(toy::config("", {"training.max_steps=2"}), folder.path());
  EXPECT_THAT(message_of<UsageError>([&] { train(toy::config(), folder.path()); }),
              HasSubstr("--resume"));
}

TEST(Run, ACheckpointOfAnotherConfigurationIsRefused) {
  const TemporaryFolder folder;
  train(toy::config("", {"training.max_steps=2"}), folder.path());
  const auto refusal = [&](const std::string& set) {
    return message_of<DataError>([&] {
      train(toy::config("", {"training.max_steps=2", set}), folder.path(), true);
    });
  };
  EXPECT_THAT(refusal("model.layers.0.size=24"),
              HasSubstr("model.layers.0.size is 16 there and 24 here"));
  EXPECT_THAT(refusal("model.layers=[{type: gru, size: 16}]"),
              HasSubstr("model.layers.0.projection is 8 there and 0 here"));
  EXPECT_THAT(refusal("seed=4"), HasSubstr("seed is 3 there and 4 here"));
  EXPECT_THAT(refusal("training.batch=3"), HasSubstr("stage.batch is 4 there and 3 here"));
  EXPECT_EQ(refusal("training.max_steps=2"), "(no such error)");
}

TEST(Run, ABrokenCheckpointIsRefusedByName) {
  const TemporaryFolder folder;
  train(toy::config("", {"training.max_steps=2"}), folder.path());
  const auto path = folder.path() / "dense/checkpoint.safetensors";
  const std::string bytes = read_file(path);
  write_file(path, bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(message_of<DataError>(
                  [&] { train(toy::config("", {"training.max_steps=2"}), folder.path(), true); }),
              HasSubstr("checkpoint.safetensors"));
}

TEST(Run, ARetrainedPredecessorInvalidatesItsSuccessors) {
  const TemporaryFolder folder;
  train(toy::config(kTwoStages), folder.path());
  std::filesystem::remove_all(folder.path() / "dense");
  const std::string message = message_of<DataError>([&] {
    train(toy::config(kTwoStages, {"stages.0.optimiser.learning_rate=0.02"}), folder.path(), true);
  });
  EXPECT_THAT(message, AllOf(HasSubstr("admm"), HasSubstr("trained again")));
}

TEST(Run, ALossThatIsNotFiniteStopsByName) {
  const TemporaryFolder folder;
  const std::string stages = R"(
stages:
  - {name: dense, epochs: 2}
  - {name: wild, epochs: 2, clip_norm: 0, optimiser: {type: sgd, learning_rate: 1e38}}
)";
  const std::string message =
      message_of<DataError>([&] { train(toy::config(stages), folder.path()); });
  EXPECT_THAT(message, AllOf(HasSubstr("stage wild, epoch 1, step "), HasSubstr("1e+38"),
                             HasSubstr("nan"), HasSubstr("learning_rate")));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  // What was finished stays, and the stage can be given another rate.
  std::filesystem::remove_all(folder.path() / "wild");
  const auto rows =
      train(toy::config(stages, {"stages.1.optimiser.learning_rate=0.01"}), folder.path(), true);
  EXPECT_EQ(rows.size(), 2U);
}

TEST(Run, MaxStepsEndsAStage) {
  const TemporaryFolder folder;
  train(toy::config("", {"training.max_steps=8"}), folder.path());
  const auto lines = metrics(folder.path());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["step"], 6);
  EXPECT_EQ(lines[1]["step"], 8);
}

TEST(Run, StepsAddUpAlongTheStages) {
  const TemporaryFolder folder;
  train(toy::config(kTwoStages), folder.path());
  EXPECT_EQ(metrics(folder.path()).back()["step"], 6 * (3 + 4 + 2));
}

TEST(Run, StagesThatDoNotSuitAreRefusedBeforeTraining) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& stages) {
    return message_of<UsageError>([&] { train(toy::config(stages), folder.path()); });
  };
  EXPECT_THAT(refusal("stages: [{name: a, type: densse}]"), HasSubstr("did you mean 'dense'"));
  EXPECT_THAT(refusal("stages: [{name: a, block: {input: 4}}]"), HasSubstr("found block size 4"));
  EXPECT_THAT(refusal("stages: [{name: a}, {name: b, type: admm}]"),
              HasSubstr("stage 'b': no matrix"));
  EXPECT_THAT(refusal("stages: [{name: a}, {name: b, type: circulant, block: {recurrent: 3}}]"),
              HasSubstr("block size 3"));
  EXPECT_THAT(refusal("stages: []"), HasSubstr("at least one stage"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "config.yaml"));
}

TEST(Run, CirculantTrainingCanBeginFromNothing) {
  const TemporaryFolder folder;
  const auto rows = train(
      toy::config("stages: [{name: direct, type: circulant, block: {input: 4, recurrent: 4}}]"),
      folder.path());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].block_size, 4);
}

}  // namespace
}  // namespace ernn
