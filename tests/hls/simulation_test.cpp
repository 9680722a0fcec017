// From features to phone error rates through emulator, compiled kernel and runtime.
#include "train/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "features/phones.h"
#include "tests/hls/test_projects.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::HasSubstr;

constexpr int kInputs = 6;

ModelContext context() {
  ModelContext context;
  context.mean.assign(kInputs, 0.5);
  context.inverse_std.assign(kInputs, 2.0);
  context.phones = PhoneInventory::timit39;
  context.label_delay = 3;
  context.decoder.type = DecoderType::greedy;
  return context;
}

std::vector<LabelledUtterance> utterances() {
  std::vector<LabelledUtterance> utterances;
  for (const FrameMatrix& features : random_utterances(4, 25, kInputs, 8)) {
    LabelledUtterance utterance;
    utterance.id = "speaker_" + std::to_string(utterances.size());
    utterance.features = features;
    for (auto& value : utterance.features.data) value = 0.5F + 0.5F * value;
    utterance.phones = {1, 2, 3};
    utterances.push_back(utterance);
  }
  return utterances;
}

void write_small_artefact(const std::filesystem::path& folder) {
  write_project(project_model(kInputs, 39, {gru_layer(8, GruReset::before, {4, 4, 1})}, 1), 3, 12,
                folder);
}

void check_agreement(const Artefact& artefact, const KernelProgram& kernel) {
  bool equal = false;
  EXPECT_THAT(kernel.prove(equal), HasSubstr("output.output"));
  EXPECT_TRUE(equal);
  const Simulation simulation = simulate(artefact, context(), kernel, utterances(), true);
  EXPECT_EQ(simulation.mismatches, 0);
  EXPECT_EQ(simulation.runtime_mismatches, 0);
  EXPECT_EQ(simulation.runtime_isas, available_isas());
  EXPECT_TRUE(agrees(simulation));
  EXPECT_EQ(simulation.utterances, 4);
  EXPECT_EQ(simulation.frames, 4 * (25 + 3));  // with the delay's frames
  EXPECT_EQ(simulation.emulator.total.tokens, 12);
  EXPECT_EQ(simulation.emulator.total.errors(), simulation.kernel.total.errors());
  ASSERT_FALSE(simulation.signals.empty());
  for (const SimulatedSignal& signal : simulation.signals) {
    EXPECT_EQ(signal.saturations, signal.kernel_saturations) << signal.name;
    EXPECT_GT(signal.values, 0) << signal.name;
  }
}

void check_difference(Artefact artefact, const KernelProgram& kernel) {
  artefact.network.layers.back().bias_codes.front() += 16;
  const Simulation simulation = simulate(artefact, context(), kernel, utterances(), true);
  EXPECT_GT(simulation.mismatches, 0);
  // The runtime runs the changed network as the emulator does.
  EXPECT_EQ(simulation.runtime_mismatches, 0);
  EXPECT_FALSE(agrees(simulation));
  Simulation runtime_alone;
  runtime_alone.runtime_mismatches = 1;
  EXPECT_FALSE(agrees(runtime_alone));
  EXPECT_THAT(simulation_text(simulation), HasSubstr("mismatches between kernel and emulator"));
}

void check_files(const Artefact& artefact, const KernelProgram& kernel,
                 const std::filesystem::path& out) {
  const Simulation simulation = simulate(artefact, context(), kernel, utterances(), true);
  write_simulation(simulation, out);
  const auto json = nlohmann::json::parse(read_file(out / "simulation.json"));
  EXPECT_EQ(json.at("mismatches"), 0);
  EXPECT_EQ(json.at("runtime_mismatches"), 0);
  EXPECT_EQ(json.at("signals").at(0).at("name"), "layers.0.input.spectrum");
  EXPECT_TRUE(std::filesystem::exists(out / "emulator" / "scores.json"));
  EXPECT_TRUE(std::filesystem::exists(out / "kernel" / "hyp.trn"));
  const std::vector<SummaryRow> rows =
      simulation_rows(simulation, artefact, context(), "circulant-k4");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].stage, "emulator");
  EXPECT_EQ(rows[1].stage, "kernel");
  EXPECT_EQ(rows[1].cell, "gru");
  EXPECT_EQ(rows[1].block_size, 4);
  EXPECT_EQ(rows[1].bits, 12);
  EXPECT_EQ(rows[1].tokens, 12);
}

TEST(Simulation, ComparesScoresAndWrites) {
  const TemporaryFolder folder;
  write_small_artefact(folder.path() / "artefact");
  // One build for all: it takes seconds.
  const KernelProgram kernel(folder.path() / "artefact", folder.path() / "work", "g++");
  const Artefact artefact = load_artefact(folder.path() / "artefact");
  check_agreement(artefact, kernel);
  check_difference(artefact, kernel);
  check_files(artefact, kernel, folder.path() / "out");
}

TEST(Simulation, WhatIsMissingIsNamed) {
  const TemporaryFolder folder;
  write_small_artefact(folder.path() / "artefact");
  const auto build = [&](const std::filesystem::path& artefact, const std::string& compiler) {
    const KernelProgram kernel(artefact, folder.path() / "work", compiler);
  };
  EXPECT_THAT([&] { build(folder.path() / "artefact", "no-such-compiler"); },
              testing::ThrowsMessage<DataError>(HasSubstr("no-such-compiler: no such compiler")));
  EXPECT_THAT([&] { build(folder.path(), "g++"); },
              testing::ThrowsMessage<DataError>(HasSubstr("has no HLS project")));
}

}  // namespace
}  // namespace ernn
