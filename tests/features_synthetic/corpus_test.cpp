#include "features/synthetic_corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "features/audio.h"
#include "features/phones.h"
#include "features/synthetic_plan.h"
#include "features/synthetic_signal.h"
#include "hls/io/sha256.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;

SyntheticCorpusOptions small() {
  SyntheticCorpusOptions options;
  options.train_utterances = 4;
  options.dev_utterances = 1;
  options.test_utterances = 4;
  options.train_speakers = 3;
  options.dev_speakers = 1;
  options.test_speakers = 4;
  options.held_out_speakers = 2;
  return options;
}

/// Every file below a folder by its relative name.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  }
  return files;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  lines.pop_back();
  return lines;
}

/// Contiguous from 0, known labels, no empty segment; returns the end of the last one.
long long check_phones(const std::string& text) {
  long long at = 0;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> fields = split_words(line);
    EXPECT_EQ(fields.size(), 3U) << line;
    long long begin = -1;
    long long end = -1;
    EXPECT_TRUE(parse_int(fields[0], begin) && parse_int(fields[1], end)) << line;
    EXPECT_EQ(begin, at) << line;
    EXPECT_GT(end, begin) << line;
    EXPECT_GE(phone_index(PhoneInventory::timit61, fields[2]), 0) << line;
    at = end;
  }
  return at;
}

TEST(SyntheticCorpus, HasTimitsLayout) {
  const TemporaryFolder folder;
  const CorpusSummary summary =
      make_synthetic_corpus(folder.path() / "corpus", small(), false, true);
  EXPECT_TRUE(summary.made);
  ASSERT_EQ(summary.splits.size(), 3U);
  EXPECT_EQ(summary.splits[0].utterances, 4);
  EXPECT_EQ(summary.splits[1].speakers, 1);
  EXPECT_EQ(summary.splits[2].speakers, 4);
  const auto files = contents(folder.path() / "corpus");
  std::map<std::string, int> count;
  long long phones = 0;
  for (const auto& [name, bytes] : files) {
    const std::string extension = fs::path(name).extension().string();
    ++count[extension];
    if (extension != ".WAV") continue;
    EXPECT_THAT(name, testing::MatchesRegex("(TRAIN|TEST)/DR[1-8]/[FM][A-Z]{3}[0-9]/"
                                            "S[XI][0-9]+\\.WAV"));
    const std::string stem = name.substr(0, name.size() - 4);
    const Audio audio = parse_audio(bytes, name);
    EXPECT_EQ(audio.sample_rate, 16000);
    const auto samples = static_cast<long long>(audio.samples.size());
    EXPECT_EQ(check_phones(files.at(stem + ".PHN")), samples);
    phones += static_cast<long long>(lines_of(files.at(stem + ".PHN")).size());
    const std::vector<std::string> prompt = split_words(files.at(stem + ".TXT"));
    EXPECT_EQ(prompt[0], "0");
    EXPECT_EQ(prompt[1], std::to_string(samples));
    EXPECT_EQ(prompt.size() - 2, lines_of(files.at(stem + ".WRD")).size());
  }
  EXPECT_EQ(count[".WAV"], 9);
  EXPECT_EQ(count[".PHN"], 9);
  EXPECT_EQ(phones, summary.splits[0].phones + summary.splits[1].phones + summary.splits[2].phones);
  EXPECT_EQ(hls::check_sha256sums((folder.path() / "corpus").string()).size(), files.size() - 2);
  EXPECT_EQ(lines_of(files.at("test_speakers.txt")).size(), 4U);
}

TEST(SyntheticCorpus, SeedDecidesEveryByte) {
  const TemporaryFolder folder;
  SyntheticCorpusOptions options = small();
  make_synthetic_corpus(folder.path() / "a", options, false, true);
  make_synthetic_corpus(folder.path() / "b", options, false, true);
  EXPECT_EQ(contents(folder.path() / "a"), contents(folder.path() / "b"));
  options.seed = 2;
  make_synthetic_corpus(folder.path() / "c", options, false, true);
  const auto first = contents(folder.path() / "a");
  for (const auto& [name, bytes] : contents(folder.path() / "c")) {
    if (fs::path(name).extension() != ".WAV" || first.count(name) == 0) continue;
    EXPECT_NE(first.at(name), bytes) << name;
  }
}

