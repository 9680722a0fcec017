#include "train/evaluate.h"

#include <algorithm>

#include "train/batches.h"
#include "train/losses.h"

namespace ernn {

namespace {

/// Rows `first` to `first + frames` of utterance `b` of a batch [T, B, C].
FrameMatrix rows_of(const torch::Tensor& batch, std::int64_t b, std::int64_t first,
                    std::int64_t frames) {
  const torch::Tensor rows =
      batch.select(1, b).narrow(0, first, frames).to(torch::kCPU, torch::kFloat).contiguous();
  FrameMatrix matrix(static_cast<int>(frames), static_cast<int>(rows.size(1)));
  std::copy_n(rows.data_ptr<float>(), matrix.data.size(), matrix.data.begin());
  return matrix;
}

}  // namespace

SplitResult evaluate(AcousticModel model, const std::vector<LabelledUtterance>& utterances,
                     const ModelContext& context, int batch, const PosteriorSink& sink) {
  const torch::NoGradGuard no_grad;
  const bool was_training = model->is_training();
  model->eval();
  double loss_sum = 0;
  long long loss_count = 0;
  long long wrong_frames = 0;
  long long frames = 0;
  std::vector<std::vector<int>> hypotheses(utterances.size());
  for (const auto& members : plan_batches(utterances, batch)) {
    const Batch padded = make_batch(utterances, members, context.label_delay);
    const torch::Tensor logits = model->forward(padded.features, padded.lengths);
    const LossSum loss = batch_loss(logits, padded, context.criterion, /*label_smoothing=*/0);
    loss_sum += loss.sum.item<double>();
    loss_count += loss.count;
    frames += padded.target_frames;
    if (context.criterion == Criterion::frame) wrong_frames += frame_errors(logits, padded);
    const torch::Tensor posteriors = torch::log_softmax(logits, -1);
    for (std::size_t b = 0; b < members.size(); ++b) {
      const LabelledUtterance& utterance = utterances[members[b]];
      const FrameMatrix own = rows_of(posteriors, static_cast<std::int64_t>(b), context.label_delay,
                                      utterance.features.rows);
      if (sink) sink(utterance.id, own);
      hypotheses[members[b]] = decode(own, context.decoder_model, context.decoder);
    }
  }
  model->train(was_training);
  SplitResult result;
  result.loss = loss_sum / static_cast<double>(std::max<long long>(1, loss_count));
  if (context.criterion == Criterion::frame) {
    result.frame_error = 100.0 * static_cast<double>(wrong_frames) /
                         static_cast<double>(std::max<long long>(1, frames));
  }
  result.scores.protocol = context.protocol;
  for (std::size_t i = 0; i < utterances.size(); ++i) {
    result.scores.add(score_utterance(utterances[i].id, utterances[i].phones, hypotheses[i],
                                      context.phones, context.protocol));
  }
  return result;
}

}  // namespace ernn
