#include "train/run_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::HasSubstr;

/// The message of the UsageError that a configuration gives.
std::string refusal(const std::string& yaml, const std::vector<std::string>& sets = {}) {
  try {
    parse_run_config(yaml, "c.yaml", sets);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST(RunConfig, StagesInheritTheTrainingSectionFieldByField) {
  const RunConfig config = parse_run_config(R"(
training: {batch: 8, optimiser: {type: sgd, learning_rate: 0.5}}
stages:
  - {name: a}
  - {name: b, batch: 4, optimiser: {learning_rate: 0.1}}
)",
                                            "c.yaml");
  ASSERT_EQ(config.stages.size(), 2U);
  EXPECT_EQ(config.stages[0].batch, 8);
  EXPECT_EQ(config.stages[0].optimiser.learning_rate, 0.5);
  EXPECT_EQ(config.stages[1].batch, 4);
  EXPECT_EQ(config.stages[1].optimiser.learning_rate, 0.1);
  EXPECT_EQ(config.stages[1].optimiser.type, OptimiserType::sgd);
}

TEST(RunConfig, StagesInFixedPointInheritTheSectionExport) {
  const char* yaml = R"(
export: {bits: 10, widths: {cell: 18, weight: 9}, golden_frames: 4, folding: {}}
stages:
  - {name: a}
  - {name: b, type: qat}
  - {name: c, type: qat, quantisation: {bits: 8, widths: {weight: 6}}}
)";
  const RunConfig config = parse_run_config(yaml, "c.yaml", {"export.guard_bits=2"});
  EXPECT_EQ(config.stages[0].quantisation.bits, 12);
  EXPECT_EQ(config.stages[1].quantisation.bits, 10);
  EXPECT_EQ(config.stages[1].quantisation.guard_bits, 2);
  EXPECT_EQ(config.stages[2].quantisation.bits, 8);
  EXPECT_EQ(config.stages[2].quantisation.widths,
            (std::map<std::string, int>{{"cell", 18}, {"weight", 6}}));
  EXPECT_EQ(config.export_options.bits, 10);
  EXPECT_THAT(refusal("export: {bit: 9}\nstages: [{name: q, type: qat}]"),
              HasSubstr("unknown key 'export.bit'"));
  EXPECT_THAT(refusal("stages: [{name: q, type: qat, quantisation: {golden_frames: 9}}]"),
              HasSubstr("unknown key 'stages.0.quantisation.golden_frames'"));
}

TEST(RunConfig, AStageStartsFromTheOneBeforeUnlessToldOtherwise) {
  const RunConfig config = parse_run_config(
      "stages: [{name: a}, {name: b}, {name: c, from: a}, {name: d, from: none}]", "c.yaml");
  EXPECT_EQ(config.stages[0].from, "");
  EXPECT_EQ(config.stages[1].from, "a");
  EXPECT_EQ(config.stages[2].from, "a");
  EXPECT_EQ(config.stages[3].from, "none");
}

TEST(RunConfig, SetOverridesTheFileAndTheDefaults) {
  const RunConfig config =
      parse_run_config("training: {batch: 8}\nstages: [{name: a}, {name: b, batch: 2}]", "c.yaml",
                       {"training.batch=5", "stages.1.epochs=9", "data.root=/corpus"});
  EXPECT_EQ(config.stages[0].batch, 5);
  EXPECT_EQ(config.stages[1].batch, 2);
  EXPECT_EQ(config.stages[1].epochs, 9);
  EXPECT_EQ(config.data.root, "/corpus");
}

TEST(RunConfig, SavedAndLoadedIsTheSame) {
  const TemporaryFolder folder;
  const RunConfig config = parse_run_config(
      "name: x\ntraining: {epochs: 3}\nstages: [{name: a}, {name: k8, type: admm, block: {input: "
      "8}, optimiser: {learning_rate: 1e-4}}, {name: s, from: none}]",
      "c.yaml");
  save(config, folder.path() / "a.yaml");
  save(load_run_config(folder.path() / "a.yaml"), folder.path() / "b.yaml");
  EXPECT_EQ(read_file(folder.path() / "a.yaml"), read_file(folder.path() / "b.yaml"));
  EXPECT_EQ(load_run_config(folder.path() / "a.yaml").stages[1].block.input, 8);
}

TEST(RunConfig, UnknownKeysAreRefusedWithTheNearestKnownOne) {
  EXPECT_THAT(refusal("name: x\ntraining:\n  bach: 3\n"),
              AllOf(HasSubstr("c.yaml:3"), HasSubstr("training.bach"), HasSubstr("'batch'")));
  EXPECT_THAT(refusal("trainin: {}\n"), HasSubstr("did you mean 'training'"));
  EXPECT_THAT(refusal("stages: [{name: a, optimizer: {}}]"),
              AllOf(HasSubstr("stages.0.optimizer"), HasSubstr("'optimiser'")));
  EXPECT_THAT(refusal("stages: [{name: a}]", {"stages.0.epoch=2"}),
              AllOf(HasSubstr("--set"), HasSubstr("'epochs'")));
}

TEST(RunConfig, AWrongKeyInTheDefaultsIsReportedWhereItStands) {
  EXPECT_THAT(refusal("stages: [{name: a}]\ntraining:\n  bach: 3\n"),
              AllOf(HasSubstr("c.yaml:3"), HasSubstr("'training.bach'")));
}

