// Sequential reading of a binary file with errors that name the place.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace ernn {

/// A file, a position in it, and the entry that is being read, for messages.
class ByteReader {
 public:
  /// Throws DataError when the file cannot be opened.
  explicit ByteReader(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  long long position() const { return position_; }
  long long remaining() const { return size_ - position_; }
  void seek(long long position);

  /// The next byte without taking it, -1 at the end of the file.
  int peek();
  /// Takes the next `count` bytes, which are `what` in the message of a truncated file.
  std::string take(long long count, const std::string& what);
  /// Takes bytes up to and including `end`, which is not part of the result. Throws when `end` does
  /// not come, or not within `most` bytes.
  std::string take_until(char end, long long most, const std::string& what);

  /// Names the entry that following errors are about.
  void set_entry(const std::string& key) { entry_ = key; }
  /// Throws DataError: file, entry, offset, `problem`.
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  std::filesystem::path path_;
  std::ifstream in_;
  long long size_ = 0;
  long long position_ = 0;
  std::string entry_;
};

}  // namespace ernn
