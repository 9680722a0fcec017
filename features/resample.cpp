#include "features/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ernn {

namespace {

constexpr double kPi = 3.141592653589793;
constexpr int kZeroCrossings = 32;
constexpr int kTableSteps = 512;  // a zero crossing

/// The right half of a Hann-windowed sinc, sampled kTableSteps times between zero crossings.
std::vector<double> interpolation_table() {
  std::vector<double> table(static_cast<std::size_t>(kZeroCrossings) * kTableSteps + 2, 0.0);
  table[0] = 1;
  for (std::size_t i = 1; i < table.size(); ++i) {
    const double x = static_cast<double>(i) / kTableSteps;
    if (x >= kZeroCrossings) continue;
    table[i] = std::sin(kPi * x) / (kPi * x) * (0.5 + 0.5 * std::cos(kPi * x / kZeroCrossings));
  }
  return table;
}

}  // namespace

std::vector<float> resample(const std::vector<float>& samples, double factor) {
  static const std::vector<double> table = interpolation_table();
  if (samples.empty()) return {};
  const double cutoff = std::min(1.0, 1.0 / factor);
  const double reach = kZeroCrossings / cutoff;
  const auto last = static_cast<long long>(samples.size()) - 1;
  std::vector<float> out(static_cast<std::size_t>(static_cast<double>(last) / factor) + 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double centre = static_cast<double>(i) * factor;
    const long long first = std::max(0LL, static_cast<long long>(std::ceil(centre - reach)));
    const long long end = std::min(last, static_cast<long long>(std::floor(centre + reach)));
    double sum = 0;
    for (long long j = first; j <= end; ++j) {
      const double place = std::abs(static_cast<double>(j) - centre) * cutoff * kTableSteps;
      const auto cell = static_cast<std::size_t>(place);
      const double part = place - static_cast<double>(cell);
      const double weight = table[cell] + part * (table[cell + 1] - table[cell]);
      sum += weight * static_cast<double>(samples[static_cast<std::size_t>(j)]);
    }
    out[i] = static_cast<float>(cutoff * sum);
  }
  return out;
}

}  // namespace ernn
