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

std::string error_of_reading(const std::filesystem::path& path) {
  try {
    read_file(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Files, EveryByteIsRead) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.bin";
  for (const std::size_t size : {0U, 1U, 65535U, 65536U, 65537U, 200000U}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i % 251);
    write_file(path, bytes);
    EXPECT_EQ(read_file(path), bytes) << size;
  }
}

TEST(Files, AFolderIsNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of_reading(folder.path()),
            folder.path().string() + ": is a folder, expected a file");
}

// It opens, and its first byte gives an input/output error, as a broken disk does.
TEST(Files, AFileThatCannotBeReadIsNamed) {
  if (!std::ifstream("/proc/self/mem")) GTEST_SKIP() << "no /proc/self/mem on this system";
  EXPECT_THAT(error_of_reading("/proc/self/mem"),
              testing::HasSubstr("/proc/self/mem: cannot be read: "));
}

}  // namespace
}  // namespace ernn
