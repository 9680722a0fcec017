#include "features/corpus.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "features/audio.h"
#include "features/dataset.h"
#include "features/phones.h"
#include "features/splits.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/timit_sample.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return fmt::format("{} {}", error.exit_status(), error.what());
  }
  return "accepted";
}

constexpr int kSamples = 1600;

/// Makes `path`.WAV and `path`.PHN with h# and s, in upper or lower case.
void add_utterance(const std::filesystem::path& path, bool upper = true) {
  Audio audio;
  audio.sample_rate = 16000;
  audio.samples.resize(kSamples);
  for (std::size_t i = 0; i < kSamples; ++i) audio.samples[i] = static_cast<float>(i % 100);
  write_wav(path.string() + (upper ? ".WAV" : ".wav"), audio);
  write_file(path.string() + (upper ? ".PHN" : ".phn"), "0 800 h#\n800 1500 s\n");
}

std::vector<std::string> ids(const std::vector<Utterance>& utterances) {
  std::vector<std::string> out;
  out.reserve(utterances.size());
  for (const auto& u : utterances) out.push_back(u.id);
  return out;
}

std::set<std::string> speakers(const std::vector<Utterance>& utterances) {
  std::set<std::string> out;
  for (const auto& u : utterances) out.insert(u.speaker);
  return out;
}

TEST(FindUtterances, LdcLayoutInEitherCaseFromSeveralRoots) {
  for (const bool upper : {true, false}) {
    const TemporaryFolder folder;
    const auto name = [&](const std::string& text) { return upper ? text : to_lower(text); };
    const auto root = folder.path() / "data" / name("TIMIT");
    add_utterance(root / name("TRAIN/DR1/FCJF0/SX37"), upper);
    add_utterance(root / name("TRAIN/DR1/FCJF0/SA1"), upper);
    add_utterance(root / name("TEST/DR5/FDHC0/SI1559"), upper);
    for (const auto& start : {root, folder.path() / "data", folder.path()}) {
      const auto found = find_utterances(start);
      ASSERT_THAT(ids(found), ElementsAre("fcjf0_sa1", "fcjf0_sx37", "fdhc0_si1559"));
      EXPECT_EQ(found[0].part, "train");
      EXPECT_EQ(found[0].dialect, "dr1");
      EXPECT_TRUE(found[0].is_sa());
      EXPECT_EQ(found[2].part, "test");
      EXPECT_EQ(found[2].speaker, "fdhc0");
      EXPECT_EQ(found[2].sentence, "si1559");
      EXPECT_FALSE(found[2].is_sa());
    }
    // A root inside the corpus still knows which part it is.
    EXPECT_EQ(find_utterances(root / name("TEST"))[0].part, "test");
  }
}

TEST(FindUtterances, NltkLayout) {
  const TemporaryFolder folder;
  add_utterance(folder.path() / "dr1-fvmh0/sx206", false);
  write_file(folder.path() / "timitdic.txt", "not an utterance");
  const auto found = find_utterances(folder.path());
  ASSERT_THAT(ids(found), ElementsAre("fvmh0_sx206"));
  EXPECT_EQ(found[0].dialect, "dr1");
  EXPECT_EQ(found[0].part, "");
}

TEST(FindUtterances, RepacksWithTwoAudioFilesAreTakenOnce) {
  const TemporaryFolder folder;
  const auto base = folder.path() / "TRAIN/DR1/FCJF0";
  add_utterance(base / "SX37");
  write_file(base / "SX37.WAV.wav", "converted copy");
  write_file(base / "._SX37.WAV", "a Mac's shadow file");
  write_file(base / "SX37.WRD", "0 1 word");
  const auto found = find_utterances(folder.path());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].audio.filename(), "SX37.WAV");
  std::filesystem::rename(base / "SX37.WAV", base / "SX37.WAV.wav");
  EXPECT_EQ(find_utterances(folder.path())[0].audio.filename(), "SX37.WAV.wav");
}

