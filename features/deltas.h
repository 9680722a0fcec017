// Time derivatives of features.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/frame_matrix.h"

namespace ernn {

/// Filter taps of the derivative of `order` over 2 * order * window + 1 frames. Order 2 is the
/// order-1 filter convolved with itself.
std::vector<double> delta_kernel(int order, int window);

/// Kaldi's add-deltas: [x, d, dd, ...], every order computed from the statics with its own kernel;
/// frames before the first and behind the last repeat those.
FrameMatrix add_deltas(const FrameMatrix& statics, int order, int window);

/// The same, a row at a time.
class DeltaFilter {
 public:
  DeltaFilter(int columns, int order, int window);

  /// Frames on either side that a row depends on.
  int reach() const { return order_ * window_; }
  /// Row t of add_deltas(): `statics(i)` gives the statics of frame i, for the frames from
  /// t - reach() to t + reach() that exist, and `last` is the last frame's number.
  template <class Statics>
  void apply(int t, int last, const Statics& statics, float* row) {
    for (int i = 0; i <= order_; ++i) {
      std::fill(sum_.begin(), sum_.end(), 0.0);
      int from = t - i * window_;
      for (const double tap : kernels_[static_cast<std::size_t>(i)]) {
        const float* const source = statics(std::clamp(from++, 0, last));
        for (std::size_t d = 0; d < sum_.size(); ++d) sum_[d] += tap * source[d];
      }
      float* const target = row + static_cast<std::size_t>(i) * sum_.size();
      for (std::size_t d = 0; d < sum_.size(); ++d) target[d] = static_cast<float>(sum_[d]);
    }
  }

 private:
  int order_, window_;
  std::vector<std::vector<double>> kernels_;
  std::vector<double> sum_;
};

}  // namespace ernn
