#include "features/normalisation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/error.h"

namespace ernn {

namespace {

constexpr double kVarianceFloor = 1e-20;

void check_width(std::size_t found, std::size_t expected) {
  if (found != expected) {
    throw DataError(fmt::format("features of {} dimensions, expected {} as the normalisation has",
                                found, expected));
  }
}

}  // namespace

void Normalisation::apply(FrameMatrix& features) const {
  check_width(static_cast<std::size_t>(features.cols), mean.size());
  for (int t = 0; t < features.rows; ++t) {
    float* row = features.row(t);
    for (std::size_t d = 0; d < mean.size(); ++d) {
      row[d] = static_cast<float>((row[d] - mean[d]) * inverse_std[d]);
    }
  }
}

void NormalisationEstimator::add(const FrameMatrix& features) {
  if (features.rows == 0) return;
  if (frames_ == 0) {
    sum_.assign(static_cast<std::size_t>(features.cols), 0.0);
    sum_squares_.assign(static_cast<std::size_t>(features.cols), 0.0);
  }
  check_width(static_cast<std::size_t>(features.cols), sum_.size());
  for (int t = 0; t < features.rows; ++t) {
    const float* row = features.row(t);
    for (std::size_t d = 0; d < sum_.size(); ++d) {
      sum_[d] += row[d];
      sum_squares_[d] += static_cast<double>(row[d]) * row[d];
    }
  }
  frames_ += features.rows;
}

Normalisation NormalisationEstimator::finish() const {
  if (frames_ == 0) throw DataError("no frames to estimate mean and variance from");
  Normalisation result;
  const auto count = static_cast<double>(frames_);
  for (std::size_t d = 0; d < sum_.size(); ++d) {
    const double mean = sum_[d] / count;
    const double variance = std::max(sum_squares_[d] / count - mean * mean, kVarianceFloor);
    result.mean.push_back(mean);
    result.inverse_std.push_back(1 / std::sqrt(variance));
  }
  return result;
}

}  // namespace ernn
