#include "train/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/options.h"
#include "train/phone_loop.h"

namespace ernn {

const std::vector<std::pair<DecoderType, const char*>>& enum_names(DecoderType) {
  static const std::vector<std::pair<DecoderType, const char*>> names = {
      {DecoderType::greedy, "greedy"},
      {DecoderType::viterbi, "viterbi"},
      {DecoderType::ctc_greedy, "ctc_greedy"},
      {DecoderType::ctc_beam, "ctc_beam"}};
  return names;
}

namespace {

constexpr double kLogZero = PhoneLoop::kLogZero;

double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kLogZero ? a : a + std::log1p(std::exp(b - a));
}

void check_class(int label, int classes, const char* what) {
  if (label >= 0 && label < classes) return;
  throw DataError(fmt::format("{}: class {} is outside 0..{}", what, label, classes - 1));
}

bool is_ctc(DecoderType type) {
  return type == DecoderType::ctc_greedy || type == DecoderType::ctc_beam;
}

/// Checks everything that decode() relies on; returns the number of classes without the blank.
int check(const FrameMatrix& posteriors, const DecoderModel& model, const DecoderOptions& options) {
  const char* const name = name_of(options.type);
  const int classes = posteriors.cols - (is_ctc(options.type) ? 1 : 0);
  if (classes < 1) {
    throw UsageError(fmt::format("decoder {}: {} outputs leave no class", name, posteriors.cols));
  }
  const auto expect = [&](std::size_t found, std::size_t expected, const char* what, bool needed) {
    if (found == expected || (found == 0 && !needed)) return;
    throw UsageError(fmt::format(
        "decoder {}: {} outputs are {} classes, which need a {} of {} numbers; the model has {}",
        name, posteriors.cols, classes, what, expected, found));
  };
  const auto side = static_cast<std::size_t>(classes) + 1;
  const bool viterbi = options.type == DecoderType::viterbi;
  expect(model.log_prior.size(), side - 1, "prior", viterbi);
  expect(model.log_bigram.size(), side * side, "bigram",
         viterbi || options.type == DecoderType::ctc_beam);
  const auto finite = [&](const std::vector<double>& numbers, const char* what) {
    for (const double number : numbers) {
      if (std::isfinite(number)) continue;
      throw DataError(
          fmt::format("decoder {}: the {} holds a value that is not finite", name, what));
    }
  };
  finite(model.log_prior, "prior");
  finite(model.log_bigram, "bigram");
  validate(options, "decoder");
  for (int t = 0; t < posteriors.rows; ++t) {
    for (int c = 0; c < posteriors.cols; ++c) check_log_posterior(posteriors.at(t, c), t, c);
  }
  return classes;
}

int best_column(const FrameMatrix& posteriors, int t) {
  const float* row = posteriors.row(t);
  return static_cast<int>(std::max_element(row, row + posteriors.cols) - row);
}

/// Best column of each frame with repeats merged.
std::vector<int> merged_best_columns(const FrameMatrix& posteriors) {
  std::vector<int> columns;
  int previous = -1;
  for (int t = 0; t < posteriors.rows; ++t) {
    const int best = best_column(posteriors, t);
    if (best != previous) columns.push_back(best);
    previous = best;
  }
  return columns;
}

std::vector<int> decode_ctc_greedy(const FrameMatrix& posteriors) {
  std::vector<int> classes;
  for (const int column : merged_best_columns(posteriors)) {
    if (column > 0) classes.push_back(column - 1);
  }
  return classes;
}

std::vector<int> viterbi(const FrameMatrix& posteriors, const DecoderModel& model,
                         const DecoderOptions& options) {
  PhoneLoop loop(model, options, posteriors.cols, std::min(options.min_duration, posteriors.rows));
  for (int t = 0; t < posteriors.rows; ++t) loop.advance(posteriors.row(t));
  std::vector<int> phones;
  for (const PhoneSpan& span : loop.finish()) phones.push_back(span.phone);
  return phones;
}

/// CTC prefix beam search: a prefix carries the probability of all its alignments, those that end
/// in blank and those that end in its last class apart (Graves 2012; Hannun et al. 2014).
class PrefixBeam {
 public:
  PrefixBeam(const FrameMatrix& posteriors, const DecoderModel& model,
             const DecoderOptions& options)
      : posteriors_(posteriors),
        options_(options),
        classes_(posteriors.cols - 1),
        grammar_(model, options, classes_) {
    prefixes_.push_back({-1, grammar_.start(), 0.0, {}, {0.0, kLogZero}, {}});
    beam_.push_back(0);
  }

