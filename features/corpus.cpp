#include "features/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "features/phones.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

/// From `root` to the audio: data/TIMIT/TRAIN/DR1/FCJF0 and two more.
constexpr int kMostLevels = 7;

/// Endings of audio files, the preferred one first.
constexpr const char* kAudioEndings[] = {".wav", ".sph", ".wav.wav"};
constexpr const char* kLabelEnding = ".phn";

bool is_word(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isalnum(c) != 0; });
}

/// Fills dialect, speaker and part from the folder an utterance lies in; false when the folder's
/// name is of neither layout.
bool parse_folder(const fs::path& folder, Utterance& utterance) {
  const std::string last = to_lower(folder.filename().string());
  const fs::path above = folder.parent_path();
  if (last.size() > 4 && last[3] == '-' && is_dialect(last.substr(0, 3))) {
    utterance.dialect = last.substr(0, 3);
    utterance.speaker = last.substr(4);
  } else {
    utterance.dialect = to_lower(above.filename().string());
    utterance.speaker = last;
    const std::string part = to_lower(above.parent_path().filename().string());
    if (part == "train" || part == "test") utterance.part = part;
  }
  return is_dialect(utterance.dialect) && is_word(utterance.speaker);
}

/// The files of one utterance by the rank of their ending.
struct Files {
  fs::path audio;
  std::size_t audio_rank = std::size(kAudioEndings);
  fs::path labels;
};

/// Takes `path` into the files of its utterance when it is one of them.
void take_file(const fs::path& path, std::map<std::pair<fs::path, std::string>, Files>& found) {
  const std::string name = to_lower(path.filename().string());
  const auto dot = name.find('.');
  if (dot == std::string::npos || !is_word(name.substr(0, dot))) return;
  const std::string ending = name.substr(dot);
  const auto files = [&]() -> Files& { return found[{path.parent_path(), name.substr(0, dot)}]; };
  if (ending == kLabelEnding) files().labels = path;
  for (std::size_t rank = 0; rank < std::size(kAudioEndings); ++rank) {
    if (ending != kAudioEndings[rank] || rank >= files().audio_rank) continue;
    files().audio = path;
    files().audio_rank = rank;
  }
}

std::map<std::pair<fs::path, std::string>, Files> search(const fs::path& root) {
  std::map<std::pair<fs::path, std::string>, Files> found;
  std::error_code error;
  const auto options = fs::directory_options::follow_directory_symlink |
                       fs::directory_options::skip_permission_denied;
  // Absolute, because a relative root such as "." hides the names that the layout needs.
  fs::recursive_directory_iterator place(fs::absolute(root).lexically_normal(), options, error);
  for (; !error && place != fs::recursive_directory_iterator(); place.increment(error)) {
    const std::string name = place->path().filename().string();
    if (place.depth() >= kMostLevels || name.front() == '.') place.disable_recursion_pending();
    Utterance ignored;
    if (name.front() == '.' || !parse_folder(place->path().parent_path(), ignored)) continue;
    std::error_code not_file;
    if (place->is_regular_file(not_file)) take_file(place->path(), found);
  }
  if (error)
    throw DataError(fmt::format("{}: cannot be searched: {}", root.string(), error.message()));
  return found;
}

void check_pairs(const Utterance& utterance, const fs::path& folder) {
  if (utterance.audio.empty()) {
    throw DataError(fmt::format("{}: no audio beside it, expected {}.wav in {}",
                                utterance.labels.string(), utterance.sentence, folder.string()));
  }
  if (utterance.labels.empty()) {
    throw DataError(fmt::format("{}: no labels beside it, expected {}.phn in {}",
                                utterance.audio.string(), utterance.sentence, folder.string()));
  }
}

[[noreturn]] void bad_line(const fs::path& path, std::size_t line, const std::string& problem) {
  throw DataError(fmt::format("{}:{}: {}", path.string(), line, problem));
}