TEST(SyntheticCorpus, NoiseHasTheRequestedLevel) {
  const TemporaryFolder folder;
  SyntheticCorpusOptions options = small();
  options.snr_min = options.snr_max = 100;
  make_synthetic_corpus(folder.path() / "clean", options, false, true);
  options.snr_min = options.snr_max = 12;
  make_synthetic_corpus(folder.path() / "noisy", options, false, true);
  const auto noisy_files = contents(folder.path() / "noisy");
  int checked = 0;
  for (const auto& [name, bytes] : contents(folder.path() / "clean")) {
    if (fs::path(name).extension() != ".WAV") continue;
    const std::vector<float> clean = parse_audio(bytes, name).samples;
    const std::vector<float> noisy = parse_audio(noisy_files.at(name), name).samples;
    ASSERT_EQ(clean.size(), noisy.size());
    // The loud ones are made quieter as a whole: find by how much.
    double product = 0;
    double squares = 0;
    for (std::size_t i = 0; i < clean.size(); ++i) {
      product += static_cast<double>(clean[i]) * static_cast<double>(noisy[i]);
      squares += static_cast<double>(clean[i]) * static_cast<double>(clean[i]);
    }
    const auto gain = static_cast<float>(product / squares);
    std::vector<float> noise(clean.size());
    for (std::size_t i = 0; i < clean.size(); ++i) noise[i] = noisy[i] - gain * clean[i];
    const std::string labels = noisy_files.at(name.substr(0, name.size() - 4) + ".PHN");
    long long begin = 0;
    long long end = 0;
    ASSERT_TRUE(parse_int(split_words(lines_of(labels).front())[1], begin));
    ASSERT_TRUE(parse_int(split_words(lines_of(labels).back())[0], end));
    const double speech =
        static_cast<double>(gain) * static_cast<double>(gain) *
        mean_power(clean, static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
    const double snr = 10 * std::log10(speech / mean_power(noise, 0, noise.size()));
    EXPECT_NEAR(snr, 12, 0.15) << name;
    ++checked;
  }
  EXPECT_EQ(checked, 9);
}

TEST(SyntheticCorpus, SplitsShareNoSpeakerNoSentenceAndNotTheHeldOutVoice) {
  for (const std::string held_out : {"rms", "slt"}) {
    SyntheticCorpusOptions options;
    options.held_out_voice = held_out;
    const CorpusPlan plan = plan_corpus(options);
    std::map<std::string, std::set<std::string>> voices;
    std::map<std::string, int> held_out_speakers;
    std::set<std::string> names;
    for (const SyntheticSpeaker& speaker : plan.speakers) {
      EXPECT_TRUE(names.insert(speaker.name).second) << speaker.name;
      EXPECT_EQ(speaker.folder.substr(0, 5) == "TRAIN", speaker.split == "train");
      EXPECT_EQ(speaker.name[0] == 'F', speaker.voice == "slt");
      voices[speaker.split].insert(speaker.voice);
      held_out_speakers[speaker.split] += speaker.voice == held_out ? 1 : 0;
    }
    EXPECT_EQ(names.size(), 36U);
    EXPECT_EQ(held_out_speakers["train"], 0);
    EXPECT_EQ(held_out_speakers["dev"], 0);
    EXPECT_EQ(held_out_speakers["test"], options.held_out_speakers);
    EXPECT_EQ(voices["train"].size(), 3U);
    EXPECT_EQ(voices["test"].size(), 4U);
    std::set<std::string> texts;
    std::map<std::string, int> utterances;
    for (const SyntheticUtterance& utterance : plan.utterances) {
      EXPECT_TRUE(texts.insert(utterance.text).second) << utterance.text;
      ++utterances[plan.speakers[static_cast<std::size_t>(utterance.speaker)].split];
      EXPECT_GE(utterance.snr_db, options.snr_min);
      EXPECT_LE(utterance.snr_db, options.snr_max);
    }
    EXPECT_EQ(utterances["train"], options.train_utterances);
    EXPECT_EQ(utterances["dev"], options.dev_utterances);
    EXPECT_EQ(utterances["test"], options.test_utterances);
  }
}

TEST(SyntheticCorpus, ManySpeakersHaveNamesOfTheirOwn) {
  SyntheticCorpusOptions options;
  options.train_speakers = options.dev_speakers = options.test_speakers = 80;
  options.dev_utterances = options.test_utterances = 80;
  options.held_out_speakers = 0;
  std::set<std::string> names;
  for (const SyntheticSpeaker& speaker : plan_corpus(options).speakers) {
    EXPECT_THAT(speaker.name, testing::MatchesRegex("[FM][A-Z]{3}[0-9]"));
    names.insert(speaker.name);
  }
  EXPECT_EQ(names.size(), 240U);
}

/// Runs the generator and gives the message of the error it must end with.
template <class Error>
std::string error_of(const fs::path& folder, const SyntheticCorpusOptions& options,
                     bool force = false) {
  try {
    make_synthetic_corpus(folder, options, force, true);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(SyntheticCorpus, FinishedCorpusIsRecognisedAndOtherOptionsRefused) {
  const TemporaryFolder folder;
  SyntheticCorpusOptions options = small();
  options.train_utterances = options.test_utterances = 1;
  make_synthetic_corpus(folder.path(), options, false, true);
  const auto before = contents(folder.path());
  const auto time = fs::last_write_time(folder.path() / "corpus.json");
  const CorpusSummary again = make_synthetic_corpus(folder.path(), options, false, true);
  EXPECT_FALSE(again.made);
  EXPECT_EQ(again.splits[0].utterances, 1);
  EXPECT_EQ(fs::last_write_time(folder.path() / "corpus.json"), time);

  options.snr_min = 7;
  EXPECT_THAT(error_of<UsageError>(folder.path(), options),
              testing::AllOf(testing::HasSubstr("snr_min is 20 there and 7 here"),
                             testing::HasSubstr("--force")));
  EXPECT_EQ(contents(folder.path()), before);
  write_file(folder.path() / "notes.txt", "mine");
  EXPECT_TRUE(make_synthetic_corpus(folder.path(), options, true, true).made);
  EXPECT_EQ(read_file(folder.path() / "notes.txt"), "mine");
  EXPECT_FALSE(make_synthetic_corpus(folder.path(), options, false, true).made);
}

TEST(SyntheticCorpus, DamageIsNoticedByName) {
  const TemporaryFolder folder;
  SyntheticCorpusOptions options = small();
  options.train_utterances = options.test_utterances = 1;
  make_synthetic_corpus(folder.path(), options, false, true);
  const auto before = contents(folder.path());
  std::string labels;
  for (const auto& [name, bytes] : before) {
    if (fs::path(name).extension() == ".PHN") labels = name;
  }
  write_file(folder.path() / labels, before.at(labels) + " ");
  EXPECT_THAT(error_of<DataError>(folder.path(), options), testing::HasSubstr(labels));
  fs::remove(folder.path() / labels);
  EXPECT_THAT(error_of<DataError>(folder.path(), options), testing::HasSubstr(labels));
  make_synthetic_corpus(folder.path(), options, true, true);
  EXPECT_EQ(contents(folder.path()), before);
}

// A manifest that is not ours: what lies beside it is not ours either, whatever it is called.
TEST(SyntheticCorpus, OtherPeoplesManifestsAreRefused) {
  for (const char* manifest : {"{}", "[]", "{", R"({"format": "other"})", R"({"format": 3})"}) {
    const TemporaryFolder folder;
    write_file(folder.path() / "corpus.json", manifest);
    write_file(folder.path() / "TRAIN/precious.txt", "mine");
    for (const bool force : {false, true}) {
      EXPECT_THAT(error_of<DataError>(folder.path(), small(), force),
                  testing::HasSubstr("corpus.json: is not the manifest of a synthetic corpus"));
    }
    EXPECT_EQ(read_file(folder.path() / "TRAIN/precious.txt"), "mine");
  }
}

TEST(SyntheticCorpus, InterruptedRunIsDoneAgain) {
  const TemporaryFolder folder;
  SyntheticCorpusOptions options = small();
  options.train_utterances = options.test_utterances = 1;
  make_synthetic_corpus(folder.path(), options, false, true);
  const auto before = contents(folder.path());
  // What a killed run leaves: its marker, no manifest, files of other options, half a file.
  fs::remove(folder.path() / "corpus.json");
  write_file(folder.path() / "corpus.unfinished", "");
  write_file(folder.path() / "TRAIN/DR9/MXXX0/SX1.WAV.part-1", "half");
  EXPECT_TRUE(make_synthetic_corpus(folder.path(), options, false, true).made);
  EXPECT_EQ(contents(folder.path()), before);
}

TEST(SyntheticCorpus, FolderWithOtherThingsIsLeftAlone) {
  const TemporaryFolder folder;
  write_file(folder.path() / "TRAIN/precious.txt", "mine");
  for (const bool force : {false, true}) {
    EXPECT_THAT(error_of<UsageError>(folder.path(), small(), force),
                testing::HasSubstr("not a synthetic corpus"));
  }
  EXPECT_EQ(contents(folder.path()).size(), 1U);
  EXPECT_THAT(error_of<UsageError>(folder.path() / "TRAIN/precious.txt", small()),
              testing::HasSubstr("is a file"));
}

TEST(SyntheticCorpus, ImpossibleOptionsAreNamed) {
  const auto message = [](auto change) {
    SyntheticCorpusOptions options;
    change(options);
    try {
      validate(options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  using O = SyntheticCorpusOptions;
  EXPECT_EQ(message([](O&) {}), "");
  EXPECT_THAT(message([](O& o) { o.snr_min = 40; }), testing::HasSubstr("snr_min, snr_max: 40"));
  EXPECT_THAT(message([](O& o) { o.snr_min = std::nan(""); }), testing::HasSubstr("snr_min"));
  EXPECT_THAT(message([](O& o) { o.held_out_voice = "slr"; }),
              testing::HasSubstr("did you mean 'slt'"));
  EXPECT_THAT(message([](O& o) { o.held_out_speakers = 9; }),
              testing::HasSubstr("held_out_speakers: 9 is not between 0 and 8"));
  EXPECT_THAT(message([](O& o) { o.train_utterances = 0; }),
              testing::HasSubstr("train_utterances: 0"));
  EXPECT_THAT(message([](O& o) { o.tilt = 1; }), testing::HasSubstr("tilt: 1"));
}

}  // namespace
}  // namespace ernn
