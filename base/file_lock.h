// What keeps two processes from working on the same file or folder.
#pragma once

#include <filesystem>

namespace ernn {

/// An exclusive lock of a file, which is made when it is not there and stays. Taken locks are let
/// go of with the object, also when the process is killed.
class FileLock {
 public:
  /// Takes nothing yet. Throws DataError when the file cannot be opened for writing.
  explicit FileLock(std::filesystem::path path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// Whether the lock is taken now; false: another process (or object) holds it. Throws DataError
  /// where the file system has no locks.
  bool try_take();
  /// Waits until the lock is taken. Throws as try_take().
  void take();

  const std::filesystem::path& path() const { return path_; }

 private:
  bool take(int operation);

  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace ernn
