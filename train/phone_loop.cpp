#include "train/phone_loop.h"

#include <algorithm>

#include "base/error.h"

namespace ernn {

PhoneLoop::PhoneLoop(const DecoderModel& model, const DecoderOptions& options, int classes,
                     int duration)
    : model_(model),
      options_(options),
      grammar_(model, options, classes),
      classes_(classes),
      duration_(duration),
      states_(static_cast<std::size_t>(classes) * static_cast<std::size_t>(duration)),
      next_(states_.size()) {}

std::size_t PhoneLoop::exit_of(int phone) const {
  return static_cast<std::size_t>(phone) * duration_ + (duration_ - 1);
}

/// Best way into `phone` at this frame; ties go to the lowest previous class.
PhoneLoop::State PhoneLoop::enter(int phone) const {
  State best;
  if (frame_ == 0) {
    best.score = grammar_.enter(grammar_.start(), phone);
    return best;
  }
  for (int previous = 0; previous < classes_; ++previous) {
    const State& from = states_[exit_of(previous)];
    const double score = from.score + grammar_.enter(previous, phone);
    if (score > best.score) best = {score, from.entry};
  }
  return best;
}

void PhoneLoop::advance(const float* posteriors) {
  for (int c = 0; c < classes_; ++c) {
    State* chain = next_.data() + static_cast<std::size_t>(c) * duration_;
    const State* old = states_.data() + static_cast<std::size_t>(c) * duration_;
    const State entered = enter(c);
    chain[0] = {};
    if (entered.score > kLogZero) {
      entries_.push_back({c, frame_, entered.entry});
      chain[0] = {entered.score, forgotten_ + static_cast<long long>(entries_.size()) - 1};
    }
    for (int d = 1; d < duration_; ++d) chain[d] = old[d - 1];
    // On a tie the phone goes on: fewer phones.
    State& exit = chain[duration_ - 1];
    if (old[duration_ - 1].score > kLogZero && old[duration_ - 1].score >= exit.score)
      exit = old[duration_ - 1];
    const double frame =
        posteriors[c] - options_.prior_scale * model_.log_prior[static_cast<std::size_t>(c)];
    for (int d = 0; d < duration_; ++d) chain[d].score += frame;
  }
  std::swap(states_, next_);
  ++frame_;
}

/// The last entry that is part of every path, or -1. An entry's number is larger than that of the
/// one before it, so going back from the largest number meets every branching.
long long PhoneLoop::shared_entry() const {
  std::vector<bool> marked(entries_.size());
  long long live = 0;
  for (const State& state : states_) {
    if (state.score == kLogZero) continue;
    const auto at = static_cast<std::size_t>(state.entry - forgotten_);
    if (!marked[at]) ++live;
    marked[at] = true;
  }
  for (std::size_t at = marked.size(); at-- > 0 && live > 0;) {
    if (!marked[at]) continue;
    if (live == 1) return forgotten_ + static_cast<long long>(at);
    const long long before = entries_[at].before - forgotten_;
    if (before < 0) return -1;
    if (marked[static_cast<std::size_t>(before)]) --live;
    marked[static_cast<std::size_t>(before)] = true;
  }
  return -1;
}

/// Phones behind those handed out, up to the one entered at `last`, which ends at `end`.
std::vector<PhoneSpan> PhoneLoop::path_to(long long last, long long end) const {
  std::vector<PhoneSpan> spans;
  for (long long i = last; i > handed_out_; i = entry(i).before) {
    spans.push_back({entry(i).phone, entry(i).start, end});
    end = entry(i).start;
  }
  std::reverse(spans.begin(), spans.end());
  return spans;
}

std::vector<PhoneSpan> PhoneLoop::settled() {
  const long long shared = shared_entry();
  if (shared < 0) return {};
  // The phone entered there is settled, but not yet where it ends.
  const long long last = entry(shared).before;
  std::vector<PhoneSpan> spans = path_to(last, entry(shared).start);
  handed_out_ = std::max(handed_out_, last);
  entries_.erase(entries_.begin(), entries_.begin() + (shared - forgotten_));
  forgotten_ = shared;
  return spans;
}

std::vector<PhoneSpan> PhoneLoop::finish() {
  State best;
  for (int c = 0; c < classes_; ++c) {
    State last = states_[exit_of(c)];
    last.score += grammar_.end(c);
    if (last.score > best.score) best = last;
  }
  if (best.entry < 0) throw DataError("no phone string has a probability above zero");
  return path_to(best.entry, frame_);
}

}  // namespace ernn
