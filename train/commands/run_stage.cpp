#include "train/commands/run_stage.h"

#include <algorithm>

#include "base/options.h"
#include "features/split_reader.h"
#include "features/splits.h"
#include "features/utterance_set.h"

namespace ernn {

namespace {

/// The section `export` with a stage's own choice of formats, changed by `sets`.
ExportOptions export_options_of(const RunConfig& config, const StageOptions& stage,
                                const std::vector<std::string>& sets) {
  ExportOptions options = config.export_options;
  if (stage.type != kQatType) return options;
  static_cast<QuantisationOptions&>(options) = stage.quantisation;
  ConfigNode tree = ConfigNode::map("--set");
  tree["export"] = write_options(options);
  for (const std::string& set : sets) {
    if (set.rfind("export.", 0) == 0) tree.set(set);
  }
  options = read_options<ExportOptions>(*tree.find("export"), "export");
  validate(options);
  return options;
}

/// Throws UsageError when the run has no stage of that name.
RunStage stage_of(const std::string& command, const std::filesystem::path& run, RunConfig config,
                  const std::string& stage, const std::vector<std::string>& sets) {
  std::vector<std::string> names;
  for (const StageOptions& one : config.stages) names.push_back(one.name);
  if (std::find(names.begin(), names.end(), stage) == names.end()) {
    throw UsageError(fmt::format("ernn {}: the run has no stage '{}'{} (stages: {})", command,
                                 stage, did_you_mean(stage, names), join(names, ", ")));
  }
  for (const StageOptions& one : config.stages) {
    if (one.name == stage) config.export_options = export_options_of(config, one, sets);
  }
  return {run, stage, config};
}

RunConfig config_of(const std::filesystem::path& run, const std::vector<std::string>& sets) {
  return load_run_config(run / "config.yaml", sets);
}

}  // namespace

RunStage read_run_stage(const std::string& command, const cxxopts::ParseResult& arguments,
                        const std::vector<std::string>& sets) {
  if (arguments.count("run") == 0 || arguments.count("stage") == 0)
    throw UsageError(fmt::format("ernn {}: expected --run DIR with --stage NAME", command));
  const std::filesystem::path run = arguments["run"].as<std::string>();
  return stage_of(command, run, config_of(run, sets), arguments["stage"].as<std::string>(), sets);
}

std::vector<RunStage> read_run_stages(const std::string& command,
                                      const cxxopts::ParseResult& arguments,
                                      const std::vector<std::string>& sets) {
  if (arguments.count("run") == 0)
    throw UsageError(fmt::format("ernn {}: --run DIR is missing", command));
  std::vector<RunStage> found;
  for (const std::string& run : arguments["run"].as<std::vector<std::string>>()) {
    const RunConfig config = config_of(run, sets);
    std::vector<std::string> names;
    if (arguments.count("stage") > 0) {
      names = arguments["stage"].as<std::vector<std::string>>();
    } else {
      for (const StageOptions& stage : config.stages) {
        if (stage.type == "circulant") names.push_back(stage.name);
      }
    }
    if (names.empty()) {
      throw UsageError(fmt::format("ernn {}: {} has no circulant stage; name others with --stage",
                                   command, run));
    }
    for (const std::string& name : names)
      found.push_back(stage_of(command, run, config, name, sets));
  }
  return found;
}

std::vector<FrameMatrix> calibration_frames(DataOptions data, const ModelContext& context,
                                            int limit) {
  data.phones = context.phones;
  const SplitReader reader(data, context.features, Split::train);
  std::vector<LabelledUtterance> chosen;
  for (const std::size_t place : spread_places(reader.utterances().size(), limit))
    chosen.push_back(reader.read(place));
  UtteranceSet utterances(std::move(chosen));
  utterances.normalise({context.mean, context.inverse_std});
  std::vector<FrameMatrix> frames;
  for (std::size_t i = 0; i < utterances.size(); ++i) frames.push_back(utterances.read(i).features);
  return frames;
}

}  // namespace ernn
