// Features on disk: the bits of those in memory, or no file at all.
#include "features/feature_cache.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "features/feature_cache_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tone_corpus.h"

namespace ernn {
namespace {

using testing::AllOf;
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

/// Five utterances of one speaker, a cache folder beside them.
class FeatureCache : public testing::Test {
 protected:
  FeatureCache() {
    data.root = folder.path() / "corpus";
    data.cache = folder.path() / "cache";
    features.preset = "mfcc39";
    add_tone_speech(data.root, "TRAIN", "FAAA0", 5, 0.5);
  }

  std::filesystem::path path() const { return feature_cache_path(data, features, Split::train); }
  std::filesystem::path source(int sentence, const char* ending) const {
    return data.root / fmt::format("TRAIN/DR1/FAAA0/SX{}{}", sentence, ending);
  }
  UtteranceSet load() const { return load_split(data, features, Split::train, true); }
  std::string make(const std::function<void()>& go_on = [] {}) const {
    return make_feature_cache(data, features, Split::train, true, go_on);
  }

  /// What making it says on standard error.
  std::string said_when_made() const {
    testing::internal::CaptureStderr();
    make_feature_cache(data, features, Split::train, false);
    return testing::internal::GetCapturedStderr();
  }

  UtteranceSet load_in_memory() const {
    DataOptions plain = data;
    plain.cache.clear();
    return load_split(plain, features, Split::train, true);
  }

  void expect_as_in_memory() const {
    const UtteranceSet expected = load_in_memory();
    const UtteranceSet found = load();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(found[i].id, expected[i].id);
      EXPECT_EQ(found[i].speaker, expected[i].speaker);
      EXPECT_EQ(found[i].seconds, expected[i].seconds);
      EXPECT_EQ(found[i].frames, expected[i].frames);
      EXPECT_EQ(found[i].phones, expected[i].phones);
      EXPECT_EQ(found.read(i).labels, expected.read(i).labels);
      EXPECT_EQ(found.read(i).features.cols, expected.read(i).features.cols);
      EXPECT_EQ(found.read(i).features.data, expected.read(i).features.data) << "not the same bits";
    }
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(data.cache))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> only_a_good_file() const {
    const std::string name = path().filename().string();
    return {name, name + ".lock"};
  }

  ino_t inode() const {
    struct stat status {};
    EXPECT_EQ(::stat(path().c_str(), &status), 0);
    return status.st_ino;
  }

