#include "features/feature_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/options.h"
#include "features/feature_cache_file.h"
#include "features/split_reader.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

constexpr auto kLockPause = std::chrono::milliseconds(200);

/// Rounding differs between machines, so a cache of another one is the same up to this.
constexpr double kTolerance = 1e-3;

/// Everything that decides what is in a file, apart from the corpus itself.
std::string options_text(const DataOptions& data, const FeatureOptions& features, Split split) {
  DataOptions known = data;
  known.cache.clear();
  std::error_code ignored;
  const fs::path root = fs::weakly_canonical(data.root, ignored);
  if (!ignored) known.root = root;
  FeatureOptions resolved = resolve(features);
  resolved.preset.clear();
  nlohmann::ordered_json json;
  json["split"] = name_of(split);
  json["data"] = write_options(known).to_json();
  json["features"] = write_options(resolved).to_json();
  return json.dump();
}

fs::path path_for(const DataOptions& data, const std::string& options, Split split) {
  return data.cache / fmt::format("{}-{:016x}.frames", name_of(split), digest_bytes(options));
}

std::string describe_file(const fs::path& path, const fs::path& root) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  const auto date = error ? fs::file_time_type() : fs::last_write_time(path, error);
  if (error) throw DataError(fmt::format("{}: {}", path.string(), error.message()));
  return fmt::format("{} {} {}\n", path.lexically_relative(root).string(), size,
                     date.time_since_epoch().count());
}

/// Of name, size and date of each utterance's two files.
std::vector<std::uint64_t> stamps_of(const std::vector<Utterance>& utterances,
                                     const fs::path& root) {
  const fs::path base = fs::absolute(root).lexically_normal();  // as find_utterances() does
  std::vector<std::uint64_t> stamps;
  stamps.reserve(utterances.size());
  for (const auto& utterance : utterances) {
    stamps.push_back(
        digest_bytes(describe_file(utterance.audio, base) + describe_file(utterance.labels, base)));
  }
  return stamps;
}

/// Whether an utterance is what computing it again gives.
bool agree(const LabelledUtterance& now, const UtteranceInfo& info, const UtteranceFrames& frames) {
  const auto& a = now.features;
  const auto& b = frames.features;
  bool good = a.rows == b.rows && a.cols == b.cols && now.frame_labels == frames.labels &&
              now.phones == info.phones;
  for (std::size_t i = 0; good && i < a.data.size(); ++i)
    good = std::abs(a.data[i] - b.data[i]) <= kTolerance * (1 + std::abs(a.data[i]));
  return good;
}

/// What is wrong with a cache, "" for nothing.
std::string fault_of(const FeatureCacheFile& cache, const std::string& options,
                     const SplitReader& reader, const std::vector<std::uint64_t>& stamps) {
  const auto& utterances = reader.utterances();
  if (cache.options != options) return "was made with other options";
  for (std::size_t i = 0; i < std::min(utterances.size(), cache.utterances.size()); ++i) {
    if (cache.utterances[i].id != utterances[i].id) {
      return fmt::format("has utterance {} where the corpus has {}", cache.utterances[i].id,
                         utterances[i].id);
    }
    if (cache.stamps[i] != stamps[i])
      return fmt::format("utterance {}: audio or labels have changed since", utterances[i].id);
  }
  if (cache.utterances.size() != utterances.size()) {
    return fmt::format("has {} utterances, the corpus has {}", cache.utterances.size(),
                       utterances.size());
  }
  if (!agree(reader.read(0), cache.utterances[0], cache.utterances.read(0)))
    return fmt::format("utterance {} comes out otherwise now", utterances[0].id);
  return "";
}

/// The digest of the cache at `path` when it is good; else "", and `fault` says why, unless there
/// is none at all.
std::string digest_if_good(const fs::path& path, const std::string& options,
                           const SplitReader& reader, const std::vector<std::uint64_t>& stamps,
                           std::string& fault) {
  fault.clear();
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return "";
  try {
    const FeatureCacheFile cache = open_cache_file(path);
    fault = fault_of(cache, options, reader, stamps);
    if (fault.empty()) return cache.digest();
    fault = fmt::format("{}: {}", path.string(), fault);
  } catch (const DataError& error) {
    fault = error.what();
  }
  return "";
}

/// Waits for the process that makes the same file.
void take(FileLock& lock, bool quiet, const std::function<void()>& go_on) {
  bool said = quiet;
  while (!lock.try_take()) {
    if (!said)
      fmt::print(stderr, "{}: waiting for the process that holds it\n", lock.path().string());
    said = true;
    go_on();
    std::this_thread::sleep_for(kLockPause);
  }
}

/// What processes that were killed have left; the caller holds the lock, so nobody writes there.
void remove_leftovers(const fs::path& path) {
  const std::string beginning = path.filename().string() + ".part-";
  for (const auto& entry : fs::directory_iterator(path.parent_path())) {
    std::error_code ignored;
    if (entry.path().filename().string().rfind(beginning, 0) == 0)
      fs::remove(entry.path(), ignored);
  }
}

}  // namespace

fs::path feature_cache_path(const DataOptions& data, const FeatureOptions& features, Split split) {
  return path_for(data, options_text(data, features, split), split);
}

std::string make_feature_cache(const DataOptions& data, const FeatureOptions& features, Split split,
                               bool quiet, const std::function<void()>& go_on) {
  const SplitReader reader(data, features, split);
  const std::string options = options_text(data, features, split);
  const fs::path path = path_for(data, options, split);
  // Before reading: what changes meanwhile has another date than the one written down.
  const auto stamps = stamps_of(reader.utterances(), data.root);
  std::string fault;
  const auto good = [&] { return digest_if_good(path, options, reader, stamps, fault); };
  std::string digest = good();
  if (!digest.empty()) return digest;
  make_folder(data.cache);
  FileLock lock(path.string() + ".lock");
  take(lock, quiet, go_on);
  digest = good();  // another process may have made it
  if (!digest.empty()) return digest;
  if (!fault.empty() && !quiet) fmt::print(stderr, "{}; it is made anew\n", fault);
  remove_leftovers(path);
  FeatureCacheWriter writer(path, options);
  std::size_t count = 0;
  reader.read_all(
      [&](const LabelledUtterance& utterance) {
        writer.add(utterance, stamps[count++]);
        go_on();
      },
      quiet);
  writer.commit();
  return open_cache_file(path).digest();
}

UtteranceSet open_feature_cache(const DataOptions& data, const FeatureOptions& features,
                                Split split, const std::string& digest) {
  const fs::path path = feature_cache_path(data, features, split);
  FeatureCacheFile cache = open_cache_file(path);
  if (cache.digest() != digest) {
    throw DataError(
        fmt::format("{}: was made from other files (digest {}) than this run has found (digest "
                    "{}); start again",
                    path.string(), cache.digest(), digest));
  }
  return std::move(cache.utterances);
}

}  // namespace ernn
