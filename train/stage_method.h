// What kinds of training stages there are.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/tensor_file.h"
#include "features/utterance_set.h"
#include "models/acoustic_model.h"
#include "train/metrics.h"
#include "train/run_config.h"

namespace ernn {

/// What a stage's model takes to store and to compute.
struct ModelCost {
  int bits = 32;  ///< of a weight
  std::int64_t parameters = 0;
  std::int64_t stored_bits = 0;      ///< all that has to be stored, indices included
  std::int64_t multiplications = 0;  ///< real ones of a frame, in matrices
};

/// What is special about one type of stage. The trainer calls the hooks in this order: network(),
/// prepare(), calibrate(), then for every step before_step() and after_step(), for every epoch
/// end_of_epoch(), at the end deployable().
class StageMethod {
 public:
  explicit StageMethod(const StageOptions& stage) : stage_(stage) {}
  virtual ~StageMethod() = default;
  StageMethod(const StageMethod&) = delete;
  StageMethod& operator=(const StageMethod&) = delete;

  /// Options of the network that this stage trains when it starts from `start`. Throws UsageError
  /// for block sizes that do not suit.
  virtual ModelOptions network(const ModelOptions& start) const = 0;
  /// Options of the model that it hands on.
  virtual ModelOptions result(const ModelOptions& start) const { return network(start); }
  /// The network, already converted, what it started from, and the steps of the whole stage.
  virtual void prepare(const AcousticModel& /*model*/, const ModelOptions& /*start*/,
                       long long /*total_steps*/) {}
  /// A look at the training split, before a checkpoint is read and the first step made. In a group
  /// every process calls it with the same split.
  virtual void calibrate(const UtteranceSet& /*train*/) {}
  /// The loss's gradients are there and clipped.
  virtual void before_step() {}
  /// The optimiser has moved the parameters with this learning rate.
  virtual void after_step(double /*learning_rate*/) {}
  /// Adds what it knows to the epoch's record.
  virtual void end_of_epoch(EpochRecord& /*record*/) {}
  /// True when further steps would change nothing of interest.
  virtual bool converged() const { return false; }
  /// False when going back to an earlier epoch makes no sense; then the last model counts.
  virtual bool keeps_best() const { return true; }
  /// False when an average of the network over steps is not one that the stage could hand on.
  virtual bool may_be_averaged() const { return true; }
  /// False while the network is not yet one that the stage could hand on: its epochs are no
  /// candidates for the best one, and the schedule does not judge them.
  virtual bool settled() const { return true; }
  /// The model that the stage hands on, saves and is scored by, from the one that it trained.
  virtual AcousticModel deployable(const AcousticModel& trained) const { return trained; }
  /// True when deployable() is another model than the trained one.
  virtual bool projects() const { return false; }
  /// What its model file says beside parameters, options and context.
  virtual std::map<std::string, std::string> metadata() const { return {}; }
  /// Of the deployable model.
  virtual ModelCost cost(const AcousticModel& model) const;

  /// For checkpoints: adds tensors under names that begin with `prefix`, and takes them back bit
  /// for bit. load() throws DataError naming `path` and the tensor.
  virtual void save(TensorFile& /*file*/, const std::string& /*prefix*/) const {}
  virtual void load(const TensorFile& /*file*/, const std::string& /*prefix*/,
                    const std::string& /*path*/) {}

 protected:
  const StageOptions& stage() const { return stage_; }

 private:
  StageOptions stage_;
};

/// The method of a stage: dense, admm, circulant, qat, and the baselines direct, balanced-sparse
/// and dense-small. Throws UsageError for an unknown type, with the nearest known one.
std::unique_ptr<StageMethod> make_stage_method(const StageOptions& stage);

/// Block sizes of `start` with those of the stage where they are not 0.
ModelOptions with_stage_blocks(ModelOptions start, const StageOptions& stage);

}  // namespace ernn
