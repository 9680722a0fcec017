// Phones as they become certain, a frame of log-posteriors at a time.
#pragma once

#include <memory>
#include <vector>

#include "train/decoder.h"
#include "train/phone_loop.h"

namespace ernn {

/// Gives the phones of decode(), each as soon as no frame to come can change it:
/// greedy, ctc_greedy: when another output is best; viterbi: when all paths agree on it. ctc_beam
/// ranks whole strings and cannot decide before the end.
class OnlineDecoder {
 public:
  /// Throws UsageError for ctc_beam, and what decode() throws for a model that does not fit.
  /// `model` must outlive the decoder.
  OnlineDecoder(const DecoderModel& model, const DecoderOptions& options, int outputs);

  /// The next frame [outputs]; returns the phones that it settles. Throws DataError for NaN and
  /// infinite values, as decode() does.
  std::vector<PhoneSpan> push(const float* log_posteriors);
  /// The rest, after the last frame.
  std::vector<PhoneSpan> finish();

 private:
  std::vector<PhoneSpan> push_best(const float* log_posteriors);
  std::vector<PhoneSpan> end_run();
  std::vector<PhoneSpan> push_viterbi(const float* log_posteriors);

  const DecoderModel& model_;
  DecoderOptions options_;
  int outputs_;
  long long frame_ = 0;
  int best_ = -1;             ///< output of the current run
  long long run_start_ = 0;   ///< its first frame
  std::vector<float> first_;  ///< viterbi: frames before the shortest phone is over
  std::unique_ptr<PhoneLoop> loop_;
};

}  // namespace ernn
