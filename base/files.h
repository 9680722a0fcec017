// Whole-file reading, and writing that never leaves half a file behind.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace ernn {

/// The bytes of a file. Throws DataError naming the file when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes `bytes` beside `path`, flushes to disk and renames: readers see the old file or the new
/// one, never a part. Throws DataError (disk full, no permission) and leaves the old file as it
/// was.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// The same guarantee for output that is written piece by piece. Nothing appears under `path`
/// before commit(); without it the destructor removes what was written.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  std::ostream& stream() { return stream_; }
  /// Flushes, syncs and renames. Throws DataError when any write so far has failed.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::ofstream stream_;
  bool committed_ = false;
};

/// Creates a folder and its parents. Throws DataError naming it.
void make_folder(const std::filesystem::path& path);

}  // namespace ernn