  TemporaryFolder folder;
  DataOptions data;
  FeatureOptions features;
};

TEST_F(FeatureCache, GivesTheBitsOfReadingIntoMemory) {
  expect_as_in_memory();  // just made
  expect_as_in_memory();  // from the file
  EXPECT_EQ(files(), only_a_good_file());
  EXPECT_EQ(load().bytes_in_memory(), 0U);
  std::size_t frames = 0;
  const UtteranceSet memory = load_in_memory();
  for (const auto& info : memory.infos()) frames += static_cast<std::size_t>(info.frames);
  EXPECT_EQ(memory.bytes_in_memory(), frames * 40 * 4);
  UtteranceSet normalised = load();
  normalised.normalise({std::vector<double>(39, 1.0), std::vector<double>(39, 2.0)});
  EXPECT_EQ(normalised.read(3).features.at(2, 1), (load().read(3).features.at(2, 1) - 1) * 2);
}

TEST_F(FeatureCache, IsMadeOnceForEachSetOfOptions) {
  const std::string digest = make();
  const ino_t first = inode();
  EXPECT_EQ(make(), digest);
  EXPECT_EQ(said_when_made(), "");
  EXPECT_EQ(inode(), first);
  const auto other = [&](auto change) {
    const DataOptions data_before = data;
    const FeatureOptions features_before = features;
    change();
    EXPECT_NE(make(), digest);
    EXPECT_NE(inode(), first);
    expect_as_in_memory();
    data = data_before;
    features = features_before;
  };
  other([&] { data.limit = 2; });
  other([&] { data.phones = PhoneInventory::timit39; });
  other([&] { features.preset = "fbank123"; });
  EXPECT_EQ(files().size(), 8U);
  EXPECT_EQ(inode(), first);
  // The same place and features by other words.
  data.root = data.root.parent_path() / "." / "corpus";
  features.preset.clear();
  features.type = FeatureType::mfcc;
  features.bins = 23;
  features.energy = false;
  EXPECT_EQ(make(), digest);
  EXPECT_EQ(files().size(), 8U);
}

TEST_F(FeatureCache, AChangedCorpusIsNoticed) {
  make();
  const std::string labels = read_file(source(2, ".PHN"));
  std::string changed = labels;
  changed.replace(changed.find(" h#"), 3, " pau");
  write_file(source(2, ".PHN"), changed);
  EXPECT_THAT(said_when_made(),
              AllOf(HasSubstr(path().string() + ": utterance faaa0_sx2: audio or labels have "
                                                "changed since; it is made anew")));
  expect_as_in_memory();
  // The same size, another date.
  const std::string audio = read_file(source(4, ".WAV"));
  write_file(source(4, ".WAV"), audio);
  EXPECT_THAT(said_when_made(), HasSubstr("utterance faaa0_sx4: audio or labels have changed"));
  std::filesystem::remove(source(5, ".WAV"));
  std::filesystem::remove(source(5, ".PHN"));
  EXPECT_THAT(said_when_made(), HasSubstr("has 5 utterances, the corpus has 4"));
  expect_as_in_memory();
  std::filesystem::rename(source(1, ".WAV"), source(6, ".WAV"));
  std::filesystem::rename(source(1, ".PHN"), source(6, ".PHN"));
  EXPECT_THAT(said_when_made(),
              HasSubstr("has utterance faaa0_sx1 where the corpus has faaa0_sx2"));
  expect_as_in_memory();
  EXPECT_EQ(said_when_made(), "");
}

TEST_F(FeatureCache, FeaturesThatComeOutOtherwiseAreNoticed) {
  make();
  const FeatureCacheFile made = open_cache_file(path());
  const auto rewrite = [&](float difference) {
    FeatureCacheWriter writer(path(), made.options);
    for (std::size_t i = 0; i < made.utterances.size(); ++i) {
      const UtteranceInfo& info = made.utterances[i];
      UtteranceFrames frames = made.utterances.read(i);
      frames.features.at(3, 7) += difference;
      writer.add({info.id, info.speaker, info.seconds, frames.features, frames.labels, info.phones},
                 made.stamps[i]);
    }
    writer.commit();
  };
  rewrite(1e-5F);  // as on another machine
  EXPECT_EQ(said_when_made(), "");
  rewrite(1);
  EXPECT_THAT(said_when_made(), HasSubstr("utterance faaa0_sx1 comes out otherwise now"));
  expect_as_in_memory();
}

TEST_F(FeatureCache, BrokenFilesAreMadeAnew) {
  make();
  const std::string good = read_file(path());
  std::vector<std::pair<std::string, std::string>> broken;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, std::size_t{47}, good.size() / 2, good.size() - 1})
    broken.emplace_back(good.substr(0, size), "truncated: ");
  const auto flipped = [&](std::size_t at) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return bytes;
  };
  broken.emplace_back(flipped(0), "is no feature cache of ernn");
  broken.emplace_back(flipped(8), "format 0, expected 1");
  broken.emplace_back(flipped(12), "another byte order");
  broken.emplace_back(flipped(good.size() - 200), "its index is not what was written");
  broken.emplace_back(flipped(good.size() - 10), "its index is not what was written");
  broken.emplace_back(good + "x", "truncated: ");
  broken.emplace_back(flipped(16), "utterance 1 of 5 is not what was written");
  for (const auto& [bytes, message] : broken) {
    write_file(path(), bytes);
    EXPECT_THAT(said_when_made(), AllOf(HasSubstr(path().string() + ": "), HasSubstr(message),
                                        HasSubstr("; it is made anew\n")));
    EXPECT_EQ(read_file(path()), good);
  }
}

TEST_F(FeatureCache, FramesThatAreNotWhatWasWrittenAreRefusedWhenTheyAreRead) {
  const std::string digest = make();
  const auto first = static_cast<std::size_t>(load()[0].frames) * 40 * 4;
  std::string bytes = read_file(path());
  bytes[16 + first + 100] = static_cast<char>(bytes[16 + first + 100] ^ 64);
  write_file(path(), bytes);
  UtteranceSet set = open_feature_cache(data, features, Split::train, digest);
  set.read(0);
  EXPECT_THAT(
      error_of([&] { set.read(1); }),
      AllOf(HasSubstr("1 " + path().string() + ": utterance 2 of 5 is not what was written"),
            HasSubstr("remove the file")));
  // A file that shrinks while it is open.
  std::filesystem::resize_file(path(), 16 + first + 100);
  EXPECT_THAT(error_of([&] { set.read(1); }), HasSubstr("truncated: ends at byte"));
}

TEST_F(FeatureCache, IsOpenedOnlyAsWhatItWasMadeFrom) {
  const auto open = [&](const std::string& digest) {
    return error_of([&] { open_feature_cache(data, features, Split::train, digest); });
  };
  EXPECT_THAT(open("0"), HasSubstr(path().string() + ": cannot be opened"));
  const std::string digest = make();
  EXPECT_EQ(open(digest), "accepted");
  write_file(source(2, ".WAV"), read_file(source(2, ".WAV")));
  EXPECT_NE(make(), digest);
  EXPECT_THAT(open(digest), HasSubstr("was made from other files"));
}

