// ernn info: what a model file, or every model of a run, is.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "models/model_file.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/model_info.h"

namespace ernn {

namespace {

/// The model files of a run, in the order of its stages.
std::vector<std::filesystem::path> models_of(const std::filesystem::path& run) {
  if (!std::filesystem::is_directory(run))
    throw UsageError(fmt::format("{}: no such folder", run.string()));
  std::vector<std::filesystem::path> models;
  const auto add = [&](const std::filesystem::path& model) {
    if (std::filesystem::exists(model) &&
        std::find(models.begin(), models.end(), model) == models.end()) {
      models.push_back(model);
    }
  };
  const auto config = run / "config.yaml";
  if (std::filesystem::exists(config)) {
    const ConfigNode tree = ConfigNode::from_yaml_file(config);
    if (const ConfigNode* stages = tree.find("stages")) {
      for (const auto& stage : stages->items()) {
        if (const ConfigNode* name = stage.find("name"))
          add(run / name->text() / "model.safetensors");
      }
    }
  }
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(run))
    folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  for (const auto& folder : folders) add(folder / "model.safetensors");
  if (models.empty()) {
    throw UsageError(fmt::format(
        "{}: no stage has a model.safetensors, expected the folder that ernn train --out made",
        run.string()));
  }
  return models;
}

}  // namespace

int info_command(int argc, char** argv) {
  cxxopts::Options options("ernn info", "Describes a model file, or all models of a run.");
  options.add_options()("model", "model file", cxxopts::value<std::string>(), "FILE")(
      "run", "run folder", cxxopts::value<std::string>(), "DIR");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  if (result.count("model") + result.count("run") != 1)
    throw UsageError("ernn info: expected one of --model FILE and --run DIR");
  std::vector<std::filesystem::path> models;
  if (result.count("model") > 0) {
    models.emplace_back(result["model"].as<std::string>());
  } else {
    models = models_of(result["run"].as<std::string>());
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (i > 0) fmt::print("\n");
    fmt::print("{}", describe_model(ModelFile::load(models[i]), models[i].string()));
  }
  return 0;
}

}  // namespace ernn