TEST(FindUtterances, ProblemsAreNamed) {
  const TemporaryFolder folder;
  const auto find = [&] { find_utterances(folder.path()); };
  EXPECT_THAT(error_of([] { find_utterances(""); }), HasSubstr("2 data.root is not set"));
  EXPECT_THAT(error_of([&] { find_utterances(folder.path() / "no"); }),
              HasSubstr("is not a folder"));
  EXPECT_THAT(error_of(find), HasSubstr("no utterances below it"));
  const auto base = folder.path() / "TRAIN/DR1/FCJF0/SX37";
  add_utterance(base);
  add_utterance(folder.path() / "copy/TRAIN/DR1/FCJF0/SX37");
  EXPECT_THAT(error_of(find), HasSubstr("1 data.root"));
  EXPECT_THAT(error_of(find), HasSubstr("fcjf0_sx37 is there twice"));
  std::filesystem::remove_all(folder.path() / "copy");
  std::filesystem::remove(base.string() + ".PHN");
  EXPECT_THAT(error_of(find), AllOf(HasSubstr("SX37.WAV: no labels beside it")));
  write_file(base.string() + ".PHN", "0 10 s\n");
  std::filesystem::remove(base.string() + ".WAV");
  EXPECT_THAT(error_of(find), HasSubstr("SX37.PHN: no audio beside it"));
}

TEST(PhoneLabels, AreReadAndLookedUpBySample) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.phn";
  write_file(path, "10 100 h#\r\n100 200 SH\n\n200 300 iy\n");
  const auto segments = read_phone_labels(path, 1000);
  ASSERT_EQ(segments.size(), 3U);
  const auto symbol = [&](long long sample) {
    return phone_symbols(
        PhoneInventory::timit61)[static_cast<std::size_t>(phone_at(segments, sample))];
  };
  EXPECT_EQ(symbol(0), "h#");
  EXPECT_EQ(symbol(99), "h#");
  EXPECT_EQ(symbol(100), "sh");
  EXPECT_EQ(symbol(200), "iy");
  EXPECT_EQ(symbol(999), "iy");
}

TEST(PhoneLabels, ProblemsAreNamedWithFileAndLine) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.phn";
  const auto problem = [&](const std::string& text) {
    write_file(path, text);
    return error_of([&] { read_phone_labels(path, 300); });
  };
  EXPECT_EQ(problem("0 300 h#\n"), "accepted");
  EXPECT_THAT(problem("0 100 h#\n100 200 iyy\n"),
              AllOf(HasSubstr("1 "), HasSubstr("a.phn:2: found phone 'iyy'"),
                    HasSubstr("did you mean 'iy'?")));
  EXPECT_THAT(problem("0 100 h#\n100 100 s\n"),
              HasSubstr("a.phn:2: found a label from sample 100"));
  EXPECT_THAT(problem("-5 100 h#\n"), HasSubstr("a.phn:1: found a label from sample -5"));
  EXPECT_THAT(problem("0 100 h#\n100 301 s\n"),
              HasSubstr("a.phn:2: found a label that ends at sample 301, expected at most 300"));
  EXPECT_THAT(problem("100 200 s\n0 100 h#\n"), HasSubstr("a.phn:2: found a label that begins at"));
  EXPECT_THAT(problem("0 100\n"), HasSubstr("a.phn:1: found '0 100', expected 'begin end phone'"));
  EXPECT_THAT(problem("0 1e2 s\n"), HasSubstr("a.phn:1: found '0 1e2 s'"));
  EXPECT_THAT(problem("\n"), HasSubstr("a.phn: no labels"));
}

/// TRAIN: 2 of dr1, 1 of dr2. TEST: two core, two of Kaldi's dev, one of neither.
class FullLayout : public testing::Test {
 protected:
  FullLayout() {
    for (const char* speaker :
         {"TRAIN/DR1/FCJF0", "TRAIN/DR1/MCPM0", "TRAIN/DR2/FAEM0", "TEST/DR1/FELC0",
          "TEST/DR1/MDAB0", "TEST/DR1/FAKS0", "TEST/DR2/MABC0", "TEST/DR3/MRTK0"}) {
      for (const char* sentence : {"SA1", "SX1", "SI500"}) {
        add_utterance(folder_.path() / speaker / sentence);
      }
    }
    corpus_ = find_utterances(folder_.path());
  }
  std::set<std::string> chosen(Split split) {
    return speakers(select_split(corpus_, data_, split));
  }
  std::string problem(Split split) {
    return error_of([&] { select_split(corpus_, data_, split); });
  }

