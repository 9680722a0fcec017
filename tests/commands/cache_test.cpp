// data.cache as users meet it: ernn train and ernn eval with features on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/commands/program.h"
#include "tests/support/free_port.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tone_corpus.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

/// A frame a millisecond, so that little speech has large features.
constexpr int kWidth = 153;
constexpr double kFrameBytes = 4 * (kWidth + 1);
constexpr double kSeconds = 4;

class Cache : public testing::Test {
 protected:
  void write_config(const std::string& features, const std::string& training) const {
    write_file(config(), "data: " + tone_data(corpus()) + "\nfeatures: " + features + R"(
model: {dropout: 0.2, layers: [{type: lstm, size: 8}]}
decoder: {type: greedy}
training: )" + training + "\nstages: [{name: dense}]\n");
  }
  /// Two optimiser steps of two utterances each, over long utterances.
  void write_large_config() const {
    write_config("{preset: fbank153, frame_shift_ms: 1}", "{epochs: 1, max_steps: 2, batch: 2}");
  }

  fs::path corpus() const { return folder.path() / "corpus"; }
  fs::path config() const { return folder.path() / "tones.yaml"; }
  fs::path cache() const { return folder.path() / "cache"; }
  fs::path out(const std::string& name) const { return folder.path() / name; }

  std::vector<std::string> train_arguments(const std::string& name,
                                           const std::vector<std::string>& sets) const {
    std::vector<std::string> arguments = {"train", "--config",         config().string(),
                                          "--out", out(name).string(), "--quiet"};
    for (const auto& set : sets) arguments.insert(arguments.end(), {"--set", set});
    return arguments;
  }
  std::string cached() const { return "data.cache=" + cache().string(); }

  /// Trains and returns the most memory that it took.
  double train(const std::string& name, const std::vector<std::string>& sets) const {
    Program program(train_arguments(name, sets), out(name + ".printed"));
    EXPECT_EQ(program.status(), 0) << program.errors();
    return program.process().peak_bytes();
  }

  TemporaryFolder folder;
};

TEST_F(Cache, ACorpusLargerThanTheMemoryItTakesTrains) {
  if (ERNN_SANITIZED) GTEST_SKIP() << "sanitizers keep freed memory";
  make_tone_corpus(corpus(), 20, kSeconds);
  write_large_config();
  // As many utterances of each split as a run holds of a larger one: the batch that is computed
  // with, two that wait and the one that is built (train/batch_queue.h), of two utterances each.
  const double few = train("few", {cached(), "data.limit=8"});
  const double all = train("all", {cached()});
  const double again = train("again", {cached()});
  const double memory = train("memory", {});
  const double features = 60 * kSeconds * 1000 * kFrameBytes;
  ASSERT_GT(features, 100e6);
  EXPECT_LT(all - few, 0.15 * features) << "while the cache is made";
  EXPECT_LT(again - few, 0.15 * features) << "from the cache";
  EXPECT_GT(memory - few, 0.8 * features) << "the measure sees nothing";
  EXPECT_EQ(read_file(out("all") / "dense/model.safetensors"),
            read_file(out("memory") / "dense/model.safetensors"));
}

TEST_F(Cache, AnInterruptWhileItIsMadeLeavesNothing) {
  make_tone_corpus(corpus(), 20, kSeconds);
  write_large_config();
  Program program(train_arguments("run", {cached()}), out("printed"));
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(kPatience);
  const auto is_part = [](const std::string& name) {
    return name.find(".part-") != std::string::npos;
  };
  const auto begun = [&] {
    if (!fs::exists(cache())) return false;
    const auto names = names_in(cache());
    return std::any_of(names.begin(), names.end(), is_part);
  };
  while (!begun() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  program.process().send(SIGTERM);
  EXPECT_EQ(program.status(), 130);
  EXPECT_THAT(program.errors(), HasSubstr("interrupted while the feature cache was made"));
  EXPECT_FALSE(begun()) << "left behind";
}

TEST_F(Cache, EvaluationGivesTheSameScores) {
  make_tone_corpus(corpus(), 4, 1);
  write_config("{preset: mfcc39}", "{epochs: 2, batch: 3}");
  train("run", {});
  const auto eval = [&](const std::string& name, const std::vector<std::string>& sets) {
    std::vector<std::string> arguments = {"eval",
                                          "--run",
                                          out("run").string(),
                                          "--stage",
                                          "dense",
                                          "--write-ark",
                                          (folder.path() / (name + ".ark")).string()};
    for (const auto& set : sets) arguments.insert(arguments.end(), {"--set", set});
    Program program(arguments, out(name + ".printed"));
    EXPECT_EQ(program.status(), 0) << program.errors();
    EXPECT_THAT(program.errors(), HasSubstr("test: 2 utterances of 1 speakers"));
    return program.output();
  };
  const std::string expected = eval("memory", {});
  EXPECT_THAT(expected, HasSubstr("PER"));
  EXPECT_EQ(eval("made", {cached()}), expected);
  EXPECT_EQ(eval("read", {cached()}), expected);
  for (const char* name : {"made.ark", "read.ark"})
    EXPECT_EQ(read_file(folder.path() / name), read_file(folder.path() / "memory.ark"));
  EXPECT_EQ(names_in(cache()).size(), 2U) << "one file and its lock";
}

TEST_F(Cache, SeveralProcessesShareWhatTheFirstOneMakes) {
  if (!ERNN_SEVERAL_PROCESSES) GTEST_SKIP() << "LibTorch was built without Gloo";
  make_tone_corpus(corpus(), 4, 1);
  write_config("{preset: mfcc39}", "{epochs: 2, batch: 3, feature_noise: 0.1}");
  const auto train_together = [&](const std::string& name, const std::vector<std::string>& sets) {
    std::vector<std::unique_ptr<Program>> programs;
    const std::string port = std::to_string(free_port());
    for (const char* rank : {"0", "1"}) {
      programs.push_back(std::make_unique<Program>(
          train_arguments(name, sets), out(name + ".printed" + rank), -1,
          std::map<std::string, std::string>{{"RANK", rank},
                                             {"LOCAL_RANK", rank},
                                             {"WORLD_SIZE", "2"},
                                             {"MASTER_ADDR", "127.0.0.1"},
                                             {"MASTER_PORT", port},
                                             {"TORCHELASTIC_USE_AGENT_STORE", "False"}}));
    }
    std::vector<std::pair<int, std::string>> endings;
    for (auto& program : programs) {
      const int status = program->status();
      endings.emplace_back(status, program->errors());
    }
    return endings;
  };
  for (const auto& [status, errors] : train_together("memory", {})) EXPECT_EQ(status, 0) << errors;
  for (const auto& [status, errors] : train_together("cached", {cached()}))
    EXPECT_EQ(status, 0) << errors;
  EXPECT_EQ(names_in(cache()).size(), 6U) << "a file and its lock for each split";
  EXPECT_EQ(read_file(out("cached") / "dense/model.safetensors"),
            read_file(out("memory") / "dense/model.safetensors"));
  // What goes wrong in the first process ends both.
  write_file(corpus() / "TEST/DR1/FDEV0/SX1.PHN", "0 1000000 h#\n");
  for (const auto& [status, errors] : train_together("broken", {cached()})) {
    EXPECT_EQ(status, 1);
    EXPECT_THAT(errors, HasSubstr("SX1.PHN:1: found a label that ends at sample 1000000"));
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  }
}

}  // namespace
}  // namespace ernn