TEST(RunConfig, WrongValuesNameThePlaceAndWhatWouldSuit) {
  EXPECT_THAT(refusal("stages: [{name: a, batch: 0}]"),
              AllOf(HasSubstr("stages.0.batch: found 0"), HasSubstr("positive")));
  EXPECT_THAT(refusal("training: {optimiser: {type: adm}}"), HasSubstr("sgd, adam, adamw"));
  EXPECT_THAT(refusal("training: {schedule: {factor: 1.5}}"),
              HasSubstr("training.schedule.factor: found 1.5"));
  EXPECT_THAT(refusal("stages: [{name: a}, {name: a}]"), HasSubstr("a second time"));
  EXPECT_THAT(refusal("stages: [{name: ../a}]"), HasSubstr("names a folder"));
  EXPECT_THAT(refusal("stages: [{name: dense}, {name: b, from: dence}]"),
              HasSubstr("did you mean 'dense'"));
  EXPECT_THAT(refusal("stages: [{name: b, from: b}]"), HasSubstr("no stage before"));
  EXPECT_THAT(refusal("threads: 0"), HasSubstr("threads: found 0"));
  EXPECT_THAT(refusal("context: {criterion: ctc}"),
              AllOf(HasSubstr("decoder.type"), HasSubstr("ctc_greedy")));
  EXPECT_THAT(refusal("context: {criterion: ctc, label_delay: 2}\ndecoder: {type: ctc_beam}"),
              HasSubstr("label_delay: found 2"));
  EXPECT_THAT(refusal("decoder: {type: ctc_beam}"), HasSubstr("decoder.type"));
  EXPECT_THAT(refusal("context: {criterion: ctc}\ndecoder: {type: ctc_beam}\n"
                      "stages: [{name: a, truncate: 20}]"),
              AllOf(HasSubstr("stages.0.truncate: found 20"), HasSubstr("criterion ctc")));
  const std::string ctc = "context: {criterion: ctc}\ndecoder: {type: ctc_beam}\n";
  EXPECT_THAT(refusal(ctc + "training: {label_smoothing: 0.1}"),
              AllOf(HasSubstr("training.label_smoothing: found 0.1"), HasSubstr("criterion ctc")));
  EXPECT_THAT(refusal(ctc + "stages: [{name: a}, {name: b, label_smoothing: 0.1}]"),
              HasSubstr("stages.1.label_smoothing: found 0.1"));
  EXPECT_THAT(refusal("context: {label_delay: 5}\ntraining: {truncate: 5}"),
              AllOf(HasSubstr("training.truncate: found 5"), HasSubstr("context.label_delay")));
  EXPECT_THAT(refusal("training: {truncate: -1}"), HasSubstr("training.truncate: found -1"));
}

// Else it would be found when the dev set is scored, and the first epoch lost.
TEST(RunConfig, HowTheDevSetIsScoredIsCheckedAtOnce) {
  EXPECT_EQ(refusal("decoder: {min_duration: 0}"),
            "c.yaml: decoder.min_duration: found 0, expected a positive number");
  EXPECT_EQ(refusal("decoder: {beam: 0}"),
            "c.yaml: decoder.beam: found 0, expected a positive number");
  for (const char* protocol : {"keep_q", "q_as_silence"}) {
    const std::string scoring = fmt::format("scoring: {{protocol: {}}}\n", protocol);
    EXPECT_THAT(refusal(scoring + "data: {phones: timit48}"),
                HasSubstr(fmt::format("c.yaml: scoring.protocol: found {}, which needs data.phones "
                                      "timit61; timit48 has no 'q'",
                                      protocol)));
    EXPECT_EQ(refusal(scoring + "data: {phones: timit61}"), "(accepted)");
  }
}

TEST(RunConfig, ATeacherIsAnEarlierStageThatGivesFrames) {
  const auto taught = [](const std::string& distillation) {
    return "stages: [{name: dense}, {name: b, distillation: {" + distillation + "}}]";
  };
  EXPECT_EQ(parse_run_config(taught("teacher: dense"), "c.yaml").stages[1].distillation.teacher,
            "dense");
  EXPECT_THAT(refusal(taught("teacher: dence")),
              AllOf(HasSubstr("stages.1.distillation.teacher: 'dence' is no stage before 'b'"),
                    HasSubstr("did you mean 'dense'")));
  EXPECT_THAT(refusal(taught("teacher: b")), HasSubstr("'b' is no stage before 'b'"));
  EXPECT_THAT(refusal(taught("teacher: dense, weight: 0")),
              HasSubstr("distillation.weight: found 0"));
  EXPECT_THAT(refusal(taught("teacher: dense, weight: 1.5")),
              HasSubstr("distillation.weight: found 1.5"));
  EXPECT_THAT(refusal(taught("teacher: dense, temperature: 0")),
              HasSubstr("distillation.temperature: found 0"));
  EXPECT_THAT(
      refusal("context: {criterion: ctc}\ndecoder: {type: ctc_beam}\n" + taught("teacher: dense")),
      AllOf(HasSubstr("distillation.teacher: found 'dense'"), HasSubstr("criterion ctc")));
}

}  // namespace
}  // namespace ernn