PhoneSegment parse_label(const std::vector<std::string>& words, const fs::path& path,
                         std::size_t line) {
  PhoneSegment segment;
  if (words.size() != 3 || !parse_int(words[0], segment.begin) ||
      !parse_int(words[1], segment.end)) {
    bad_line(path, line,
             fmt::format("found '{}', expected 'begin end phone' with whole sample numbers",
                         join(words, " ")));
  }
  const auto& known = phone_symbols(PhoneInventory::timit61);
  segment.phone = phone_index(PhoneInventory::timit61, to_lower(words[2]));
  if (segment.phone < 0) {
    bad_line(path, line,
             fmt::format("found phone '{}', expected one of TIMIT's 61{}", words[2],
                         did_you_mean(words[2], known)));
  }
  if (segment.begin < 0 || segment.end <= segment.begin) {
    bad_line(path, line,
             fmt::format("found a label from sample {} to {}, expected 0 <= begin < end",
                         segment.begin, segment.end));
  }
  return segment;
}

}  // namespace

bool is_dialect(const std::string& name) {
  return name.size() == 3 && name[0] == 'd' && name[1] == 'r' && name[2] >= '1' && name[2] <= '8';
}

std::vector<Utterance> find_utterances(const fs::path& root) {
  if (root.empty()) throw UsageError("data.root is not set, expected the folder of the corpus");
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw UsageError(fmt::format("data.root {}: is not a folder", root.string()));
  }
  std::vector<Utterance> utterances;
  for (const auto& [key, files] : search(root)) {
    const auto& [folder, sentence] = key;
    Utterance utterance;
    parse_folder(folder, utterance);
    utterance.sentence = sentence;
    utterance.id = utterance.speaker + "_" + sentence;
    utterance.audio = files.audio;
    utterance.labels = files.labels;
    check_pairs(utterance, folder);
    utterances.push_back(std::move(utterance));
  }
  if (utterances.empty()) {
    throw UsageError(fmt::format(
        "data.root {}: no utterances below it, expected files such as TRAIN/DR1/FCJF0/SA1.WAV or "
        "dr1-fcjf0/sa1.wav, with SA1.PHN beside",
        root.string()));
  }
  std::sort(utterances.begin(), utterances.end(),
            [](const Utterance& a, const Utterance& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < utterances.size(); ++i) {
    if (utterances[i].id != utterances[i - 1].id) continue;
    throw DataError(fmt::format("data.root {}: utterance {} is there twice: {} and {}",
                                root.string(), utterances[i].id, utterances[i - 1].audio.string(),
                                utterances[i].audio.string()));
  }
  return utterances;
}

std::vector<PhoneSegment> read_phone_labels(const fs::path& path, long long samples) {
  std::vector<PhoneSegment> segments;
  std::size_t line = 0;
  for (const auto& text : split(read_file(path), '\n')) {
    ++line;
    const auto words = split_words(text);
    if (words.empty()) continue;
    const PhoneSegment segment = parse_label(words, path, line);
    if (!segments.empty() && segment.begin < segments.back().begin) {
      bad_line(path, line,
               fmt::format("found a label that begins at sample {}, expected {} or later "
                           "as the label before",
                           segment.begin, segments.back().begin));
    }
    if (segment.end > samples) {
      bad_line(path, line,
               fmt::format("found a label that ends at sample {}, expected at most {}, "
                           "the length of the audio",
                           segment.end, samples));
    }
    segments.push_back(segment);
  }
  if (segments.empty()) throw DataError(fmt::format("{}: no labels", path.string()));
  return segments;
}

int phone_at(const std::vector<PhoneSegment>& segments, long long sample) {
  const auto after = std::upper_bound(
      segments.begin(), segments.end(), sample,
      [](long long at, const PhoneSegment& segment) { return at < segment.begin; });
  return after == segments.begin() ? segments.front().phone : std::prev(after)->phone;
}

std::vector<Speaker> list_speakers(const std::vector<Utterance>& utterances) {
  std::map<std::tuple<std::string, std::string, std::string>, int> counts;
  for (const auto& u : utterances) ++counts[{u.dialect, u.speaker, u.part}];
  std::vector<Speaker> speakers;
  for (const auto& [key, count] : counts) {
    const auto& [dialect, name, part] = key;
    speakers.push_back({name, dialect, part, count});
  }
  return speakers;
}

}  // namespace ernn