  TemporaryFolder folder_;
  std::vector<Utterance> corpus_;
  DataOptions data_;
};

TEST_F(FullLayout, DefaultsAreKaldis) {
  EXPECT_THAT(chosen(Split::train), ElementsAre("faem0", "fcjf0", "mcpm0"));
  EXPECT_THAT(chosen(Split::dev), ElementsAre("faks0", "mrtk0"));
  EXPECT_THAT(chosen(Split::test), ElementsAre("felc0", "mdab0"));
  EXPECT_EQ(select_split(corpus_, data_, Split::train).size(), 6U);
  data_.include_sa = true;
  EXPECT_EQ(select_split(corpus_, data_, Split::train).size(), 9U);
}

TEST_F(FullLayout, NamesDialectsAndFiles) {
  data_.train_speakers = {"DR1"};
  data_.dev_speakers = {"Mabc0", "dr2-faem0"};
  EXPECT_THAT(chosen(Split::train), ElementsAre("fcjf0", "mcpm0")) << "dr1 in TRAIN only";
  EXPECT_THAT(chosen(Split::dev), ElementsAre("faem0", "mabc0"));
  data_.train_speakers = {};
  EXPECT_THAT(chosen(Split::train), ElementsAre("fcjf0", "mcpm0")) << "faem0 is in dev";
  const auto list = folder_.path() / "test.txt";
  write_file(list, "MRTK0  # a comment\n\nmdab0\n");
  data_.test_speakers = {list.string()};
  EXPECT_THAT(chosen(Split::test), ElementsAre("mdab0", "mrtk0"));
  data_.test_speakers = {"dr1"};
  EXPECT_THAT(chosen(Split::test), ElementsAre("faks0", "fcjf0", "felc0", "mcpm0", "mdab0"));
}

TEST_F(FullLayout, ProblemsAreNamed) {
  data_.dev_speakers = {"mrtk1"};
  EXPECT_THAT(problem(Split::dev),
              AllOf(HasSubstr("2 data.dev_speakers: the corpus has no speaker or dialect 'mrtk1'"),
                    HasSubstr("did you mean 'mrtk0'?"), HasSubstr("dr2: faem0 mabc0")));
  data_.dev_speakers = {"dr1-mrtk0"};
  EXPECT_THAT(problem(Split::dev), HasSubstr("did you mean 'dr3-mrtk0'?"));
  data_.dev_speakers = {"dr8"};
  EXPECT_THAT(problem(Split::dev), HasSubstr("no speaker or dialect 'dr8'"));
  data_.dev_speakers = {"lists/dev.txt"};
  EXPECT_THAT(problem(Split::dev), HasSubstr("file lists/dev.txt does not exist"));
  data_.dev_speakers = {"mdab0"};
  EXPECT_THAT(problem(Split::train), HasSubstr("speaker mdab0 is in both the dev and the test"));
  data_.dev_speakers = {"dr1", "dr2"};
  data_.test_speakers = {"dr3"};
  EXPECT_THAT(problem(Split::train), HasSubstr("the train split has no utterances"));
}

TEST_F(FullLayout, LimitTakesUtterancesFromAllOver) {
  data_.limit = 3;
  EXPECT_THAT(ids(select_split(corpus_, data_, Split::train)),
              ElementsAre("faem0_si500", "fcjf0_si500", "mcpm0_si500"));
  data_.limit = 100;
  EXPECT_EQ(select_split(corpus_, data_, Split::train).size(), 6U);
}

