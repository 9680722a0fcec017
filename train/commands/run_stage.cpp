#include "train/commands/run_stage.h"

#include <algorithm>

#include "features/dataset.h"

namespace ernn {

RunStage read_run_stage(const std::string& command, const cxxopts::ParseResult& arguments,
                        const std::vector<std::string>& sets) {
  if (arguments.count("run") == 0 || arguments.count("stage") == 0)
    throw UsageError(fmt::format("ernn {}: expected --run DIR with --stage NAME", command));
  RunStage found;
  found.run = arguments["run"].as<std::string>();
  found.stage = arguments["stage"].as<std::string>();
  found.config = load_run_config(found.run / "config.yaml", sets);
  std::vector<std::string> names;
  for (const StageOptions& stage : found.config.stages) names.push_back(stage.name);
  if (std::find(names.begin(), names.end(), found.stage) == names.end()) {
    throw UsageError(fmt::format("ernn {}: the run has no stage '{}'{} (stages: {})", command,
                                 found.stage, did_you_mean(found.stage, names), join(names, ", ")));
  }
  return found;
}

std::vector<FrameMatrix> calibration_frames(DataOptions data, const ModelContext& context,
                                            int limit) {
  data.phones = context.phones;
  data.limit = limit;
  data.cache.clear();  // they are few, and all of them are needed at once
  UtteranceSet utterances = load_split(data, context.features, Split::train);
  utterances.normalise({context.mean, context.inverse_std});
  std::vector<FrameMatrix> frames;
  for (std::size_t i = 0; i < utterances.size(); ++i) frames.push_back(utterances.read(i).features);
  return frames;
}

}  // namespace ernn
