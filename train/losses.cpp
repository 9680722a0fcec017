#include "train/losses.h"

#include <torch/nn/functional/loss.h>

namespace ernn {

LossSum frame_loss(const torch::Tensor& logits, const Batch& batch, double label_smoothing) {
  const auto options = torch::nn::functional::CrossEntropyFuncOptions()
                           .ignore_index(-1)
                           .reduction(torch::kSum)
                           .label_smoothing(label_smoothing);
  const torch::Tensor sum = torch::nn::functional::cross_entropy(
      logits.flatten(0, 1), batch.targets.flatten().to(logits.device()), options);
  return {sum, batch.target_frames};
}

LossSum distillation_loss(const torch::Tensor& logits, const torch::Tensor& teacher,
                          const Batch& batch, double temperature) {
  const torch::Tensor labelled =
      (batch.targets.flatten() >= 0).nonzero().squeeze(-1).to(logits.device());
  const auto log_probabilities = [&](const torch::Tensor& all) {
    return torch::log_softmax(all.flatten(0, 1).index_select(0, labelled) / temperature, -1);
  };
  const torch::Tensor divergence =
      torch::kl_div(log_probabilities(logits), log_probabilities(teacher.detach()),
                    at::Reduction::Sum, /*log_target=*/true);
  return {temperature * temperature * divergence, batch.target_frames};
}

LossSum ctc_loss(const torch::Tensor& logits, const Batch& batch) {
  const torch::Tensor sum = torch::ctc_loss(
      torch::log_softmax(logits, -1), batch.phones.to(logits.device()), batch.lengths,
      batch.phone_lengths, /*blank=*/0, at::Reduction::Sum, /*zero_infinity=*/false);
  return {sum, batch.phone_lengths.sum().item<std::int64_t>()};
}

LossSum batch_loss(const torch::Tensor& logits, const Batch& batch, Criterion criterion,
                   double label_smoothing) {
  return criterion == Criterion::frame ? frame_loss(logits, batch, label_smoothing)
                                       : ctc_loss(logits, batch);
}

long long frame_errors(const torch::Tensor& logits, const Batch& batch) {
  const torch::Tensor labelled = batch.targets >= 0;
  const torch::Tensor wrong = logits.argmax(-1).cpu() != batch.targets;
  return (labelled & wrong).sum().item<std::int64_t>();
}

}  // namespace ernn
