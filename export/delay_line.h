// The frames that a feed-forward layer joins to one input (docs/arithmetic.md, Layers).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "models/options.h"

namespace ernn {

/// The last frames of a layer's input: codes or real numbers.
template <class Value>
class DelayLine {
 public:
  DelayLine(const LayerOptions& layer, int inputs)
      : offsets_(layer.offsets),
        frames_(static_cast<std::size_t>(layer.reach()) + 1,
                std::vector<Value>(static_cast<std::size_t>(inputs))) {}

  /// Zeros, as before the first frame.
  void reset() {
    for (auto& frame : frames_) std::fill(frame.begin(), frame.end(), Value{});
  }

  /// Takes the current frame and returns those at all offsets, one behind the other.
  std::vector<Value> join(const std::vector<Value>& frame) {
    std::rotate(frames_.begin(), frames_.begin() + 1, frames_.end());
    frames_.back() = frame;
    std::vector<Value> joined;
    for (const int offset : offsets_) {
      const auto& at = *(frames_.end() - 1 + offset);
      joined.insert(joined.end(), at.begin(), at.end());
    }
    return joined;
  }

 private:
  std::vector<int> offsets_;
  std::vector<std::vector<Value>> frames_;  ///< the oldest first
};

}  // namespace ernn
