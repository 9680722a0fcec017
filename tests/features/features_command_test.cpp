#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "features/audio.h"
#include "features/feature_extractor.h"
#include "features/kaldi_table.h"
#include "features/phones.h"
#include "tests/support/temporary_folder.h"
#include "train/commands/commands.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// What the command printed, or "status message" when it threw.
std::string run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "features");
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (auto& argument : arguments) pointers.push_back(argument.data());
  testing::internal::CaptureStdout();
  std::string problem;
  try {
    features_command(static_cast<int>(pointers.size()), pointers.data());
  } catch (const Error& error) {
    problem = fmt::format("{} {}", error.exit_status(), error.what());
  }
  const std::string printed = testing::internal::GetCapturedStdout();
  return problem.empty() ? printed : problem;
}

/// One utterance of 0.1 s: h# and q and s.
Audio add_utterance(const std::filesystem::path& path) {
  Audio audio;
  audio.sample_rate = 16000;
  for (int i = 0; i < 1600; ++i) audio.samples.push_back(static_cast<float>(i * 37 % 200 - 100));
  write_wav(path.string() + ".WAV", audio);
  write_file(path.string() + ".PHN", "0 600 h#\n600 700 q\n700 1500 s\n");
  return audio;
}

TEST(FeaturesCommand, WritesAKaldiDataDirectory) {
  const TemporaryFolder folder;
  const auto corpus = folder.path() / "timit";
  const Audio audio = add_utterance(corpus / "TRAIN/DR1/FBBB0/SX2");
  add_utterance(corpus / "TRAIN/DR1/FBBB0/SX1");
  add_utterance(corpus / "TRAIN/DR1/FAAA0/SX1");
  const auto out = folder.path() / "data/train";
  write_file(folder.path() / "run.yaml",
             "name: x\ndata:\n  root: nowhere\n  phones: timit39\nfeatures: {preset: mfcc39}\n");
  EXPECT_EQ(run({"--config", (folder.path() / "run.yaml").string(), "--root", corpus.string(),
                 "--split", "train", "--out", out.string(), "--quiet", "--set",
                 "data.train_speakers=[faaa0,fbbb0]", "--set", "features.delta_order=2"}),
            "");
  EXPECT_EQ(read_file(out / "utt2spk"), "faaa0_sx1 faaa0\nfbbb0_sx1 fbbb0\nfbbb0_sx2 fbbb0\n");
  EXPECT_EQ(read_file(out / "spk2utt"), "faaa0 faaa0_sx1\nfbbb0 fbbb0_sx1 fbbb0_sx2\n");
  EXPECT_EQ(read_file(out / "text"), "faaa0_sx1 sil s\nfbbb0_sx1 sil s\nfbbb0_sx2 sil s\n");
  EXPECT_EQ(read_file(out / "utt2num_frames"), "faaa0_sx1 8\nfbbb0_sx1 8\nfbbb0_sx2 8\n");
  EXPECT_THAT(read_file(out / "phones.txt"), HasSubstr("sil 30\n"));

  FeatureOptions options;
  options.preset = "mfcc39";
  const FrameMatrix expected = FeatureExtractor(options).compute(audio.samples);
  int entries = 0;
  read_matrix_scp(out / "feats.scp", [&](const std::string&, const FrameMatrix& value) {
    EXPECT_EQ(value.data, expected.data);
    ++entries;
  });
  EXPECT_EQ(entries, 3);
  const int sil = phone_index(PhoneInventory::timit39, "sil");
  const int s = phone_index(PhoneInventory::timit39, "s");
  read_integers_scp(out / "labels.scp", [&](const std::string&, const KaldiIntegers& value) {
    EXPECT_THAT(value, ElementsAre(sil, sil, sil, -1, s, s, s, s));
  });
}

TEST(FeaturesCommand, ShowsArchives) {
  const TemporaryFolder folder;
  const auto ark = (folder.path() / "a.ark").string();
  const auto scp = (folder.path() / "a.scp").string();
  KaldiTableWriter writer(ark, scp);
  FrameMatrix value(2, 3);
  value.data = {1, -2.5F, 3, 4, 5, 6};
  writer.write("utt", value);
  writer.commit();
  const std::string shown = "utt 2 x 3 min -2.5 max 6\n1 entries, 2 rows\n";
  EXPECT_EQ(run({"--ark", ark}), shown);
  EXPECT_EQ(run({"--scp", scp}), shown);
  EXPECT_THAT(run({"--ark", ark, "--integers"}), HasSubstr("1 " + ark));

  KaldiTableWriter labels(ark);
  labels.write("utt", KaldiIntegers{4, -1, 7});
  labels.commit();
  EXPECT_EQ(run({"--ark", ark, "--integers"}), "utt 3 min -1 max 7\n1 entries, 3 elements\n");

  value.at(1, 1) = std::numeric_limits<float>::quiet_NaN();
  KaldiTableWriter broken(ark);
  broken.write("utt", value);
  broken.commit();
  EXPECT_EQ(run({"--ark", ark}), "1 " + ark + ": found 1 values that are not finite");
}

TEST(FeaturesCommand, MistakesAreNamed) {
  EXPECT_THAT(run({"--split", "train"}), HasSubstr("2 ernn features: --out is missing"));
  EXPECT_THAT(run({"--out", "x", "--split", "tests"}),
              AllOf(HasSubstr("2 "), HasSubstr("--split"), HasSubstr("one of train, dev, test")));
  EXPECT_THAT(run({"--spilt", "x"}), HasSubstr("did you mean '--split'?"));
  EXPECT_THAT(run({"--ark", "x", "--scp", "y"}), HasSubstr("do not go together"));
  EXPECT_THAT(run({"--integers"}), HasSubstr("needs --ark or --scp"));
  const auto with = [](const std::string& assignment) {
    return run({"--out", "x", "--split", "train", "--set", assignment});
  };
  EXPECT_THAT(with("feature.bins=3"), HasSubstr("did you mean 'features'?"));
  EXPECT_THAT(with("features.bin=3"), HasSubstr("did you mean 'bins'?"));
  EXPECT_THAT(with("data.limit=1"), HasSubstr("data.root is not set"));
}

}  // namespace
}  // namespace ernn
