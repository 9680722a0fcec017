#include "train/evaluate.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "train/batch_queue.h"
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

/// What the batches of a process add up to.
struct Tally {
  double loss_sum = 0;
  double loss_count = 0;
  double frames = 0;
  double wrong_frames = 0;
  std::vector<std::vector<int>> hypotheses;  ///< of each utterance; empty when another's share

  /// Adds the other processes' parts.
  void add_others(const ProcessGroup& group) {
    torch::Tensor sums =
        torch::tensor({loss_sum, loss_count, frames, wrong_frames}, torch::kDouble);
    group.sum(sums);
    const auto* const sum = sums.data_ptr<double>();
    loss_sum = sum[0];
    loss_count = sum[1];
    frames = sum[2];
    wrong_frames = sum[3];
    for (const auto& text : group.gather(nlohmann::json(hypotheses).dump())) {
      const nlohmann::json theirs = nlohmann::json::parse(text);
      for (std::size_t i = 0; i < hypotheses.size(); ++i) {
        if (!theirs[i].empty()) hypotheses[i] = theirs[i].get<std::vector<int>>();
      }
    }
  }
};

/// The parameters may be finite and the outputs not: a sum in the network is then too large.
void require_numbers(const UtteranceInfo& utterance, const FrameMatrix& posteriors) {
  const auto is_nan = [](float value) { return std::isnan(value); };
  if (std::none_of(posteriors.data.begin(), posteriors.data.end(), is_nan)) return;
  throw DataError(fmt::format(
      "utterance {}: the network's outputs are NaN, expected numbers; its training has diverged: "
      "lower optimiser.learning_rate and train it again",
      utterance.id));
}

void evaluate_batch(AcousticModel model, const UtteranceSet& utterances, const Batch& padded,
                    const ModelContext& context, const PosteriorSink& sink, Tally& tally) {
  const torch::Tensor logits = model->forward(padded.features.to(model->device()), padded.lengths);
  const LossSum loss = batch_loss(logits, padded, context.criterion, /*label_smoothing=*/0);
  tally.loss_sum += loss.sum.item<double>();
  tally.loss_count += static_cast<double>(loss.count);
  tally.frames += static_cast<double>(padded.target_frames);
  if (context.criterion == Criterion::frame)
    tally.wrong_frames += static_cast<double>(frame_errors(logits, padded));
  const torch::Tensor posteriors = torch::log_softmax(logits, -1);
  for (std::size_t b = 0; b < padded.utterances.size(); ++b) {
    const UtteranceInfo& utterance = utterances[padded.utterances[b]];
    const FrameMatrix own =
        rows_of(posteriors, static_cast<std::int64_t>(b), context.label_delay, utterance.frames);
    require_numbers(utterance, own);
    if (sink) sink(utterance.id, own);
    tally.hypotheses[padded.utterances[b]] = decode(own, context.decoder_model, context.decoder);
  }
}

}  // namespace

SplitResult evaluate(AcousticModel model, const UtteranceSet& utterances,
                     const ModelContext& context, int batch, const PosteriorSink& sink,
                     const ProcessGroup* group) {
  const torch::NoGradGuard no_grad;
  const bool was_training = model->is_training();
  model->eval();
  Tally tally;
  tally.hypotheses.resize(utterances.size());
  const auto plan = plan_batches(utterances, batch);
  const int rank = group == nullptr ? 0 : group->rank();
  const int size = group == nullptr ? 1 : group->size();
  const auto build = [&](std::size_t i) {
    return make_batch(utterances, share_of(plan[i], rank, size), context.label_delay);
  };
  BatchQueue batches(plan.size(), build, kBatchesAhead);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const Batch padded = batches.next();
    if (!padded.utterances.empty()) evaluate_batch(model, utterances, padded, context, sink, tally);
  }
  model->train(was_training);
  if (group != nullptr && !group->is_alone()) tally.add_others(*group);
  SplitResult result;
  result.waited_seconds = batches.waited_seconds();
  result.loss = tally.loss_sum / std::max(1.0, tally.loss_count);
  if (context.criterion == Criterion::frame)
    result.frame_error = 100.0 * tally.wrong_frames / std::max(1.0, tally.frames);
  result.scores.protocol = context.protocol;
  for (std::size_t i = 0; i < utterances.size(); ++i) {
    result.scores.add(score_utterance(utterances[i].id, utterances[i].phones, tally.hypotheses[i],
                                      context.phones, context.protocol));
  }
  return result;
}

}  // namespace ernn
