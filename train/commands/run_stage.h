// Stages of run folders, as several subcommands take them: --run DIR --stage NAME.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/frame_matrix.h"
#include "train/commands/arguments.h"
#include "train/model_context.h"
#include "train/run_config.h"

namespace ernn {

struct RunStage {
  std::filesystem::path run;
  std::string stage;
  /// Of the run, changed by `sets`. For a stage that trained in fixed point the section `export`
  /// chooses formats as the stage did, unless `sets` say otherwise.
  RunConfig config;

  std::filesystem::path folder() const { return run / stage; }
  std::filesystem::path model() const { return folder() / "model.safetensors"; }
};

/// Reads --run and --stage. Throws UsageError when one is missing or the run has no such stage
/// (with the nearest known one).
RunStage read_run_stage(const std::string& command, const cxxopts::ParseResult& arguments,
                        const std::vector<std::string>& sets);

/// The stages that --run and --stage name, both given once or several times; without --stage every
/// circulant stage of each run. Throws UsageError as above, and for a run without circulant stages.
std::vector<RunStage> read_run_stages(const std::string& command,
                                      const cxxopts::ParseResult& arguments,
                                      const std::vector<std::string>& sets);

/// Normalised training utterances for measuring ranges, at most `limit` of those that the run was
/// trained on, 0 = all; a stage of type qat measures the same ones.
std::vector<FrameMatrix> calibration_frames(DataOptions data, const ModelContext& context,
                                            int limit);

}  // namespace ernn
