// Viterbi search over a loop of phones, a frame at a time.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <vector>

#include "train/decoder.h"

namespace ernn {

/// Scores of the bigram with weight and insertion penalty applied.
class PhoneGrammar {
 public:
  PhoneGrammar(const DecoderModel& model, const DecoderOptions& options, int classes)
      : model_(model), options_(options), classes_(classes) {}

  int start() const { return classes_; }
  double enter(int previous, int next) const {
    return options_.lm_weight * bigram(previous, next) - options_.insertion_penalty;
  }
  double end(int last) const { return options_.lm_weight * bigram(last, classes_); }

 private:
  double bigram(int previous, int next) const {
    return model_.log_bigram[static_cast<std::size_t>(previous) * (classes_ + 1) + next];
  }

  const DecoderModel& model_;  ///< the caller keeps it
  DecoderOptions options_;
  int classes_;
};

/// A phone and the frames it covers: from `start` up to, without, `end`.
struct PhoneSpan {
  int phone = 0;
  long long start = 0;
  long long end = 0;
};

/// Exact Viterbi search over a loop of phones. Each phone is a chain of `duration` states, the last
/// with a self-loop, so phones meet only where one is entered: O(C^2) a frame there, O(C duration)
/// inside.
class PhoneLoop {
 public:
  static constexpr double kLogZero = -std::numeric_limits<double>::infinity();

  /// `model` must outlive the search; decode() has checked it and the options.
  PhoneLoop(const DecoderModel& model, const DecoderOptions& options, int classes, int duration);

  /// The next frame's log-posteriors [classes].
  void advance(const float* posteriors);
  /// The phones that every path to the last frame shares and that were not handed out before: no
  /// frame to come can change them. Forgets what only other paths needed.
  std::vector<PhoneSpan> settled();
  /// The phones of the best path behind those handed out. Throws DataError where no phone string
  /// has a probability above zero.
  std::vector<PhoneSpan> finish();

 private:
  /// `entry` is where the state's phone was entered, a number into entries_.
  struct State {
    double score = kLogZero;
    long long entry = -1;
  };
  /// One phone of a path, its first frame, and the entry before it.
  struct Entry {
    int phone;
    long long start;
    long long before;
  };

  std::size_t exit_of(int phone) const;
  const Entry& entry(long long number) const {
    return entries_[static_cast<std::size_t>(number - forgotten_)];
  }
  State enter(int phone) const;
  long long shared_entry() const;
  std::vector<PhoneSpan> path_to(long long last, long long end) const;

  const DecoderModel& model_;
  DecoderOptions options_;
  PhoneGrammar grammar_;
  int classes_;
  int duration_;
  long long frame_ = 0;
  std::vector<State> states_, next_;  ///< [classes, duration]
  std::deque<Entry> entries_;
  long long forgotten_ = 0;    ///< entries that are no longer kept
  long long handed_out_ = -1;  ///< the last entry whose phone a caller has got
};

}  // namespace ernn