TEST(Splits, WithoutCoreSpeakersTestIsTheRestOfTheFolder) {
  const TemporaryFolder folder;
  for (const char* speaker : {"TRAIN/DR1/FAAA0", "TEST/DR1/FBBB0", "TEST/DR1/FCCC0"}) {
    add_utterance(folder.path() / speaker / "SX1");
  }
  const auto corpus = find_utterances(folder.path());
  DataOptions data;
  EXPECT_THAT(speakers(select_split(corpus, data, Split::test)), ElementsAre("fbbb0", "fccc0"));
  data.dev_speakers = {"fbbb0"};
  EXPECT_THAT(speakers(select_split(corpus, data, Split::test)), ElementsAre("fccc0"));
  EXPECT_THAT(speakers(select_split(corpus, data, Split::train)), ElementsAre("faaa0"));
}

TEST(Splits, ListsAreKaldis) {
  const std::set<std::string> dev(kaldi_dev_speakers().begin(), kaldi_dev_speakers().end());
  const std::set<std::string> core(core_test_speakers().begin(), core_test_speakers().end());
  EXPECT_EQ(dev.size(), 50U);
  EXPECT_EQ(core.size(), 24U);
  const auto women = [](const std::set<std::string>& names) {
    return std::count_if(names.begin(), names.end(), [](const auto& n) { return n[0] == 'f'; });
  };
  EXPECT_EQ(women(dev), 18);
  EXPECT_EQ(women(core), 8);
  for (const auto& name : core) EXPECT_EQ(dev.count(name), 0U) << name;
}

TEST(LoadSplit, LabelsFollowTheFramesCentres) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "TRAIN/DR1/FAAA0/SX1";
  add_utterance(path);
  // Centres lie at 200, 360, ... 1320: three frames before sample 600, one in q, the rest in s.
  write_file(path.string() + ".PHN", "0 600 h#\n600 700 q\n700 1500 s\n");
  DataOptions data;
  data.root = folder.path();
  const auto index = [&](const char* symbol) { return phone_index(data.phones, symbol); };
  auto loaded = load_split(data, FeatureOptions{}, Split::train, true);
  ASSERT_EQ(loaded.size(), 1U);
  const int h = index("h#");
  const int s = index("s");
  EXPECT_EQ(loaded[0].id, "faaa0_sx1");
  EXPECT_EQ(loaded[0].speaker, "faaa0");
  EXPECT_DOUBLE_EQ(loaded[0].seconds, 0.1);
  EXPECT_EQ(loaded[0].frames, 8);
  EXPECT_EQ(loaded.read(0).features.cols, 123);
  EXPECT_EQ(loaded.read(0).features.rows, 8);
  EXPECT_THAT(loaded.read(0).labels, ElementsAre(h, h, h, index("q"), s, s, s, s));
  EXPECT_THAT(loaded[0].phones, ElementsAre(h, index("q"), s));
  data.phones = PhoneInventory::timit39;
  loaded = load_split(data, FeatureOptions{}, Split::train, true);
  const int sil = index("sil");
  const int s39 = index("s");
  EXPECT_THAT(loaded.read(0).labels, ElementsAre(sil, sil, sil, -1, s39, s39, s39, s39));
  EXPECT_THAT(loaded[0].phones, ElementsAre(sil, s39));
}

