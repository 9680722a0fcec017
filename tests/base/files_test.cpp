#include "base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

TEST(Files, AbandonedFileLeavesTheOldOneAlone) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.txt";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.stream() << "half of the new";
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Files, FullDiskIsReportedByNameAndLosesNothing) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.txt";
  write_file(path, "old");
  AtomicFile file(path);
  // The same stream, now on a device that accepts nothing.
  static_cast<std::ofstream&>(file.stream()).close();
  static_cast<std::ofstream&>(file.stream()).open("/dev/full");
  file.stream() << std::string(1 << 16, 'x');
  try {
    file.commit();
    FAIL() << "a full disk went unnoticed";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("a.txt: write failed"));
  }
  EXPECT_EQ(read_file(path), "old");
}

TEST(Files, MissingFileIsNamed) {
  try {
    read_file("/nonexistent/file");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("/nonexistent/file: cannot be opened"));
    EXPECT_EQ(error.exit_status(), 1);
  }
}

}  // namespace
}  // namespace ernn
