#include "train/checkpoint.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/options.h"
#include "base/tensor_file.h"
#include "models/torch_tensors.h"

namespace ernn {

namespace {

constexpr const char* kFormatKey = "ernn.checkpoint";
constexpr const char* kFormatVersion = "1";

template <class T>
std::string to_text(const T& options) {
  return write_options(options).to_json().dump();
}

template <class T>
T from_text(const std::string& text, const std::string& place) {
  try {
    return read_options<T>(ConfigNode::from_json(nlohmann::json::parse(text), place));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: broken metadata: {}", place, error.what()));
  } catch (const UsageError& error) {
    throw DataError(error.what());
  }
}

/// The options as this version writes them: what it has and `text` does not, an older version's, is
/// as by default.
template <class T>
std::string with_defaults(const std::string& text, const std::string& place) {
  return to_text(from_text<T>(text, place));
}

/// Checkpoints of earlier versions say how long the metrics file was, too.
std::string without_metrics_bytes(const std::string& position, const std::string& place) {
  try {
    nlohmann::json json = nlohmann::json::parse(position);
    json.erase("metrics_bytes");
    return json.dump();
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: broken metadata: {}", place, error.what()));
  }
}

std::string json_difference(const nlohmann::json& there, const nlohmann::json& here,
                            const std::string& path) {
  if (there == here) return "";
  const auto inside = [&](const auto& key) {
    return path.empty() ? fmt::format("{}", key) : fmt::format("{}.{}", path, key);
  };
  if (there.is_object() && here.is_object()) {
    for (const auto& [key, value] : here.items()) {
      if (!there.contains(key))
        return fmt::format("{} is missing there and {} here", inside(key), value.dump());
      std::string difference = json_difference(there[key], value, inside(key));
      if (!difference.empty()) return difference;
    }
    for (const auto& [key, value] : there.items()) {
      if (!here.contains(key))
        return fmt::format("{} is {} there and missing here", inside(key), value.dump());
    }
  }
  if (there.is_array() && here.is_array() && there.size() == here.size()) {
    for (std::size_t i = 0; i < here.size(); ++i) {
      std::string difference = json_difference(there[i], here[i], inside(i));
      if (!difference.empty()) return difference;
    }
  }
  return fmt::format("{} is {} there and {} here", path, there.dump(), here.dump());
}

/// The configuration that stages share, less what may change when its data is moved.
nlohmann::json without_places(const std::string& run, const std::string& place) {
  try {
    nlohmann::json options = nlohmann::json::parse(run);
    for (const char* key : {"root", "train_speakers", "dev_speakers", "test_speakers"})
      options.at("data").erase(key);
    return options;
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: broken metadata: {}", place, error.what()));
  }
}

}  // namespace

void Checkpoint::put(const std::string& prefix, const std::map<std::string, torch::Tensor>& group) {
  for (const auto& [name, tensor] : group) file.tensors[prefix + name] = to_raw(tensor);
}

std::map<std::string, torch::Tensor> Checkpoint::group(const std::string& prefix,
                                                       const std::string& path) const {
  std::map<std::string, torch::Tensor> found;
  for (const auto& [name, raw] : file.tensors) {
    if (name.rfind(prefix, 0) != 0) continue;
    found[name.substr(prefix.size())] = from_raw(raw, fmt::format("{}: tensor '{}'", path, name));
  }
  return found;
}

void Checkpoint::save(const std::filesystem::path& path) {
  file.metadata = {{kFormatKey, kFormatVersion},    {"run", identity.run},
                   {"stage", identity.stage},       {"model", identity.model},
                   {"start", identity.start},       {"data", identity.data},
                   {"position", to_text(position)}, {"schedule", to_text(schedule)}};
  file.save(path);
}

Checkpoint Checkpoint::load(const std::filesystem::path& path) {
  Checkpoint checkpoint;
  checkpoint.file = TensorFile::load(path);
  const std::string place = path.string();
  const auto metadata = [&](const char* key) -> const std::string& {
    const auto found = checkpoint.file.metadata.find(key);
    if (found == checkpoint.file.metadata.end()) {
      throw DataError(
          fmt::format("{}: not a checkpoint of ernn: metadata '{}' is missing", place, key));
    }
    return found->second;
  };
  if (metadata(kFormatKey) != kFormatVersion) {
    throw DataError(
        fmt::format("{}: checkpoint format '{}', expected '{}'; train with the version "
                    "of ernn that began the run, or begin again",
                    place, metadata(kFormatKey), kFormatVersion));
  }
  checkpoint.identity = {metadata("run"), metadata("stage"), metadata("model"), metadata("start")};
  const auto data = checkpoint.file.metadata.find("data");  // older checkpoints do not say it
  if (data != checkpoint.file.metadata.end()) checkpoint.identity.data = data->second;
  checkpoint.position =
      from_text<StagePosition>(without_metrics_bytes(metadata("position"), place), place);
  checkpoint.schedule = from_text<ScheduleState>(metadata("schedule"), place);
  return checkpoint;
}

CheckpointIdentity checkpoint_identity(const RunConfig& config, const StageOptions& stage,
                                       const ModelOptions& network, const std::string& start) {
  RunConfig shared = config;
  shared.stages.clear();
  shared.export_options = {};     // comes after training
  shared.training = {};           // already part of every stage
  shared.checkpoint_seconds = 0;  // changes no result
  shared.distributed = {};        // nor do these
  shared.data.cache.clear();      // nor where the same frames lie
  shared.model = {};              // the network says it
  return {to_text(shared), to_text(stage), to_text(network), start};
}

void check_identity(const CheckpointIdentity& found, const CheckpointIdentity& expected,
                    const std::filesystem::path& path, const std::function<std::string()>& data) {
  const auto compare = [&](const std::string& there, const std::string& here,
                           const std::string& prefix) {
    if (there == here) return;
    throw DataError(fmt::format(
        "{}: the checkpoint belongs to another run: {}; undo the change, use another --out, or "
        "remove the stage's folder to train it again",
        path.string(), first_difference(there, here, prefix, path.string())));
  };
  const std::string place = path.string();
  compare(with_defaults<ModelOptions>(found.model, place), expected.model, "model");
  compare(with_defaults<StageOptions>(found.stage, place), expected.stage, "stage");
  const std::string run = with_defaults<RunConfig>(found.run, place);
  if (run != expected.run && !found.data.empty() &&
      without_places(run, place) == without_places(expected.run, place)) {
    const std::string here = data();
    if (found.data != here) {
      throw DataError(
          fmt::format("{}: the checkpoint belongs to other data: there {}, here {}; set data.root "
                      "and lists of speakers to the data that it was trained with, or use another "
                      "--out",
                      place, found.data, here));
    }
  } else {
    compare(run, expected.run, "");
  }
  if (found.start != expected.start) {
    throw DataError(
        fmt::format("{}: the stage that it started or learns from has been trained again since; "
                    "remove this stage's "
                    "folder to train it again too",
                    path.string()));
  }
}

std::string first_difference(const std::string& there, const std::string& here,
                             const std::string& path, const std::string& place) {
  try {
    return json_difference(nlohmann::json::parse(there), nlohmann::json::parse(here), path);
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: broken metadata: {}", place, error.what()));
  }
}

}  // namespace ernn
