// metrics.jsonl of a run folder: one JSON object an epoch.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ernn {

/// State of ADMM on one matrix; primal, dual and distance relative to the norm of W.
struct AdmmRecord {
  std::string matrix;
  double rho = 0;
  double primal = 0;    ///< ||W - Z|| / ||W|| now
  double dual = 0;      ///< rho-scaled change of Z at the last update
  double distance = 0;  ///< ||W - P(W)|| / ||W|| now
};

struct EpochRecord {
  std::string stage;
  std::string type;
  int epoch = 0;
  long long step = 0;  ///< optimiser steps so far, those of the stages it started from included
  double train_loss = 0;
  double dev_loss = 0;
  std::optional<double> dev_frame_error;    ///< percent; frame criterion only
  double dev_per = 0;                       ///< percent
  std::optional<double> projected_dev_per;  ///< admm: of the model with every matrix projected
  double learning_rate = 0;
  double seconds = 0;
  double data_wait = 0;  ///< share of `seconds` in which the model waited for batches
  std::vector<AdmmRecord> admm;
};

/// The object as one line, without the line's end.
std::string to_json_line(const EpochRecord& record);
/// The same for people: "dense 3/12  loss 1.234  dev loss ...".
std::string to_text(const EpochRecord& record, int epochs);

class MetricsFile {
 public:
  /// Continues `path` with `stage` behind its first `epochs` epochs. Lines of the stage that come
  /// later, which a killed run wrote or an earlier training of the stage, are dropped; those of
  /// other stages stay. Throws DataError when the stage has fewer epochs there or a line is broken.
  MetricsFile(std::filesystem::path path, const std::string& stage, int epochs);

  /// Written and renamed as a whole, so that no line is ever cut.
  void append(const EpochRecord& record);

 private:
  std::filesystem::path path_;
  std::string text_;
};

}  // namespace ernn
