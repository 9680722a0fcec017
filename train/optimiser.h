// SGD with momentum, Adam and AdamW with a state that can be saved and restored by name.
//
// LibTorch's own optimisers key their state by tensor address and changed its layout between
// versions; these few lines do not, and their steps equal LibTorch's (there is a test).
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "train/run_config.h"

namespace ernn {

class Optimiser {
 public:
  /// `parameters` are updated in place by step() from their gradients.
  Optimiser(const OptimiserOptions& options, std::vector<torch::Tensor> parameters);

  void zero_grad();
  /// One step with the given learning rate. sgd: g = grad + wd w; v = momentum v + g; w -= lr v
  /// (nesterov: w -= lr (g + momentum v)). adam: Kingma & Ba 2015 with L2 in the gradient; adamw:
  /// decay w *= 1 - lr wd first (Loshchilov & Hutter 2019).
  void step(double learning_rate);
  /// Forgets momentum and averages, as if no step had been taken.
  void reset();

  /// Momentum, averages and the number of steps, by stable names.
  std::map<std::string, torch::Tensor> state() const;
  /// Throws DataError naming the first tensor that is missing or has another shape.
  void restore(const std::map<std::string, torch::Tensor>& state, const std::string& file);

 private:
  void step_sgd(double learning_rate);
  void step_adam(double learning_rate);

  OptimiserOptions options_;
  std::vector<torch::Tensor> parameters_;
  /// One a parameter, of its shape: momentum (sgd) or the mean of gradients (adam), and the mean of
  /// their squares (adam).
  std::vector<torch::Tensor> first_, second_;
  long long steps_ = 0;
};

/// Scales all gradients so that their common L2 norm is at most `limit` (0: no limit). Returns the
/// norm before, which is not finite when a gradient is not.
double clip_gradients(const std::vector<torch::Tensor>& parameters, double limit);

}  // namespace ernn
