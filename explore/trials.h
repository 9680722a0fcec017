// Trains the networks of an exploration and remembers them (docs/explore.md, "Trials").
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "explore/sensitivity.h"
#include "explore/trial_plan.h"
#include "explore/trial_record.h"
#include "train/run_config.h"
#include "train/training_data.h"

namespace ernn {

struct TrialSetup {
  std::filesystem::path out;  ///< of the exploration
  RunConfig config;
  bool quiet = false;
  std::function<bool()> stop = [] { return false; };  ///< asked in every step
  std::function<TrainingData()> load;                 ///< called when data are needed first
  SensitivityOptions sensitivity;
};

/// Folders are runs of `ernn train`, whose stages start where they were left: what is finished is
/// not trained again.
class TrialRunner {
 public:
  explicit TrialRunner(TrialSetup setup);

  /// out/dense-CELL and out/trials/NAME.
  std::filesystem::path dense_folder(const ModelOptions& model) const;
  std::filesystem::path trial_folder(const ModelOptions& model) const;

  /// Trains the dense network that `model` is without block sizes.
  TrialRecord train_dense(const ModelOptions& model);
  /// What is remembered of it; nothing when it was not trained. Throws DataError when it was
  /// trained by another configuration.
  std::optional<TrialRecord> find_dense(const ModelOptions& model);
  /// Of the dense network, which must be there; measured once and kept in its folder.
  SensitivityTable sensitivity(const ModelOptions& model);

  /// Trains from the dense network to the block sizes of `model`, giving up by the rule. Throws
  /// UsageError when the dense network is not there, what run_training() throws.
  TrialRecord train(const ModelOptions& model, const StopRule& rule,
                    const std::vector<TrialRecord>& others);
  /// What is remembered of the trial; one that is open when it was never begun. Throws DataError
  /// when it was trained by another configuration.
  TrialRecord find(const ModelOptions& model);

 private:
  const TrainingData& data();
  /// Whether every stage of `config` was begun in the folder. Throws DataError as run_training()
  /// does when one of them belongs to another configuration.
  bool holds(const RunConfig& config, const std::filesystem::path& folder);
  /// A record that was remembered; nothing unless it is of the stages and of the model file that
  /// are there now. Throws what holds() throws.
  std::optional<TrialRecord> remembered(const RunConfig& config,
                                        const std::filesystem::path& folder);
  /// Scores of a finished stage; reads trial.json when it is of the same model.
  TrialRecord finish(TrialRecord record, const std::filesystem::path& folder, const char* stage,
                     int batch);
  void copy_dense(const std::filesystem::path& dense, const std::filesystem::path& trial) const;

  TrialSetup setup_;
  TrialStages stages_;
  std::optional<TrainingData> data_;
};

}  // namespace ernn
