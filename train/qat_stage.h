// Quantisation-aware training: the stage whose network computes as it will be deployed.
#pragma once

#include <map>
#include <string>

#include "export/float_network.h"
#include "export/trained_formats.h"
#include "train/stage_method.h"

namespace ernn {

/// Trains a finished model on in fixed point. Formats and tables are what `ernn export` would
/// choose for the start model by the stage's `quantisation` options; they stay, and go into the
/// model file, where the exporter finds them. Parameters are floats, quantised at every pass
/// (train/fixed_point_network.h), so dev and test sets are scored by what the kernel would compute.
class QatStage : public StageMethod {
 public:
  using StageMethod::StageMethod;

  ModelOptions network(const ModelOptions& start) const override;
  void prepare(const AcousticModel& model, const ModelOptions& start,
               long long total_steps) override;
  /// Throws UsageError when the formats do not suit the network.
  void calibrate(const UtteranceSet& train) override;
  std::map<std::string, std::string> metadata() const override;
  ModelCost cost(const AcousticModel& model) const override;
  void save(TensorFile& file, const std::string& prefix) const override;
  void load(const TensorFile& file, const std::string& prefix, const std::string& path) override;

 private:
  void compute_in(TrainedFormats formats);

  AcousticModel model_{nullptr};
  TrainedFormats formats_;
};

/// The model as the exporter sees it.
FloatNetwork float_network(const AcousticModel& model);

/// `start` again, for a stage that chooses formats by it. Throws UsageError for a stage with other
/// block sizes, without a trained start, or with `quantisation.widths` of signals that the network
/// does not have.
ModelOptions fixed_point_network(const ModelOptions& start, const StageOptions& stage);

}  // namespace ernn
