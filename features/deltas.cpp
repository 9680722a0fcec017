#include "features/deltas.h"

#include <algorithm>
#include <cstddef>

namespace ernn {

std::vector<double> delta_kernel(int order, int window) {
  std::vector<double> kernel = {1.0};
  double normaliser = 0;
  for (int j = -window; j <= window; ++j) normaliser += static_cast<double>(j) * j;
  for (int i = 0; i < order; ++i) {
    std::vector<double> next(kernel.size() + 2 * static_cast<std::size_t>(window), 0.0);
    for (int j = -window; j <= window; ++j) {
      for (std::size_t k = 0; k < kernel.size(); ++k) {
        next[static_cast<std::size_t>(j + window) + k] += j * kernel[k] / normaliser;
      }
    }
    kernel = std::move(next);
  }
  return kernel;
}

FrameMatrix add_deltas(const FrameMatrix& statics, int order, int window) {
  FrameMatrix out(statics.rows, statics.cols * (order + 1));
  std::vector<double> sum(static_cast<std::size_t>(statics.cols));
  for (int i = 0; i <= order; ++i) {
    const std::vector<double> kernel = delta_kernel(i, window);
    const int reach = i * window;
    for (int t = 0; t < statics.rows; ++t) {
      std::fill(sum.begin(), sum.end(), 0.0);
      int from = t - reach;
      for (const double tap : kernel) {
        const float* source = statics.row(std::clamp(from++, 0, statics.rows - 1));
        for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += tap * source[d];
      }
      float* target = out.row(t) + static_cast<std::size_t>(i) * statics.cols;
      for (std::size_t d = 0; d < sum.size(); ++d) target[d] = static_cast<float>(sum[d]);
    }
  }
  return out;
}

}  // namespace ernn
