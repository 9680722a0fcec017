// The table of results in a run folder: runs/<name>/summary.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/options.h"

namespace ernn {

/// One row. `stage` is the type of a training stage (train/stage_method.h), emulator or kernel;
/// further fields tell rows of one run apart.
struct SummaryRow {
  std::string stage;
  std::string name;    ///< name of the training stage in the configuration, e.g. "circulant-k8"
  std::string cell;    ///< "lstm", "gru", or both joined by "+"
  int block_size = 1;  ///< largest block size in the model
  int bits = 32;       ///< width of a stored weight
  double per = 0;      ///< percent
  std::int64_t tokens = 0;  ///< reference length
  std::int64_t parameters = 0;
  std::int64_t stored_bits = 0;
  std::int64_t multiplications = 0;  ///< real ones of a frame, in matrices; 0 = not known
  std::int64_t mismatches = 0;  ///< differing codes, kernel against emulator; 0 for other stages
  std::string protocol;         ///< scoring protocol
  std::int64_t seed = 0;
};

/// The distinct types of the hidden layers, for SummaryRow::cell.
std::string cell_name(const ModelOptions& model);

/// Rows of `folder`/summary.json; none when the file is not there. Throws DataError for a broken
/// file.
std::vector<SummaryRow> read_summary(const std::filesystem::path& folder);

/// Replaces the row with the same stage, name and bits, or appends it; written atomically, and by
/// one process at a time.
void put_summary_row(const std::filesystem::path& folder, const SummaryRow& row);

/// The same for a stage that was trained just now: rows of its name, which are of a model that is
/// no more, go.
void put_trained_row(const std::filesystem::path& folder, const SummaryRow& row);

/// The rows as a table in Markdown, with protocol and seeds below.
std::string summary_table(const std::vector<SummaryRow>& rows);

}  // namespace ernn
