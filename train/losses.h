// What training minimises.
#pragma once

#include <torch/types.h>

#include "train/batches.h"

namespace ernn {

/// A loss as a sum and what it is the sum over, so that epochs add up exactly.
struct LossSum {
  torch::Tensor sum;    ///< scalar, nats
  long long count = 0;  ///< labelled frames (frame), phones (ctc)

  /// The scalar to be minimised: nats a frame or phone.
  torch::Tensor mean() const { return sum / static_cast<double>(count > 0 ? count : 1); }
};

/// Cross-entropy of each labelled frame. `logits` is [T, B, classes]; padding and frames without a
/// label count nothing. `label_smoothing` spreads that probability evenly over all classes.
LossSum frame_loss(const torch::Tensor& logits, const Batch& batch, double label_smoothing);

/// What a network has still to learn from another one's outputs (Hinton et al. 2015): the
/// divergence KL(softmax(teacher / T) || softmax(logits / T)) of each labelled frame, times T^2,
/// which keeps the size of its gradient. Both are [T, B, classes]; `temperature` is T.
LossSum distillation_loss(const torch::Tensor& logits, const torch::Tensor& teacher,
                          const Batch& batch, double temperature);

/// Connectionist temporal classification (Graves et al. 2006), output 0 the blank. `logits` is
/// [T, B, classes + 1].
LossSum ctc_loss(const torch::Tensor& logits, const Batch& batch);

/// The loss of the criterion.
LossSum batch_loss(const torch::Tensor& logits, const Batch& batch, Criterion criterion,
                   double label_smoothing);

/// Labelled frames whose best class is another one.
long long frame_errors(const torch::Tensor& logits, const Batch& batch);

}  // namespace ernn