  std::vector<int> run() {
    for (int t = 0; t < posteriors_.rows; ++t) advance(posteriors_.row(t));
    int best = -1;
    double best_score = kLogZero;
    for (const int index : beam_) {
      const double score = this->score(index) + grammar_.end(at(index).last);
      if (score > best_score) {
        best = index;
        best_score = score;
      }
    }
    if (best < 0) throw DataError("no phone string has a probability above zero");
    std::vector<int> phones;
    for (int i = best; at(i).parent >= 0; i = at(i).parent) phones.push_back(at(i).last);
    std::reverse(phones.begin(), phones.end());
    return phones;
  }

 private:
  struct Mass {
    double blank = kLogZero;  ///< alignments that end in blank
    double label = kLogZero;  ///< alignments that end in the last class
    double total() const { return log_add(blank, label); }
  };
  struct Prefix {
    int parent;
    int last;        ///< last class; the start symbol for the empty prefix
    double grammar;  ///< bigram score of the whole prefix
    std::vector<int> children;
    Mass now, next;
  };

  Prefix& at(int index) { return prefixes_[static_cast<std::size_t>(index)]; }
  double score(int index) { return at(index).now.total() + at(index).grammar; }

  int child(int parent, int label) {
    if (at(parent).children.empty())
      at(parent).children.assign(static_cast<std::size_t>(classes_), -1);
    const int known = at(parent).children[static_cast<std::size_t>(label)];
    if (known >= 0) return known;
    const int index = static_cast<int>(prefixes_.size());
    const double grammar = at(parent).grammar + grammar_.enter(at(parent).last, label);
    prefixes_.push_back({parent, label, grammar, {}, {}, {}});
    at(parent).children[static_cast<std::size_t>(label)] = index;
    return index;
  }

  /// Adds probability to a prefix of the next frame.
  void add(int index, double Mass::*part, double mass) {
    if (mass == kLogZero) return;
    Mass& next = at(index).next;
    if (next.blank == kLogZero && next.label == kLogZero) touched_.push_back(index);
    next.*part = log_add(next.*part, mass);
  }

  void advance(const float* row) {
    touched_.clear();
    for (const int index : beam_) {
      const Mass now = at(index).now;
      const int last = at(index).last;
      add(index, &Mass::blank, now.total() + row[0]);
      if (at(index).parent >= 0) add(index, &Mass::label, now.label + row[last + 1]);
      for (int c = 0; c < classes_; ++c) {
        // A repeated class is a new phone only after a blank.
        const double from = c == last ? now.blank : now.total();
        if (from > kLogZero && row[c + 1] > kLogZero)
          add(child(index, c), &Mass::label, from + row[c + 1]);
      }
    }
    for (const int index : beam_) at(index).now = {};
    for (const int index : touched_) std::swap(at(index).now, at(index).next);
    prune();
  }

  /// Keeps the best prefixes; ties go to the one that was found first.
  void prune() {
    std::vector<std::pair<double, int>> ranked;
    ranked.reserve(touched_.size());
    for (const int index : touched_) ranked.emplace_back(-score(index), index);
    const std::size_t kept = std::min(ranked.size(), static_cast<std::size_t>(options_.beam));
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(kept),
                      ranked.end());
    for (std::size_t i = kept; i < ranked.size(); ++i) at(ranked[i].second).now = {};
    beam_.clear();
    for (std::size_t i = 0; i < kept; ++i) beam_.push_back(ranked[i].second);
  }

