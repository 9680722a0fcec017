// Ranges of every signal, measured on calibration speech.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/frame_matrix.h"
#include "export/float_network.h"

namespace ernn {

/// Magnitudes of one signal: their maximum and a histogram with eight bins an octave.
class SignalRange {
 public:
  SignalRange();
  /// Throws DataError for a value that is not finite.
  void add(double value);
  double largest() const { return largest_; }
  std::int64_t count() const { return count_; }
  /// A magnitude that at least `percent` of the values do not exceed, to the next bin's edge (an
  /// eighth of an octave) and never above largest(). 0 without values.
  double percentile(double percent) const;

 private:
  double largest_ = 0;
  std::int64_t count_ = 0;
  std::vector<std::int64_t> bins_;
};

/// Ranges by signal: the traced signals of docs/arithmetic.md and "input", the network's input.
using RangeProfile = std::map<std::string, SignalRange>;

/// Runs the reference over normalised utterances [frames, inputs], each from the initial state.
/// Throws DataError naming the signal when one is not finite, and for frames of another width.
RangeProfile profile_ranges(const FloatNetwork& network,
                            const std::vector<FrameMatrix>& utterances);

}  // namespace ernn
