// From network outputs to phone strings.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/frame_matrix.h"

namespace ernn {

/// greedy: best class a frame, repeats merged. viterbi: phone loop with bigram, self-loops and a
/// minimum duration. ctc_greedy: greedy with blank removed. ctc_beam: CTC prefix beam search with
/// the bigram.
enum class DecoderType { greedy, viterbi, ctc_greedy, ctc_beam };
const std::vector<std::pair<DecoderType, const char*>>& enum_names(DecoderType);

struct DecoderOptions {
  DecoderType type = DecoderType::viterbi;
  double prior_scale = 0.3;        ///< log-posteriors minus prior_scale x log-prior (viterbi)
  double lm_weight = 3.0;          ///< weight of the bigram's log-probabilities
  double insertion_penalty = 0.0;  ///< subtracted for every phone
  int min_duration = 3;            ///< frames (viterbi)
  int beam = 16;                   ///< prefixes kept (ctc_beam)
};

template <class Visitor>
void describe(Visitor& field, DecoderOptions& o) {
  field("type", o.type, "greedy, viterbi, ctc_greedy or ctc_beam");
  field("prior_scale", o.prior_scale, "weight of the log-prior that is subtracted");
  field("lm_weight", o.lm_weight, "weight of the phone bigram");
  field("insertion_penalty", o.insertion_penalty, "cost of each phone");
  field("min_duration", o.min_duration, "frames");
  field("beam", o.beam, "prefixes kept by the CTC beam search");
}

/// Throws DataError naming frame and output for a log-posterior that is NaN or infinite; minus
/// infinity is a probability of zero.
void check_log_posterior(float value, long long frame, int output);

/// Throws UsageError naming the key (under `path`) and what would suit.
void validate(const DecoderOptions& options, const std::string& path);

/// What decoding needs to know of the training data; stored with the model.
struct DecoderModel {
  /// Natural logs of the classes' shares of training frames, add-one smoothed so that a class
  /// without frames keeps a finite one.
  std::vector<double> log_prior;
  /// Natural logs of P(next | previous), row-major [classes + 1, classes + 1]: the last row is the
  /// sentence start, the last column the sentence end. Add-one smoothed counts of the training
  /// transcripts.
  std::vector<double> log_bigram;
};

template <class Visitor>
void describe(Visitor& field, DecoderModel& o) {
  field("log_prior", o.log_prior);
  field("log_bigram", o.log_bigram);
}

/// Counts priors and bigrams, utterance by utterance.
class DecoderModelEstimator {
 public:
  /// `classes` excludes the CTC blank. Throws UsageError for none.
  explicit DecoderModelEstimator(int classes);

  /// Labels of frames: -1 belongs to no class and is left out; any other outside 0..classes-1 is a
  /// DataError.
  void add_frames(const std::vector<int>& labels);
  /// The phones of an utterance; any outside 0..classes-1 is a DataError.
  void add_transcript(const std::vector<int>& phones);

  DecoderModel finish() const;

 private:
  int classes_;
  std::vector<double> frames_;  ///< by class, and one each
  std::vector<double> pairs_;   ///< as DecoderModel::log_bigram, and one each
};

/// Decodes one utterance. `log_posteriors` is [frames, classes], or [frames, classes + 1] with the
/// blank first for the CTC types. Returns classes (without blank).
///
/// greedy, ctc_greedy: ties go to the lowest output. viterbi maximises, over all segmentations into
/// phones p_1 ... p_n of at least `min_duration` frames (a shorter utterance is one phone),
///   sum_t (log_posteriors[t, p(t)] - prior_scale log_prior[p(t)])
///   + lm_weight log P(p_1 ... p_n, end) - n insertion_penalty, exactly; a phone may follow itself.
/// ctc_beam maximises log P(p | frames) + lm_weight log P(p, end) - n insertion_penalty among the
/// prefixes it keeps, P(p | frames) being the sum over the alignments.
///
/// Throws UsageError for options that make no sense and when the width does not fit the type and
/// model (viterbi needs both of its parts, ctc_beam the bigram), DataError naming frame and output
/// for NaN or infinite posteriors (minus infinity is a probability of zero), for a model that is
/// not finite, and where no phone string has a probability above zero.
std::vector<int> decode(const FrameMatrix& log_posteriors, const DecoderModel& model,
                        const DecoderOptions& options);

/// Rows of logits to log-posteriors, in place.
void log_softmax(FrameMatrix& logits);

}  // namespace ernn
