// ernn explore as its users start it, and what its design is good for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tone_corpus.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(ExploreCommand, DesignTrainsExportsAndIsEstimated) {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  make_tone_corpus(folder.path() / "corpus", 2, 1);
  write_file(folder.path() / "tones.yaml", "data: " + tone_data(folder.path() / "corpus") + R"(
features: {preset: mfcc39}
model: {layers: [{type: gru, size: 16}]}
decoder: {type: greedy}
training: {epochs: 2, batch: 2}
stages: [{name: dense}, {name: admm, type: admm, block: {input: 2, recurrent: 2}},
  {name: circulant, type: circulant}]
)");
  const auto run = [&](std::vector<std::string> arguments, int status) {
    Program program(std::move(arguments), folder.path() / "work");
    EXPECT_EQ(program.status(), status) << program.errors();
    return status == 0 ? program.output() : program.errors();
  };
  const auto explore = [&](std::vector<std::string> more, int status = 0) {
    std::vector<std::string> arguments = {
        "explore",
        "--config",
        (folder.path() / "tones.yaml").string(),
        "--platform",
        std::string(ERNN_SOURCE_DIR) + "/configs/platforms/zynq7020.yaml",
        "--out",
        out.string(),
        "--quiet",
        "--streams",
        "2",
        "--max-trials",
        "2",
        "--stop-margin",
        "200"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, status);
  };
  EXPECT_THAT(explore({"--objective", "speed"}, 2), HasSubstr("latency or throughput or energy"));
  EXPECT_THAT(explore({"--trial", "1"}, 2), HasSubstr("train it first with --trial 0"));
  EXPECT_THAT(explore({"--trial", "0"}), HasSubstr("| 1 gru-i"));
  EXPECT_FALSE(fs::exists(out / "trials"));
  const std::string text =
      explore({"--per-budget", "100", "--width-budget", "50", "--objective", "latency"});
  EXPECT_THAT(text, HasSubstr(" | chosen |"));
  EXPECT_THAT(text, HasSubstr(read_file(out / "explore.md")));
  const auto json = nlohmann::json::parse(read_file(out / "explore.json"));
  const auto& design = json["platforms"][0]["designs"][0];
  EXPECT_EQ(json["platforms"][0]["chosen"], design["trial"]);

  // The design's folder is a run; its artefact has the chosen formats and folds.
  const fs::path chosen = out / "zynq7020";
  run({"export", "--run", chosen.string(), "--stage", "circulant"}, 0);
  const fs::path numbers = folder.path() / "estimate.json";
  run({"estimate", "--artefact", (chosen / "circulant" / "artefact").string(), "--folds",
       (chosen / "folds.yaml").string(), "--platform",
       std::string(ERNN_SOURCE_DIR) + "/configs/platforms/zynq7020.yaml", "--streams", "2",
       "--json", numbers.string()},
      0);
  const auto estimate = nlohmann::json::parse(read_file(numbers));
  EXPECT_NEAR(estimate["formulas"]["latency_us"].get<double>(), design["latency_us"], 1e-9);
  EXPECT_EQ(estimate["resources"]["dsp"], design["resources"]["dsp"]);
  EXPECT_EQ(estimate["resources"]["bram36"], design["resources"]["bram36"]);

  // And its configuration trains from nothing.
  run({"train", "--config", (chosen / "design.yaml").string(), "--out",
       (folder.path() / "anew").string(), "--quiet"},
      0);
  EXPECT_EQ(read_file(folder.path() / "anew/circulant/model.safetensors"),
            read_file(chosen / "circulant/model.safetensors"));

  // No design is an error that says how far off the nearest trial is.
  const double dense = json["dev_per_limit"].get<double>() - 100;
  const bool worse = json["trials"][0]["dev_per"].get<double>() > dense;
  const std::string strict = explore({"--per-budget", "0", "--width-budget", "50"}, worse ? 1 : 0);
  EXPECT_THAT(strict, HasSubstr(worse ? "no design: no trial is within" : " | chosen |"));
}

}  // namespace
}  // namespace ernn
