#include "features/synthetic_corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/text.h"
#include "features/audio.h"
#include "features/synthetic_plan.h"
#include "features/synthetic_utterance.h"
#include "hls/io/sha256.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kManifest = "corpus.json";
constexpr const char* kUnfinished = "corpus.unfinished";
constexpr const char* kSums = "SHA256SUMS";
constexpr const char* kFormat = "ernn synthetic corpus";
/// Raised whenever the same options give other bytes than before.
constexpr int kVersion = 1;
const std::vector<std::string>& splits() {
  static const std::vector<std::string> names = {"train", "dev", "test"};
  return names;
}

std::string speaker_list_name(const std::string& split) {
  return split + "_speakers.txt";
}

/// One run's output: writes files below the folder and remembers their hashes.
class CorpusWriter {
 public:
  explicit CorpusWriter(fs::path folder) : folder_(std::move(folder)) {}

  void write_text(const std::string& name, const std::string& text) {
    write_file(folder_ / name, text);
    sums_[name] = hls::sha256_hex(text);
  }

  void write_audio(const std::string& name, const SpokenSentence& spoken) {
    write_wav(folder_ / name, {spoken.sample_rate, spoken.samples});
    sums_[name] = hls::sha256_hex(read_file(folder_ / name));
  }

  /// All hashes in the order of names, in the format of sha256sum.
  std::string sums() const {
    std::string text;
    for (const auto& [name, hash] : sums_) text += fmt::format("{}  {}\n", hash, name);
    return text;
  }

 private:
  fs::path folder_;
  std::map<std::string, std::string> sums_;
};

std::string segment_lines(const std::vector<AudioSegment>& segments) {
  std::string text;
  for (const AudioSegment& segment : segments)
    text += fmt::format("{} {} {}\n", segment.begin, segment.end, segment.label);
  return text;
}

/// "the cow ran" -> "The cow ran."
std::string prompt(std::string text) {
  text[0] = to_upper(text.substr(0, 1))[0];
  return text + ".";
}

void write_utterance(CorpusWriter& writer, const std::string& stem, const std::string& text,
                     const SpokenSentence& spoken) {
  writer.write_audio(stem + ".WAV", spoken);
  writer.write_text(stem + ".PHN", segment_lines(spoken.phones));
  writer.write_text(stem + ".WRD", segment_lines(spoken.words));
  writer.write_text(stem + ".TXT", fmt::format("0 {} {}\n", spoken.samples.size(), prompt(text)));
}

void write_speaker_lists(CorpusWriter& writer, const CorpusPlan& plan) {
  for (const std::string& split : splits()) {
    std::string names;
    for (const SyntheticSpeaker& speaker : plan.speakers) {
      if (speaker.split == split) names += speaker.name + "\n";
    }
    writer.write_text(speaker_list_name(split), names);
  }
}

Json describe_speaker(const SyntheticSpeaker& speaker) {
  return {{"name", speaker.name},       {"split", speaker.split},     {"folder", speaker.folder},
          {"voice", speaker.voice},     {"stretch", speaker.stretch}, {"pitch", speaker.pitch},
          {"formant", speaker.formant}, {"tilt", speaker.tilt}};
}

Json describe_utterance(const std::string& stem, const SyntheticUtterance& utterance,
                        const SpokenSentence& spoken) {
  return {{"file", stem},
          {"text", utterance.text},
          {"snr_db", utterance.snr_db},
          {"seconds", static_cast<double>(spoken.samples.size()) / spoken.sample_rate}};
}

/// Splits in order, with their speakers counted.
std::vector<CorpusSplitSize> count_speakers(const CorpusPlan& plan) {
  std::vector<CorpusSplitSize> sizes;
  for (const std::string& split : splits()) {
    CorpusSplitSize size;
    size.split = split;
    for (const SyntheticSpeaker& speaker : plan.speakers) size.speakers += speaker.split == split;
    sizes.push_back(size);
  }
  return sizes;
}

void count_utterance(std::vector<CorpusSplitSize>& sizes, const std::string& split,
                     const SpokenSentence& spoken) {
  for (CorpusSplitSize& size : sizes) {
    if (size.split != split) continue;
    ++size.utterances;
    size.seconds += static_cast<double>(spoken.samples.size()) / spoken.sample_rate;
    size.phones += static_cast<long long>(spoken.phones.size());
  }
}

Json sizes_to_json(const std::vector<CorpusSplitSize>& sizes) {
  Json json = Json::object();
  for (const CorpusSplitSize& size : sizes) {
    json[size.split] = {{"speakers", size.speakers},
                        {"utterances", size.utterances},
                        {"seconds", size.seconds},
                        {"phones", size.phones}};
  }
  return json;
}

std::vector<CorpusSplitSize> sizes_from_json(const Json& json) {
  std::vector<CorpusSplitSize> sizes;
  for (const std::string& split : splits()) {
    const Json& entry = json.at(split);
    sizes.push_back({split, entry.at("speakers"), entry.at("utterances"), entry.at("seconds"),
                     entry.at("phones")});
  }
  return sizes;
}

/// What the folder is to a new run.
enum class FolderState { free, unfinished, finished };

FolderState look_at(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return FolderState::free;
  if (!fs::is_directory(folder, error)) {
    throw UsageError(fmt::format("{}: is a file, expected a folder", folder.string()));
  }
  // An interrupted run may have left the marker half written.
  bool empty = true;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    empty = false;
    if (entry.path().filename().string().rfind(kUnfinished, 0) == 0) return FolderState::unfinished;
  }
  if (error) throw DataError(fmt::format("{}: {}", folder.string(), error.message()));
  if (empty) return FolderState::free;
  if (fs::exists(folder / kManifest, error)) return FolderState::finished;
  throw UsageError(fmt::format(
      "{}: holds files but no {}, so it is not a synthetic corpus; choose a new or empty folder",
      folder.string(), kManifest));
}