TEST_F(FeatureCache, AKilledWriterLeavesNothingThatIsBelieved) {
  const pid_t child = ::fork();
  if (child == 0) {
    make([calls = 0]() mutable {
      if (++calls == 3) std::raise(SIGKILL);
    });
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(std::filesystem::exists(path()));
  ASSERT_EQ(files().size(), 2U) << "the lock and what was written";
  expect_as_in_memory();
  EXPECT_EQ(files(), only_a_good_file());
}

TEST_F(FeatureCache, GivingUpLeavesTheFileThatWasThere) {
  make();
  write_file(source(2, ".WAV"), read_file(source(2, ".WAV")));
  const std::string before = read_file(path());
  EXPECT_THAT(error_of([&] { make([] { throw DataError("enough"); }); }), HasSubstr("enough"));
  EXPECT_EQ(read_file(path()), before);
  EXPECT_EQ(files(), only_a_good_file());
}

TEST_F(FeatureCache, AFullDiskIsNamed) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 10000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  int utterances = 0;
  const std::string error = error_of([&] { make([&] { ++utterances; }); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(error, AllOf(HasSubstr("1 " + path().string() + ": write failed"),
                           HasSubstr("File too large")));
  EXPECT_LT(utterances, 5) << "went on behind a failed write";
  EXPECT_EQ(files(), std::vector<std::string>{path().filename().string() + ".lock"});
  expect_as_in_memory();
}

TEST_F(FeatureCache, OneProcessMakesItWhileTheOthersWait) {
  std::atomic<bool> waiting{false};
  std::atomic<bool> made{false};
  std::atomic<int> calls_after{0};
  std::string second;
  std::thread other;
  const std::string first = make([&] {
    if (!other.joinable()) {
      other = std::thread([&] {
        second = make([&] {
          waiting = true;
          if (made) ++calls_after;
        });
      });
    }
    while (!waiting) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  made = true;
  other.join();
  EXPECT_EQ(first, second);
  // Waiting may ask once more before it sees the file; making asks for each utterance.
  EXPECT_LE(calls_after, 1);
  EXPECT_EQ(files(), only_a_good_file());
}

TEST_F(FeatureCache, ProblemsOfTheCorpusAndTheFolderAreNamed) {
  write_file(source(3, ".PHN"), "0 100000 h#\n");
  EXPECT_THAT(error_of([&] { make(); }), HasSubstr("SX3.PHN:1: found a label that ends at sample"));
  EXPECT_EQ(files(), std::vector<std::string>{path().filename().string() + ".lock"});
  data.cache = source(1, ".WAV");
  EXPECT_THAT(error_of([&] { make(); }), HasSubstr("SX1.WAV: cannot be created"));
}

/// The most memory that this process has had since the last forget_peak().
double peak_memory() {
  for (const std::string& line : split(read_file("/proc/self/status"), '\n')) {
    const auto words = split_words(line);
    double kilobytes = 0;
    if (words.size() == 3 && words[0] == "VmHWM:" && parse_double(words[1], kilobytes))
      return 1024 * kilobytes;
  }
  ADD_FAILURE() << "/proc/self/status has no VmHWM";
  return 0;
}

/// Gives back what earlier tests have freed, too: it would hide what is taken.
void forget_peak() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
  std::ofstream("/proc/self/clear_refs") << "5";
}

TEST(FeatureCacheFile, NeedsNoMoreMemoryThanWhatIsHeld) {
  if (ERNN_SANITIZED) GTEST_SKIP() << "sanitizers keep freed memory";
  constexpr int kUtterances = 64;
  constexpr double kBytes = 1e6;  // of an utterance
  const TemporaryFolder folder;
  LabelledUtterance utterance;
  utterance.features = FrameMatrix(static_cast<int>(kBytes / (40 * 4)), 39);
  utterance.frame_labels.resize(static_cast<std::size_t>(utterance.features.rows));
  forget_peak();
  const double before = peak_memory();
  FeatureCacheWriter writer(folder.path() / "a", "");
  for (int i = 0; i < kUtterances; ++i) {
    utterance.features.at(0, 0) = static_cast<float>(i);
    writer.add(utterance, 0);
  }
  writer.commit();
  const UtteranceSet set = open_cache_file(folder.path() / "a").utterances;
  for (std::size_t i = 0; i < set.size(); ++i)
    EXPECT_EQ(set.read(i).features.at(0, 0), static_cast<float>(i));
  EXPECT_LT(peak_memory() - before, 8 * kBytes);
  std::vector<UtteranceFrames> held;
  for (std::size_t i = 0; i < set.size(); ++i) held.push_back(set.read(i));
  EXPECT_GT(peak_memory() - before, 0.9 * kUtterances * kBytes) << "the measure sees nothing";
}

TEST(MemoryAdvice, IsGivenWhenFeaturesTakeMoreThanHalf) {
  EXPECT_EQ(memory_advice(Split::train, 4e9, 8e9), "");
  EXPECT_EQ(memory_advice(Split::train, 4e9, 0), "");
  EXPECT_EQ(memory_advice(Split::train, 5e9, 8e9),
            "train: the features take about 5.0 GB of this machine's 8.0 GB of memory; "
            "data.cache=DIR keeps them on disk");
}

}  // namespace
}  // namespace ernn
