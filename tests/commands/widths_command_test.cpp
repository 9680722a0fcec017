// ernn widths and ernn arithmetic over the stages of runs, as their users start them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/commands/program.h"
#include "tests/support/markup.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tone_corpus.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// One run of a dense, two circulant and a fixed-point stage for each seed.
class WidthsCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = std::make_unique<TemporaryFolder>();
    make_tone_corpus(path("corpus"), 2, 1);
    write_file(path("tones.yaml"), "data: " + tone_data(path("corpus")) + R"(
features: {preset: mfcc39}
model: {layers: [{type: gru, size: 16}]}
decoder: {type: greedy}
training: {epochs: 1, batch: 2}
stages: [{name: dense}, {name: k2, type: circulant, block: {input: 2, recurrent: 2}},
  {name: k4, type: circulant, from: dense, block: {input: 4, recurrent: 4}},
  {name: qat, type: qat, from: k4, quantisation: {bits: 9, widths: {weight: 5}}}]
)");
    for (const char* seed : {"1", "2"})
      run({"train", "--config", path("tones.yaml").string(), "--out", path(seed).string(), "--set",
           std::string("seed=") + seed, "--quiet"});
  }
  static void TearDownTestSuite() { folder.reset(); }

  static fs::path path(const std::string& name) { return folder->path() / name; }
  static std::string run(const std::vector<std::string>& arguments, int status = 0) {
    Program program(arguments, path("work"));
    EXPECT_EQ(program.status(), status) << program.errors();
    return status == 0 ? program.output() : program.errors();
  }

  static std::unique_ptr<TemporaryFolder> folder;
};

std::unique_ptr<TemporaryFolder> WidthsCommand::folder;

TEST_F(WidthsCommand, TakesEveryCirculantStageOfEveryRun) {
  const std::string output =
      run({"widths", "--run", path("1").string(), "--run", path("2").string(), "--bits", "12",
           "--bits", "8", "--out", path("report").string()});
  const std::string tables = unpadded(read_file(path("report/widths.md")));
  EXPECT_THAT(unpadded(output), HasSubstr(tables));
  EXPECT_THAT(tables, AllOf(HasSubstr("| gru | 2 | 1, 2 |"), HasSubstr("| gru | 4 | 1, 2 |"),
                            HasSubstr("| gru | 4 | 8 | 1.4 |")));
  const std::string page = read_file(path("report/widths.html"));
  expect_well_formed(page);
  // Every signal of the stage's own file stands on the page, at two sizes and two widths.
  const auto json = nlohmann::json::parse(read_file(path("2/k4/widths.json")));
  ASSERT_EQ(json.size(), 3U);
  for (const auto& signal : json[1].at("signals"))
    EXPECT_EQ(count(page, " bits, " + signal.at("signal").get<std::string>() + ": SNR"), 4);
  EXPECT_FALSE(fs::exists(path("1/dense/widths.json")));
}

TEST_F(WidthsCommand, NamedStagesAloneAreTaken) {
  run({"widths", "--run", path("1").string(), "--stage", "dense", "--bits", "8"});
  EXPECT_THAT(unpadded(read_file(path("1/widths.md"))), HasSubstr("| gru | 1 | 1 |"));
  EXPECT_THAT(run({"widths", "--run", path("1").string(), "--stage", "k8"}, 2),
              HasSubstr("no stage 'k8'"));
  EXPECT_THAT(run({"widths", "--stage", "k2"}, 2), HasSubstr("--run DIR is missing"));
  EXPECT_THAT(run({"widths", "--run", path("1").string(), "--stage", "k4", "--stage", "qat"}, 2),
              HasSubstr("stages 'k4' and 'qat' both have k = 4"));
}

TEST_F(WidthsCommand, TheReportsTableIsAFileToo) {
  const std::string output = run({"report", "--run", path("1").string()});
  const std::string table = read_file(path("1/summary.md"));
  EXPECT_THAT(output, HasSubstr(table));
  EXPECT_THAT(unpadded(table), AllOf(HasSubstr("| circulant | k2 | gru | 2 | 32 |"),
                                     HasSubstr("protocol kaldi, seed 1")));
}

TEST_F(WidthsCommand, AStageTrainedInFixedPointIsTakenAndExportedInItsFormats) {
  const std::vector<std::string> stage = {"--run", path("1").string(), "--stage", "qat"};
  const auto with = [&](std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), stage.begin(), stage.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  EXPECT_THAT(with({"export"}, {}), HasSubstr("formats: those that the model was trained in\n"));
  const auto manifest = nlohmann::json::parse(read_file(path("1/qat/artefact/manifest.json")));
  EXPECT_EQ(manifest.at("layers")[0].at("matrices")[0].at("weight")[0], 5);
  EXPECT_THAT(with({"export"}, {"--bits", "12", "--out", path("other").string()}),
              HasSubstr("formats: measured, not those that the model was trained in: export.bits "
                        "is 9 there and 12 here\n"));
  EXPECT_THAT(run({"export", "--model", path("1/qat/model.safetensors").string(), "--data-root",
                   path("corpus").string(), "--set", "data.dev_speakers=[fdev0]", "--set",
                   "data.test_speakers=[ftst0]", "--out", path("file").string()}),
              HasSubstr("formats: those that the model was trained in\n"));
  // What the stage was scored by is what the emulator computes.
  with({"widths"}, {"--bits", "9"});
  const auto widths = nlohmann::json::parse(read_file(path("1/qat/widths.json")));
  for (const auto& row : nlohmann::json::parse(read_file(path("1/summary.json")))) {
    if (row.at("name") == "qat") {
      EXPECT_EQ(row.at("per"), widths[1].at("per"));
    }
  }
  EXPECT_THAT(with({"eval"}, {"--quiet"}),
              HasSubstr(fmt::format("{:.2f}", widths[1].at("per").get<double>())));
}

TEST_F(WidthsCommand, ArithmeticComparesPlacesAndTables) {
  const std::string output = unpadded(run({"arithmetic", "--run", path("1").string()}));
  // Two sizes, five places; three matrices each.
  EXPECT_EQ(count(output, " | 3 | "), 10);
  EXPECT_THAT(output, HasSubstr("| 4 | wide_inverse | 3 |"));
  EXPECT_THAT(run({"arithmetic"}, 2), HasSubstr("expected --run DIR or --activations"));
}

}  // namespace
}  // namespace ernn
