// An exponential average of a model's parameters over optimiser steps.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/acoustic_model.h"

namespace ernn {

/// average <- d average + (1 - d) parameter after every step, with d = min(decay, (1 + t) / (10 +
/// t)) at step t, so that the first steps do not weigh on it for long. What a noisy optimiser
/// circles around does better on unseen data than where it stands (Polyak and Juditsky 1992).
class ParameterAverage {
 public:
  /// Begins with the parameters as they are.
  ParameterAverage(const AcousticModel& model, double decay);

  /// The optimiser has made a step.
  void update();
  /// The average and the model's parameters change places; a second call changes them back.
  void swap();
  /// Begins anew.
  void reset();

  /// For checkpoints, when the model has its own parameters. restore() throws DataError naming
  /// `path` and the tensor.
  std::map<std::string, torch::Tensor> state() const;
  void restore(const std::map<std::string, torch::Tensor>& state, const std::string& path);

 private:
  struct Entry {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor average;
  };

  std::vector<Entry> entries_;
  double decay_;
  std::int64_t steps_ = 0;
};

}  // namespace ernn
