// The file that keeps the frames of a split on disk.
//
//   head     "ernnfram", u32 format, u32 byte order as the machine writes it
//   frames   of each utterance: features [frames, dims] F32, labels [frames] I32, as in memory
//   index    options, dims and, of each utterance, everything but its frames
//   trailer  u64 offset, u64 size and u64 digest of the index, "ernn end"
//
// Numbers outside `frames` are little-endian. What an index says is only believed when the trailer
// is there and the digests agree, so a file that was cut off or changed is noticed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "features/utterance_set.h"

namespace ernn {

/// An opened file.
struct FeatureCacheFile {
  std::string options;                ///< what it was made with, as the writer was told
  std::vector<std::uint64_t> stamps;  ///< of each utterance's source files, likewise
  UtteranceSet utterances;            ///< not normalised; reads frames from the file

  /// Of options, names and stamps: equal for equal content, whoever made it.
  std::string digest() const;
};

/// Reads the index; the frames are read when they are asked for, with pread(): what is in memory is
/// what the caller holds, and a file that shrinks or a disk that fails is an error, not a signal as
/// with mapped memory. Throws DataError naming the file and what is wrong with it. So does reading
/// an utterance whose bytes are not what was written.
FeatureCacheFile open_cache_file(const std::filesystem::path& path);

/// Writes a file, utterance by utterance. Nothing appears under `path` before commit().
class FeatureCacheWriter {
 public:
  FeatureCacheWriter(const std::filesystem::path& path, std::string options);

  /// Throws DataError for a failed write, a full disk say, and for features of another width than
  /// the first utterance's.
  void add(const LabelledUtterance& utterance, std::uint64_t stamp);
  /// Throws DataError for a failed write.
  void commit();

 private:
  AtomicFile file_;
  std::string options_;
  std::string entries_;  ///< the index's, as they will be written
  std::uint64_t offset_ = 0;
  std::uint64_t count_ = 0;
  int dims_ = 0;
};

}  // namespace ernn
