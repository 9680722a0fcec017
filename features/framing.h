// Cutting audio into overlapping frames, as Kaldi's feature-window does.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "features/feature_options.h"

namespace ernn {

/// Samples in one frame, and from one frame to the next.
int frame_length(const FeatureOptions& options);
int frame_shift(const FeatureOptions& options);

/// Frames of an utterance: with snip_edges only those that lie inside, none when it is shorter than
/// one frame; else one for each whole shift, rounded.
int frame_count(const FeatureOptions& options, std::size_t samples);

/// First sample of frame t; may be negative without snip_edges.
long long frame_begin(const FeatureOptions& options, int t);
/// The sample in the middle of frame t.
long long frame_centre(const FeatureOptions& options, int t);

/// Window coefficients, `length` of them, with the divisor length - 1.
std::vector<double> make_window(Window window, int length);

/// Turns samples into windowed frames: dither, mean removal, energy, pre-emphasis, window.
class FrameExtractor {
 public:
  explicit FrameExtractor(const FeatureOptions& options);

  /// Writes the frame whose first sample is samples[begin] (frame_length values) to `frame` and
  /// returns its log energy. Samples outside are those inside, reflected at the ends. `noise` is
  /// drawn from only when dither is on.
  double extract(const std::vector<float>& samples, long long begin, double* frame,
                 std::mt19937& noise) const;

 private:
  FeatureOptions options_;
  std::vector<double> window_;
};

/// ln(max(value, float epsilon)), the floor of every logarithm in Kaldi's features.
double floored_log(double value);

}  // namespace ernn
