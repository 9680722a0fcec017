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