/// Removes what an earlier run wrote, and nothing else.
void remove_old_corpus(const fs::path& folder) {
  std::vector<std::string> names = {kManifest, kSums, "TRAIN", "TEST"};
  for (const std::string& split : splits()) names.push_back(speaker_list_name(split));
  for (const std::string& name : names) {
    std::error_code error;
    fs::remove_all(folder / name, error);
    if (error) {
      throw DataError(
          fmt::format("{}: cannot be removed: {}", (folder / name).string(), error.message()));
    }
  }
}

/// "seed is 1 there and 2 here", for every option that differs.
std::string differences(const Json& there, const Json& here) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : here.items()) {
    if (!there.contains(key)) {
      lines.push_back(fmt::format("{} is missing there", key));
    } else if (there[key] != value) {
      lines.push_back(
          fmt::format("{} is {} there and {} here", key, there[key].dump(), value.dump()));
    }
  }
  return join(lines, ", ");
}

/// Compares every file with SHA256SUMS, and that list with the manifest.
void check_files(const fs::path& folder, const std::string& expected_sums) {
  const auto refuse = [](const fs::path& path) {
    throw DataError(fmt::format(
        "{}: is missing or was changed since the corpus was made; ernn corpus --force makes it "
        "again",
        path.string()));
  };
  std::error_code error;
  const fs::path sums = folder / kSums;
  if (!fs::exists(sums, error) || hls::sha256_file(sums.string()) != expected_sums) refuse(sums);
  for (const hls::HashedFile& file : hls::read_sha256sums(sums.string())) {
    const fs::path path = folder / file.name;
    if (!fs::exists(path, error) || hls::sha256_file(path.string()) != file.hash) refuse(path);
  }
}

/// Throws DataError for a folder whose manifest is not one of ours: nothing in it may be removed.
Json read_manifest(const fs::path& path) {
  Json manifest = Json::parse(read_file(path), nullptr, false);
  if (!manifest.is_object() || manifest.value("format", Json()) != kFormat) {
    throw DataError(
        fmt::format("{}: is not the manifest of a synthetic corpus, whose \"format\" is \"{}\"; "
                    "choose another folder",
                    path.string(), kFormat));
  }
  return manifest;
}

/// The sizes of a finished corpus that is whole and was made with `options`.
std::vector<CorpusSplitSize> recognise(const fs::path& folder, const Json& manifest,
                                       const Json& options) {
  try {
    std::string different = differences(manifest.at("options"), options);
    if (manifest.at("version") != kVersion) {
      different = fmt::format("it was made by version {} of the generator, this is version {}",
                              manifest.at("version").dump(), kVersion);
    }
    if (!different.empty()) {
      throw UsageError(
          fmt::format("{}: holds a corpus made with other options: {}; --force replaces it, or "
                      "choose another folder",
                      folder.string(), different));
    }
    check_files(folder, manifest.at("sha256sums"));
    return sizes_from_json(manifest.at("splits"));
  } catch (const nlohmann::json::exception&) {
    throw DataError(
        fmt::format("{}: is a damaged manifest; choose another folder, or --force to replace the "
                    "corpus",
                    (folder / kManifest).string()));
  }
}

}  // namespace

CorpusSummary make_synthetic_corpus(const fs::path& folder, const SyntheticCorpusOptions& options,
                                    bool force, bool quiet) {
  const CorpusPlan plan = plan_corpus(options);
  const Json option_values = write_options(options).to_json();
  const FolderState state = look_at(folder);
  if (state == FolderState::finished) {
    const Json manifest = read_manifest(folder / kManifest);
    if (!force) return {false, recognise(folder, manifest, option_values)};
  }

  write_file(folder / kUnfinished, "this corpus is not complete; run ernn corpus again\n");
  remove_old_corpus(folder);
  SpeechSynthesiser synthesiser;
  CorpusWriter writer(folder);
  Progress progress("corpus", static_cast<long long>(plan.utterances.size()), quiet);
  std::vector<CorpusSplitSize> sizes = count_speakers(plan);
  Json utterances = Json::array();
  for (const SyntheticUtterance& utterance : plan.utterances) {
    const SyntheticSpeaker& speaker = plan.speakers[static_cast<std::size_t>(utterance.speaker)];
    SpokenSentence spoken = render_clean(speaker, utterance, options.seed, synthesiser);
    add_noise(spoken, utterance, options.seed);
    const std::string stem = speaker.folder + "/" + utterance.sentence;
    write_utterance(writer, stem, utterance.text, spoken);
    count_utterance(sizes, speaker.split, spoken);
    utterances.push_back(describe_utterance(stem, utterance, spoken));
    progress.update(static_cast<long long>(utterances.size()), stem);
  }
  write_speaker_lists(writer, plan);
  write_file(folder / kSums, writer.sums());

  Json manifest = {{"format", kFormat},
                   {"version", kVersion},
                   {"options", option_values},
                   {"splits", sizes_to_json(sizes)},
                   {"sha256sums", hls::sha256_hex(writer.sums())}};
  manifest["speakers"] = Json::array();
  for (const SyntheticSpeaker& speaker : plan.speakers)
    manifest["speakers"].push_back(describe_speaker(speaker));
  manifest["utterances"] = std::move(utterances);
  write_file(folder / kManifest, manifest.dump(1) + "\n");
  std::error_code error;
  fs::remove(folder / kUnfinished, error);
  if (error) {
    throw DataError(
        fmt::format("{}: cannot be removed: {}", (folder / kUnfinished).string(), error.message()));
  }
  progress.finish();
  return {true, sizes};
}

}  // namespace ernn
