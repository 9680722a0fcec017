// Kaldi's tables: archives (ark) of matrices and integer vectors, and script files (scp) that point
// into them.
//
// Matrices are read in every form that Kaldi writes: FM, DM (float, double), CM, CM2, CM3
// (compressed, which is what make_fbank.sh and make_mfcc.sh leave) and text. Integer vectors
// (alignments, pdf ids) are read in binary and text. Files only: `cmd |`, `-` and gzip are refused
// by name. Every reading error is a DataError that names file, entry, byte offset, what was found
// and what was expected.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/frame_matrix.h"

namespace ernn {

using KaldiIntegers = std::vector<std::int32_t>;

/// Called for each entry, in the order of the file.
using MatrixVisitor = std::function<void(const std::string& key, FrameMatrix value)>;
using IntegersVisitor = std::function<void(const std::string& key, KaldiIntegers value)>;

/// Reads an archive. One without entries is refused, because that is what is left of a lost file.
void read_matrix_ark(const std::filesystem::path& ark, const MatrixVisitor& visit);
void read_integers_ark(const std::filesystem::path& ark, const IntegersVisitor& visit);

/// Reads what a script file points at. Its lines are `key path`, `key path:offset` and, for
/// matrices, a range behind it: `[first:last]` rows or `[first:last,first:last]` rows and columns,
/// ends inclusive, `:` for all. Paths are relative to the working directory, as in Kaldi.
void read_matrix_scp(const std::filesystem::path& scp, const MatrixVisitor& visit);
void read_integers_scp(const std::filesystem::path& scp, const IntegersVisitor& visit);

enum class KaldiFormat { binary, text };

/// Writes an archive, and a script file for it when asked. Both appear under their names at
/// commit(), whole; without it nothing appears.
class KaldiTableWriter {
 public:
  /// `scp` may be empty. The script file holds `ark` as given here.
  explicit KaldiTableWriter(const std::filesystem::path& ark, const std::filesystem::path& scp = {},
                            KaldiFormat format = KaldiFormat::binary);

  /// Writes one entry: FM (float) for a matrix. Throws DataError for a key that is empty or has
  /// white space in it.
  void write(const std::string& key, const FrameMatrix& value);
  void write(const std::string& key, const KaldiIntegers& value);
  void commit();

 private:
  void write_entry(const std::string& key, const std::string& object);

  std::filesystem::path ark_path_;
  AtomicFile ark_;
  std::unique_ptr<AtomicFile> scp_;
  KaldiFormat format_;
  long long offset_ = 0;
};

}  // namespace ernn
