#include "features/deltas.h"

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

DeltaFilter::DeltaFilter(int columns, int order, int window)
    : order_(order), window_(window), sum_(static_cast<std::size_t>(columns)) {
  for (int i = 0; i <= order; ++i) kernels_.push_back(delta_kernel(i, window));
}

FrameMatrix add_deltas(const FrameMatrix& statics, int order, int window) {
  FrameMatrix out(statics.rows, statics.cols * (order + 1));
  DeltaFilter filter(statics.cols, order, window);
  for (int t = 0; t < statics.rows; ++t)
    filter.apply(
        t, statics.rows - 1, [&](int i) { return statics.row(i); }, out.row(t));
  return out;
}

}  // namespace ernn
