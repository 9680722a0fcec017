// A whole run: all stages in order, their files, and going on after an interruption.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/acoustic_model.h"
#include "train/metrics.h"
#include "train/process_group.h"
#include "train/run_config.h"
#include "train/summary.h"
#include "train/training_data.h"

namespace ernn {

struct RunOptions {
  std::filesystem::path out;
  bool resume = false;              ///< go on with what `out` holds; begins when it holds nothing
  std::vector<std::string> stages;  ///< only these, by name; empty = all
  bool quiet = false;
  std::function<bool()> stop = [] { return false; };  ///< asked in every step
  /// Told of every epoch when its checkpoint is written.
  std::function<void(const EpochRecord&)> after_epoch = [](const EpochRecord&) {};
  /// The processes that train together; all of them call run_training() with the same
  /// configuration and options, and see the same folder `out`.
  std::shared_ptr<ProcessGroup> group = std::make_shared<ProcessGroup>();
};

/// Trains the stages of a configuration into a run folder (layout in docs/) and returns the rows of
/// its summary. Finished stages are skipped; `load` is called only when a stage is left to train.
///
/// Throws UsageError when `out` already holds a run and `resume` is not set, for unknown stage
/// names and for a stage whose predecessor is not trained yet; DataError when a checkpoint belongs
/// to another configuration; what StageTrainer::run() throws. In a group: UsageError naming the
/// first difference when a process has another configuration, data or run folder than the first
/// one, and an Error that says what can be resumed when another process is lost.
std::vector<SummaryRow> run_training(RunConfig config, const RunOptions& options,
                                     const std::function<TrainingData()>& load);

/// A model and what it says of itself.
struct LoadedModel {
  AcousticModel model{nullptr};
  ModelContext context;
};

/// Reads a model file. A model that was trained in fixed point (train/qat_stage.h) computes in it.
/// Throws DataError naming the file.
LoadedModel load_model(const std::filesystem::path& path);

}  // namespace ernn
