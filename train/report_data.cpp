#include "train/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ernn {

namespace {

using Json = nlohmann::json;

/// A number that may be absent, or null where it was not finite.
std::optional<double> number(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return found->get<double>();
}

EpochProgress epoch_from(const Json& json) {
  EpochProgress epoch;
  json.at("stage").get_to(epoch.stage);
  json.at("type").get_to(epoch.type);
  json.at("epoch").get_to(epoch.epoch);
  json.at("step").get_to(epoch.step);
  epoch.train_loss = number(json, "train_loss");
  epoch.dev_loss = number(json, "dev_loss");
  epoch.dev_per = number(json, "dev_per");
  epoch.projected_dev_per = number(json, "projected_dev_per");
  epoch.seconds = number(json, "seconds");
  const auto admm = json.find("admm");
  if (admm == json.end()) return epoch;
  for (const auto& matrix : *admm) {
    epoch.matrices.push_back({matrix.at("matrix").get<std::string>(), number(matrix, "rho"),
                              number(matrix, "primal"), number(matrix, "dual"),
                              number(matrix, "distance")});
  }
  return epoch;
}

std::vector<EpochProgress> read_metrics(const std::filesystem::path& path) {
  std::vector<EpochProgress> epochs;
  if (!std::filesystem::exists(path)) return epochs;
  int line_number = 0;
  for (const auto& line : split(read_file(path), '\n')) {
    ++line_number;
    if (trim(line).empty()) continue;
    try {
      epochs.push_back(epoch_from(Json::parse(line)));
    } catch (const Json::exception& error) {
      throw DataError(fmt::format("{}:{}: {}", path.string(), line_number, error.what()));
    }
  }
  return epochs;
}

ScoreFile scores_from(const Json& json) {
  ScoreFile scores;
  json.at("protocol").get_to(scores.protocol);
  json.at("per").get_to(scores.per);
  json.at("tokens").get_to(scores.tokens);
  json.at("substitutions").get_to(scores.substitutions);
  json.at("deletions").get_to(scores.deletions);
  json.at("insertions").get_to(scores.insertions);
  json.at("forgiven").get_to(scores.forgiven);
  json.at("utterances").get_to(scores.utterances);
  json.at("symbols").get_to(scores.symbols);
  json.at("confusion").get_to(scores.confusion);
  return scores;
}

void read_scores(const std::filesystem::path& path, const std::string& stage,
                 const std::string& source, std::vector<ScoreFile>& all) {
  if (!std::filesystem::exists(path)) return;
  ScoreFile scores;
  try {
    scores = scores_from(Json::parse(read_file(path)));
  } catch (const Json::exception& error) {
    throw DataError(fmt::format("{}: {}", path.string(), error.what()));
  }
  const std::size_t side = scores.symbols.size() + 1;
  bool square = scores.confusion.size() == side;
  for (const auto& row : scores.confusion) square = square && row.size() == side;
  if (!square) {
    throw DataError(
        fmt::format("{}: the confusion matrix is not {} x {}", path.string(), side, side));
  }
  scores.stage = stage;
  scores.source = source;
  all.push_back(std::move(scores));
}

void read_simulation(const std::filesystem::path& path, const std::string& stage,
                     std::vector<SimulationFile>& all) {
  if (!std::filesystem::exists(path)) return;
  SimulationFile simulation;
  simulation.stage = stage;
  try {
    const Json json = Json::parse(read_file(path));
    for (const auto& signal : json.at("signals")) {
      simulation.signals.push_back(
          {signal.at("name").get<std::string>(), signal.at("format").get<std::string>(),
           signal.at("saturations").get<std::int64_t>(), signal.at("values").get<std::int64_t>()});
    }
    if (json.contains("mismatches"))
      simulation.mismatches = json.at("mismatches").get<std::int64_t>();
    if (json.contains("runtime_mismatches"))
      simulation.runtime_mismatches = json.at("runtime_mismatches").get<std::int64_t>();
  } catch (const Json::exception& error) {
    throw DataError(fmt::format("{}: {}", path.string(), error.what()));
  }
  all.push_back(std::move(simulation));
}

/// Stages in the order of the configuration, then folders it does not name, by name.
std::vector<std::string> stage_names(const RunData& run) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  if (const ConfigNode* stages = run.config.find("stages")) {
    for (const auto& stage : stages->items()) {
      if (const ConfigNode* name = stage.find("name")) add(name->text());
    }
  }
  for (const auto& epoch : run.epochs) add(epoch.stage);
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(run.folder)) {
    if (entry.is_directory()) folders.push_back(entry.path().filename().string());
  }
  std::sort(folders.begin(), folders.end());
  for (const auto& folder : folders) add(folder);
  return names;
}

}  // namespace

RunData read_run(const std::filesystem::path& folder) {
  RunData run;
  run.folder = folder;
  if (!std::filesystem::is_directory(folder))
    throw UsageError(fmt::format("{}: no such folder", folder.string()));
  const auto config = folder / "config.yaml";
  if (std::filesystem::exists(config)) {
    run.config = ConfigNode::from_yaml_file(config);
    run.config_text = read_file(config);
  }
  const auto metrics = folder / "metrics.jsonl";
  run.epochs = read_metrics(metrics);
  run.summary = read_summary(folder);
  if (!std::filesystem::exists(config) && !std::filesystem::exists(metrics) &&
      run.summary.empty()) {
    throw UsageError(
        fmt::format("{}: holds none of config.yaml, metrics.jsonl and summary.json, expected the "
                    "folder that ernn train --out made",
                    folder.string()));
  }
  for (const auto& stage : stage_names(run)) {
    const auto test = folder / stage / "artefact-test";
    read_scores(folder / stage / "test" / "scores.json", stage, "test", run.scores);
    read_scores(test / "emulator" / "scores.json", stage, "emulator", run.scores);
    read_scores(test / "kernel" / "scores.json", stage, "kernel", run.scores);
    read_simulation(test / "simulation.json", stage, run.simulations);
  }
  return run;
}

}  // namespace ernn