TEST(LoadSplit, TrainIsThereAtEverySpeed) {
  const TemporaryFolder folder;
  for (const char* speaker : {"TRAIN/DR1/FAAA0", "TEST/DR1/FBBB0"})
    add_utterance(folder.path() / speaker / "SX1");
  DataOptions data;
  data.root = folder.path();
  data.speeds = {1, 0.8};
  const auto train = load_split(data, FeatureOptions{}, Split::train, true);
  ASSERT_EQ(train.size(), 2U);
  EXPECT_EQ(train[0].id, "faaa0_sx1");
  EXPECT_EQ(train[1].id, "sp0.8-faaa0_sx1");
  EXPECT_EQ(train[1].speaker, "faaa0");
  EXPECT_NEAR(train[1].seconds, 0.1 / 0.8, 1e-4);
  EXPECT_EQ(train[1].phones, train[0].phones);
  // The centres lie at 200, 360, ...; the second label begins at sample 800, or 1000.
  const int s = phone_index(data.phones, "s");
  const auto first_s = [&](std::size_t i) {
    const auto labels = train.read(i).labels;
    return std::find(labels.begin(), labels.end(), s) - labels.begin();
  };
  EXPECT_EQ(first_s(0), 4);
  EXPECT_EQ(first_s(1), 5);
  EXPECT_EQ(load_split(data, FeatureOptions{}, Split::test, true).size(), 1U);
  const auto problem = [&](std::vector<double> speeds) {
    data.speeds = std::move(speeds);
    return error_of([&] { load_split(data, FeatureOptions{}, Split::train, true); });
  };
  EXPECT_EQ(problem({1, 0.9, 1}), "2 data.speeds: found 1 twice, expected each speed once");
  EXPECT_EQ(problem({3}), "2 data.speeds: found 3, expected 0.5 to 2");
  EXPECT_EQ(problem({}), "2 data.speeds: found none, expected at least one");
}

TEST(LoadSplit, ProblemsAreNamed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "TRAIN/DR1/FAAA0/SX1";
  add_utterance(path);
  DataOptions data;
  data.root = folder.path();
  const auto problem = [&](const FeatureOptions& options = {}) {
    return error_of([&] { load_split(data, options, Split::train, true); });
  };
  EXPECT_EQ(problem(), "accepted");
  FeatureOptions slow;
  slow.sample_rate = 8000;
  EXPECT_THAT(problem(slow), HasSubstr("SX1.WAV: found 16000 Hz, expected 8000 Hz"));
  write_file(path.string() + ".PHN", "0 800 h#\n800 1601 s\n");
  EXPECT_THAT(problem(), HasSubstr("SX1.PHN:2: found a label that ends at sample 1601, expected at "
                                   "most 1600"));
  Audio audio;
  audio.sample_rate = 16000;
  audio.samples.assign(399, 0.0F);
  write_wav(path.string() + ".WAV", audio);
  write_file(path.string() + ".PHN", "0 399 h#\n");
  EXPECT_THAT(problem(), HasSubstr("found 399 samples, expected at least one frame of 400"));
}

/// The speakers that the tests of the sample count: NLTK's without those of dr3 and dr7, which a
/// folder may have or lack.
const std::vector<std::string>& sample_speakers() {
  static const std::vector<std::string> names =
      split_words("fvmh0 mcpm0 faem0 marc0 falr0 maeb0 ftlg0 mbgt0 fapb0 mbma1 fbcg1 mbcg0");
  return names;
}

std::vector<Utterance> find_sample_utterances(const std::filesystem::path& sample) {
  const auto& names = sample_speakers();
  std::vector<Utterance> own;
  for (const auto& u : find_utterances(sample)) {
    if (std::find(names.begin(), names.end(), u.speaker) != names.end()) own.push_back(u);
  }
  return own;
}

