#include "explore/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

TEST(Platform, FilesOfTheRepositoryAreRead) {
  int files = 0;
  const std::filesystem::path folder = std::filesystem::path(ERNN_SOURCE_DIR) / "configs/platforms";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const Platform platform = find_platform(entry.path().stem().string(), folder);
    EXPECT_GT(platform.limits().dsp, 100) << entry.path();
    EXPECT_LT(platform.limits().dsp, platform.dsp);
    ++files;
  }
  EXPECT_EQ(files, 5);
}

TEST(Platform, MistakesAreNamed) {
  const std::filesystem::path folder = std::filesystem::path(ERNN_SOURCE_DIR) / "configs/platforms";
  EXPECT_THAT([&] { find_platform("ku06", folder); },
              testing::ThrowsMessage<UsageError>(testing::AllOf(
                  testing::HasSubstr("did you mean 'ku060'"), testing::HasSubstr("zcu104"))));
  const TemporaryFolder temporary;
  const auto file = temporary.path() / "x.yaml";
  write_file(file, "dsp: 10\nbram36: 10\nlut: 10\nff: 10\nusable: 2\n");
  EXPECT_THAT([&] { load_platform(file); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("usable: found 2")));
  const auto refuses = [&](const std::string& assumption, const std::string& message) {
    write_file(file, "dsp: 10\nbram36: 10\nlut: 10\nff: 10\n" + assumption + "\n");
    EXPECT_THAT([&] { load_platform(file); },
                testing::ThrowsMessage<UsageError>(testing::HasSubstr(message)));
  };
  for (const char* delay : {"adder_ns", "multiplier_ns", "narrow_ns", "lookup_ns"}) {
    refuses(std::string("logic: {") + delay + ": 0}",
            std::string("logic.") + delay + ": found 0, expected more than 0");
  }
  refuses("logic: {lut_per_stage: -1}", "logic.lut_per_stage: found -1, expected 0 or more");
  refuses("energy: {ff_pj: -0.5}", "energy.ff_pj: found -0.5, expected 0 or more");
}

TEST(Platform, ShortageTellsWhatIsNeededFromWhatIsThere) {
  Platform platform;
  platform.dsp = 10;
  platform.bram36 = 140;
  platform.lut = platform.ff = 1000;
  Resources needs;
  needs.bram36 = 126;
  EXPECT_EQ(shortage(needs, platform), "");
  needs.bram36 = 126.5;
  EXPECT_EQ(shortage(needs, platform), "126.5 BRAM36 are needed and 126.0 may be used");
  needs.bram36 = 130;
  EXPECT_EQ(shortage(needs, platform), "130 BRAM36 are needed and 126 may be used");
}

TEST(Memory, TakesTheShapeWithTheFewestBlocks) {
  EXPECT_EQ(memory_cost(72, 512).bram36, 1);
  EXPECT_EQ(memory_cost(73, 512).bram36, 1.5);
  EXPECT_EQ(memory_cost(36, 512).bram36, 0.5);
  EXPECT_EQ(memory_cost(36, 1024).bram36, 1);
  EXPECT_EQ(memory_cost(36, 1025).bram36, 1.5);  // three of 512 words
  EXPECT_EQ(memory_cost(1, 16384).bram36, 0.5);
  EXPECT_EQ(memory_cost(1, 32768).bram36, 1);
}

TEST(Memory, IsMadeOfLutsWhenShallow) {
  EXPECT_EQ(memory_cost(12, 32).bram36, 0);
  EXPECT_EQ(memory_cost(12, 32).lutram, 8);
  EXPECT_EQ(memory_cost(12, 64).lutram, 16);
  EXPECT_GT(memory_cost(12, 65).bram36, 0);
  EXPECT_EQ(stream_cost(16, 32).lut, 16);
  EXPECT_EQ(stream_cost(16, 33).lut, memory_cost(16, 33).lut);
}

}  // namespace
}  // namespace ernn
