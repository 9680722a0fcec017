// A tone to test signal processing with.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace ernn {

constexpr int kRate = 16000;  ///< Hz

/// `count` samples of a sine of amplitude 1000.
inline std::vector<float> sine(double hz, std::size_t count) {
  constexpr double kTurn = 6.283185307179586;
  std::vector<float> samples(count);
  for (std::size_t i = 0; i < count; ++i)
    samples[i] = static_cast<float>(1000 * std::sin(kTurn * hz * static_cast<double>(i) / kRate));
  return samples;
}

}  // namespace ernn