TEST(SpreadPlaces, AreEvenAndAtMostSoMany) {
  EXPECT_EQ(spread_places(10, 4), (std::vector<std::size_t>{0, 2, 5, 7}));
  EXPECT_EQ(spread_places(3, 4), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(spread_places(3, 0), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_TRUE(spread_places(0, 4).empty());
}

TEST(TimitSample, IsFoundWhole) {
  const auto sample = timit_sample();
  if (sample.empty()) GTEST_SKIP() << kTimitSampleMissing;
  const auto corpus = find_sample_utterances(sample);
  EXPECT_EQ(corpus.size(), 120U);
  const auto list = list_speakers(corpus);
  ASSERT_EQ(list.size(), 12U);
  for (const auto& speaker : list) EXPECT_EQ(speaker.utterances, 10) << speaker.name;
  EXPECT_EQ(list[0].name, "fvmh0");
}

TEST(TimitSample, SplitsMustBeNamed) {
  const auto sample = timit_sample();
  if (sample.empty()) GTEST_SKIP() << kTimitSampleMissing;
  DataOptions data;
  data.root = sample;
  const auto corpus = find_sample_utterances(sample);
  EXPECT_THAT(error_of([&] { select_split(corpus, data, Split::test); }),
              AllOf(HasSubstr("2 data.test_speakers is empty and the corpus has no TRAIN and TEST"),
                    HasSubstr("dr5: ftlg0 mbgt0")));
  EXPECT_THAT(error_of([&] { select_split(corpus, data, Split::dev); }),
              HasSubstr("data.dev_speakers is empty and the corpus has none of Kaldi's 50"));
  data.test_speakers = {"dr5"};
  data.dev_speakers = {"dr8-mbcg0"};
  EXPECT_EQ(select_split(corpus, data, Split::train).size(), 72U);
  EXPECT_EQ(select_split(corpus, data, Split::dev).size(), 8U);
  EXPECT_EQ(select_split(corpus, data, Split::test).size(), 16U);
}

// The expected counts were made from the label files by a program of its own.
TEST(TimitSample, EveryUtteranceLoadsWithTheExpectedLabels) {
  const auto sample = timit_sample();
  if (sample.empty()) GTEST_SKIP() << kTimitSampleMissing;
  DataOptions data;
  data.root = sample;
  data.train_speakers = sample_speakers();
  const auto all = load_split(data, FeatureOptions{}, Split::train, true);
  ASSERT_EQ(all.size(), 96U);
  double seconds = 0;
  std::size_t phones = 0;
  std::vector<long long> frames(61, 0);
  long long total = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const UtteranceInfo& u = all[i];
    const UtteranceFrames own = all.read(i);
    ASSERT_EQ(own.labels.size(), static_cast<std::size_t>(own.features.rows));
    for (const int label : own.labels) ++frames.at(static_cast<std::size_t>(label));
    for (const float value : own.features.data) ASSERT_TRUE(std::isfinite(value)) << u.id;
    total += own.features.rows;
    phones += u.phones.size();
    seconds += u.seconds;
  }
  const auto count = [&](const char* symbol) {
    return frames[static_cast<std::size_t>(phone_index(PhoneInventory::timit61, symbol))];
  };
  EXPECT_EQ(phones, 3706U);
  EXPECT_EQ(total, 28736);
  EXPECT_NEAR(seconds, 289.263, 1e-3);
  EXPECT_EQ(count("h#"), 3293);
  EXPECT_EQ(count("q"), 453);
  EXPECT_EQ(count("s"), 1746);
  EXPECT_EQ(count("iy"), 1146);
  for (const auto& symbol : phone_symbols(PhoneInventory::timit61)) {
    EXPECT_GT(count(symbol.c_str()), 0) << symbol;
  }
  // 70 of the labels are q, which the sets of 48 and 39 delete.
  data.phones = PhoneInventory::timit39;
  std::size_t folded = 0;
  const UtteranceSet fewer = load_split(data, FeatureOptions{}, Split::train, true);
  for (const auto& u : fewer.infos()) folded += u.phones.size();
  EXPECT_EQ(folded, 3706U - 70);
}

TEST(TimitSample, TruncatedCopyIsRefused) {
  const auto sample = timit_sample();
  if (sample.empty()) GTEST_SKIP() << kTimitSampleMissing;
  const std::string bytes = read_file(sample / "dr1-fvmh0/sx206.wav");
  const TemporaryFolder folder;
  write_file(folder.path() / "dr1-fvmh0/sx206.wav", bytes.substr(0, bytes.size() / 2));
  write_file(folder.path() / "dr1-fvmh0/sx206.phn", read_file(sample / "dr1-fvmh0/sx206.phn"));
  DataOptions data;
  data.root = folder.path();
  EXPECT_THAT(error_of([&] { load_split(data, FeatureOptions{}, Split::train, true); }),
              AllOf(HasSubstr("1 "), HasSubstr("sx206.wav: truncated RIFF file"),
                    HasSubstr(fmt::format("expected {}", bytes.size() - 44))));
}

}  // namespace
}  // namespace ernn
