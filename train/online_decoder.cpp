#include "train/online_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/frame_matrix.h"
#include "base/options.h"

namespace ernn {

namespace {

/// Frames between looks for settled phones, which cost more than a frame of search.
constexpr int kLookEvery = 5;

}  // namespace

OnlineDecoder::OnlineDecoder(const DecoderModel& model, const DecoderOptions& options, int outputs)
    : model_(model), options_(options), outputs_(outputs) {
  decode(FrameMatrix(0, outputs), model, options);  // checks that they fit each other
  if (options.type == DecoderType::ctc_beam) {
    throw UsageError(
        fmt::format("decoder.type {} cannot tell a phone before the end of the speech; suitable "
                    "while it comes in: {}",
                    name_of(options.type), name_of(DecoderType::ctc_greedy)));
  }
}

std::vector<PhoneSpan> OnlineDecoder::push(const float* log_posteriors) {
  for (int c = 0; c < outputs_; ++c) check_log_posterior(log_posteriors[c], frame_, c);
  std::vector<PhoneSpan> spans = options_.type == DecoderType::viterbi
                                     ? push_viterbi(log_posteriors)
                                     : push_best(log_posteriors);
  ++frame_;
  return spans;
}

std::vector<PhoneSpan> OnlineDecoder::push_best(const float* log_posteriors) {
  const int best = static_cast<int>(std::max_element(log_posteriors, log_posteriors + outputs_) -
                                    log_posteriors);
  if (best == best_) return {};
  std::vector<PhoneSpan> spans = end_run();
  best_ = best;
  run_start_ = frame_;
  return spans;
}

/// The phone of the run that ends before this frame; none for the blank.
std::vector<PhoneSpan> OnlineDecoder::end_run() {
  const int blanks = options_.type == DecoderType::ctc_greedy ? 1 : 0;
  if (best_ < blanks) return {};
  return {{best_ - blanks, run_start_, frame_}};
}

std::vector<PhoneSpan> OnlineDecoder::push_viterbi(const float* log_posteriors) {
  if (loop_) {
    loop_->advance(log_posteriors);
    return frame_ % kLookEvery == 0 ? loop_->settled() : std::vector<PhoneSpan>();
  }
  // Speech shorter than the shortest phone is one phone, so its length must be known first.
  first_.insert(first_.end(), log_posteriors, log_posteriors + outputs_);
  if (frame_ + 1 < options_.min_duration) return {};
  loop_ = std::make_unique<PhoneLoop>(model_, options_, outputs_, options_.min_duration);
  for (std::size_t at = 0; at < first_.size(); at += static_cast<std::size_t>(outputs_))
    loop_->advance(&first_[at]);
  first_.clear();
  return {};
}

std::vector<PhoneSpan> OnlineDecoder::finish() {
  if (frame_ == 0) return {};
  if (options_.type != DecoderType::viterbi) return end_run();
  if (!loop_) {
    loop_ = std::make_unique<PhoneLoop>(model_, options_, outputs_, static_cast<int>(frame_));
    for (std::size_t at = 0; at < first_.size(); at += static_cast<std::size_t>(outputs_))
      loop_->advance(&first_[at]);
  }
  return loop_->finish();
}

}  // namespace ernn
