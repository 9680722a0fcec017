// Features of speech that is still coming in.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "features/deltas.h"
#include "features/feature_extractor.h"

namespace ernn {

/// Gives the rows of FeatureExtractor::compute(), bit for bit, as soon as the samples they depend
/// on are there: deltas look a few frames ahead. Memory does not grow with the speech.
class FeatureStream {
 public:
  /// Receives one frame [dimension()].
  using Sink = std::function<void(const float* features)>;

  /// Throws UsageError for options that make no sense, and for dither, whose noise depends on how
  /// long the whole utterance is.
  explicit FeatureStream(const FeatureOptions& options);

  int dimension() const { return extractor_.dimension(); }
  const FeatureOptions& options() const { return extractor_.options(); }
  /// The next samples, on the integer scale.
  void push(const float* samples, std::size_t count, const Sink& sink);
  /// The frames that only the end of the speech settles. Nothing may be pushed after it.
  void finish(const Sink& sink);

 private:
  long long samples_seen() const { return offset_ + static_cast<long long>(samples_.size()); }
  float* statics_of(int t);
  void compute_until(int frames, const Sink& sink);
  void emit(int last, const Sink& sink);
  void forget_samples();

  FeatureExtractor extractor_;
  FeatureExtractor::Workspace workspace_;
  DeltaFilter deltas_;
  std::vector<float> samples_;  ///< those that frames to come may need
  long long offset_ = 0;        ///< number of samples before them
  std::vector<float> statics_;  ///< a ring of frames
  int ring_ = 0;                ///< its length
  int computed_ = 0;            ///< frames with statics
  int emitted_ = 0;             ///< frames given to a sink
  std::vector<float> row_;
};

}  // namespace ernn