  const FrameMatrix& posteriors_;
  const DecoderOptions& options_;
  int classes_;
  PhoneGrammar grammar_;
  std::vector<Prefix> prefixes_;
  std::vector<int> beam_, touched_;
};

}  // namespace

void check_log_posterior(float value, long long frame, int output) {
  if (value < std::numeric_limits<float>::infinity()) return;
  throw DataError(
      fmt::format("log-posterior of output {} at frame {} is {}, expected a number or minus "
                  "infinity",
                  output, frame, std::isnan(value) ? "NaN" : "infinite"));
}

void validate(const DecoderOptions& options, const std::string& path) {
  const auto require_positive = [&path](const char* key, int found) {
    if (found >= 1) return;
    throw UsageError(fmt::format("{}.{}: found {}, expected a positive number", path, key, found));
  };
  require_positive("min_duration", options.min_duration);
  require_positive("beam", options.beam);
}

DecoderModelEstimator::DecoderModelEstimator(int classes) : classes_(classes) {
  if (classes < 1) throw UsageError(fmt::format("{} classes are none to count", classes));
  const auto side = static_cast<std::size_t>(classes) + 1;
  frames_.assign(side - 1, 1.0);
  pairs_.assign(side * side, 1.0);
}

void DecoderModelEstimator::add_frames(const std::vector<int>& labels) {
  for (const int label : labels) {
    if (label == -1) continue;
    check_class(label, classes_, "frame labels");
    frames_[static_cast<std::size_t>(label)] += 1;
  }
}

void DecoderModelEstimator::add_transcript(const std::vector<int>& phones) {
  const auto side = static_cast<std::size_t>(classes_) + 1;
  std::size_t previous = side - 1;
  for (const int phone : phones) {
    check_class(phone, classes_, "transcript");
    pairs_[previous * side + static_cast<std::size_t>(phone)] += 1;
    previous = static_cast<std::size_t>(phone);
  }
  pairs_[previous * side + side - 1] += 1;
}

DecoderModel DecoderModelEstimator::finish() const {
  const auto to_log_shares = [](double* counts, std::size_t size) {
    const double total = std::accumulate(counts, counts + size, 0.0);
    for (std::size_t i = 0; i < size; ++i) counts[i] = std::log(counts[i] / total);
  };
  DecoderModel model{frames_, pairs_};
  const auto side = static_cast<std::size_t>(classes_) + 1;
  to_log_shares(model.log_prior.data(), side - 1);
  for (std::size_t row = 0; row < side; ++row)
    to_log_shares(model.log_bigram.data() + row * side, side);
  return model;
}

std::vector<int> decode(const FrameMatrix& log_posteriors, const DecoderModel& model,
                        const DecoderOptions& options) {
  check(log_posteriors, model, options);
  if (log_posteriors.rows == 0) return {};
  switch (options.type) {
    case DecoderType::greedy:
      return merged_best_columns(log_posteriors);
    case DecoderType::viterbi:
      return viterbi(log_posteriors, model, options);
    case DecoderType::ctc_greedy:
      return decode_ctc_greedy(log_posteriors);
    case DecoderType::ctc_beam:
      return PrefixBeam(log_posteriors, model, options).run();
  }
  return {};
}

void log_softmax(FrameMatrix& logits) {
  for (int t = 0; t < logits.rows; ++t) {
    float* row = logits.row(t);
    double largest = kLogZero;
    for (int c = 0; c < logits.cols; ++c) largest = std::max(largest, static_cast<double>(row[c]));
    double sum = 0;
    for (int c = 0; c < logits.cols; ++c) sum += std::exp(row[c] - largest);
    const double norm = largest + std::log(sum);
    for (int c = 0; c < logits.cols; ++c) row[c] = static_cast<float>(row[c] - norm);
  }
}

}  // namespace ernn
