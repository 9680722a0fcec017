#include "base/file_lock.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

TEST(FileLock, OneHolderAtATime) {
  const TemporaryFolder folder;
  FileLock first(folder.path() / "lock");
  EXPECT_TRUE(first.try_take());
  {
    FileLock second(folder.path() / "lock");
    EXPECT_FALSE(second.try_take());
  }
  FileLock other(folder.path() / "other");
  EXPECT_TRUE(other.try_take());
}

TEST(FileLock, IsLetGoOfWithTheObject) {
  const TemporaryFolder folder;
  { FileLock(folder.path() / "lock").take(); }
  FileLock next(folder.path() / "lock");
  EXPECT_TRUE(next.try_take());
}

TEST(FileLock, NamesAFileThatCannotBeOpened) {
  EXPECT_THROW(FileLock("/nowhere/lock"), DataError);
}

}  // namespace
}  // namespace ernn
