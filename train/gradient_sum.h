// Gradients of all processes together, in one exchange.
#pragma once

#include <torch/types.h>

#include <vector>

#include "train/process_group.h"

namespace ernn {

/// What a step amounts to besides its gradients.
struct StepTotals {
  double loss = 0;          ///< summed over what it counts
  long long count = 0;      ///< labelled frames, or phones
  bool stop = false;        ///< a process was asked to stop
  bool checkpoint = false;  ///< it is time for a checkpoint
};

/// Holds the gradients of a model in one buffer, so that a step costs one sum over all processes.
class GradientSum {
 public:
  /// From now on the parameters' gradients are parts of the buffer, at first zero. They are all of
  /// one type and on one device.
  GradientSum(const std::vector<torch::Tensor>& parameters, const ProcessGroup& group);

  /// Takes the gradients of the summed loss of this process' share, and its totals; afterwards the
  /// gradients are those of the mean loss over all shares. Returns the totals over all processes;
  /// the flags are set when one process set them.
  StepTotals reduce(const StepTotals& own);

 private:
  const ProcessGroup& group_;
  torch::Tensor buffer_;  ///< gradients one after another, then the totals
};

}  // namespace ernn
