// Trains one stage, from its beginning or from a checkpoint.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/batch_queue.h"
#include "train/batches.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/gradient_sum.h"
#include "train/losses.h"
#include "train/metrics.h"
#include "train/optimiser.h"
#include "train/parameter_average.h"
#include "train/process_group.h"
#include "train/run_config.h"
#include "train/schedule.h"
#include "train/stage_method.h"
#include "train/training_data.h"

namespace ernn {

/// What one stage is given.
struct StageInputs {
  StageOptions stage;
  ModelOptions start_options;      ///< of the model that it starts from, or of a new one
  AcousticModel start{nullptr};    ///< empty: begin with fresh parameters
  AcousticModel teacher{nullptr};  ///< of `stage.distillation`, empty without one
  long long start_steps = 0;       ///< optimiser steps behind `start`
  ModelContext context;            ///< for decoding and scoring
  CheckpointIdentity identity;
  std::filesystem::path checkpoint;
  std::filesystem::path metrics;
  double checkpoint_seconds = 0;
  std::int64_t seed = 1;
  bool quiet = false;
  std::function<bool()> stop = [] { return false; };  ///< asked in every step
  /// Told of every epoch when its checkpoint is written.
  std::function<void(const EpochRecord&)> after_epoch = [](const EpochRecord&) {};
};

/// In a group every process makes the same steps from the same gradients, which are summed over
/// their shares of each batch; the first one alone writes files and speaks. Random numbers
/// (dropout, noise) are each process' own.
class StageTrainer {
 public:
  StageTrainer(StageInputs inputs, const TrainingData& data, const ProcessGroup& group);

  /// Goes on from the checkpoint when there is one (its identity has been checked), trains to the
  /// end and returns the model that the stage hands on.
  ///
  /// Throws DataError when the loss or the gradient is not finite, naming stage, epoch, step, loss
  /// and learning rate; the last checkpoint stays. Throws Error with exit status 130 when `stop`
  /// said so in one process, after writing a checkpoint. Throws DataError when the processes of the
  /// group read different checkpoints or have come to different parameters.
  AcousticModel run();

  /// Where the stage stands.
  const StagePosition& position() const { return position_; }
  const ScheduleState& schedule() const { return schedule_.state(); }
  /// For the model file of what run() returned.
  std::map<std::string, std::string> metadata() const { return method_->metadata(); }
  /// Of the model that run() returned.
  ModelCost cost(const AcousticModel& model) const { return method_->cost(model); }

 private:
  /// What networks remember between the pieces of a batch.
  struct CarriedStates {
    ModelState network, teacher;
  };

  bool done() const;
  void run_epoch();
  /// This process' shares of the batches that are left of an epoch; one without utterances where
  /// it has none.
  BatchQueue remaining_batches(const std::vector<std::size_t>& order) const;
  /// The steps on this process' share of a batch, one for each of its `pieces`; says whether to
  /// stop or to write a checkpoint now.
  StepTotals run_batch(const Batch& batch, long long pieces);
  /// One step; `states` are those of the utterances before it, and behind it afterwards.
  StepTotals run_step(const Batch& batch, CarriedStates* states);
  /// The gradients of the mean loss over all processes' shares.
  StepTotals compute_gradients(const Batch& batch, CarriedStates* states);
  /// What the stage minimises, of logits that the network gave for `features`.
  LossSum stage_loss(const torch::Tensor& logits, const torch::Tensor& features, const Batch& batch,
                     CarriedStates* states);
  bool steps_left() const;
  void end_of_epoch();
  /// Before they are evaluated, which would say less of the reason.
  void require_finite_parameters() const;
  [[noreturn]] void stop_for_divergence(long long step, const std::string& what) const;
  void save_checkpoint();
  void load_checkpoint();
  void load_random_state(const Checkpoint& checkpoint);
  void require_same_parameters() const;
  double epoch_seconds() const;

  StageInputs inputs_;
  const TrainingData& data_;
  const ProcessGroup& group_;
  std::unique_ptr<StageMethod> method_;
  AcousticModel model_{nullptr};
  std::vector<torch::Tensor> parameters_;
  std::unique_ptr<GradientSum> gradient_sum_;  ///< null in a process of its own
  std::vector<std::vector<std::size_t>> plan_;
  std::vector<long long> pieces_;  ///< of each batch of the plan: steps that it takes
  long long total_steps_;
  Schedule schedule_;
  std::unique_ptr<Optimiser> optimiser_;
  std::unique_ptr<ParameterAverage> average_;  ///< null without one
  std::unique_ptr<MetricsFile> metrics_;
  StagePosition position_;
  std::map<std::string, torch::Tensor> best_;  ///< parameters of the best epoch
  std::chrono::steady_clock::time_point epoch_start_;
  std::chrono::steady_clock::time_point last_checkpoint_;
};

}  // namespace ernn
