#include "features/feature_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "features/framing.h"

namespace ernn {

FeatureStream::FeatureStream(const FeatureOptions& options)
    : extractor_(options),
      workspace_(extractor_.make_workspace()),
      deltas_(extractor_.static_dimension(), extractor_.options().delta_order,
              extractor_.options().delta_window),
      ring_(2 * deltas_.reach() + 1),
      row_(static_cast<std::size_t>(extractor_.dimension())) {
  if (extractor_.options().dither > 0) {
    throw UsageError(
        fmt::format("features.dither is {}, expected 0 for speech that is still coming in",
                    extractor_.options().dither));
  }
  statics_.resize(static_cast<std::size_t>(ring_) *
                  static_cast<std::size_t>(extractor_.static_dimension()));
}

float* FeatureStream::statics_of(int t) {
  return statics_.data() + static_cast<std::size_t>(t % ring_) *
                               static_cast<std::size_t>(extractor_.static_dimension());
}

void FeatureStream::push(const float* samples, std::size_t count, const Sink& sink) {
  samples_.insert(samples_.end(), samples, samples + count);
  // Whole frames only: where the speech ends, samples are reflected.
  int whole = computed_;
  while (frame_begin(options(), whole) + frame_length(options()) <= samples_seen()) ++whole;
  compute_until(whole, sink);
  forget_samples();
}

void FeatureStream::compute_until(int frames, const Sink& sink) {
  while (computed_ < frames) {
    extractor_.compute_statics(samples_, frame_begin(options(), computed_) - offset_, workspace_,
                               statics_of(computed_));
    ++computed_;
    if (computed_ > deltas_.reach()) emit(computed_ - 1, sink);
  }
}

void FeatureStream::emit(int last, const Sink& sink) {
  deltas_.apply(
      emitted_, last, [this](int i) { return statics_of(i); }, row_.data());
  ++emitted_;
  sink(row_.data());
}

/// Keeps a frame's length before the next frame too: reflection at the end goes back into it.
void FeatureStream::forget_samples() {
  const long long needed = frame_begin(options(), computed_) - frame_length(options());
  const long long gone = std::min(std::max(needed, offset_), samples_seen()) - offset_;
  samples_.erase(samples_.begin(), samples_.begin() + gone);
  offset_ += gone;
}

void FeatureStream::finish(const Sink& sink) {
  compute_until(frame_count(options(), static_cast<std::size_t>(samples_seen())), sink);
  while (emitted_ < computed_) emit(computed_ - 1, sink);
}

}  // namespace ernn
