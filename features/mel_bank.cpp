#include "features/mel_bank.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>

#include "base/error.h"

namespace ernn {

double mel_of_hz(double hz) {
  return 1127 * std::log(1 + hz / 700);
}

MelBank::MelBank(int bins, int fft_size, double sample_rate, double low_hz, double high_hz) {
  const double low = mel_of_hz(low_hz);
  const double step = (mel_of_hz(high_hz) - low) / (bins + 1);
  for (int bin = 0; bin < bins; ++bin) {
    const double left = low + bin * step;
    const double centre = left + step;
    const double right = centre + step;
    Filter filter;
    for (int i = 0; i < fft_size / 2; ++i) {
      const double mel = mel_of_hz(i * sample_rate / fft_size);
      if (mel <= left || mel >= right) continue;
      if (filter.weights.empty()) filter.first = i;
      filter.weights.push_back(mel <= centre ? (mel - left) / step : (right - mel) / step);
    }
    if (filter.weights.empty()) {
      throw UsageError(
          fmt::format("features.bins is {}: mel bin {} is narrower than the FFT's resolution of "
                      "{} Hz; use fewer bins or longer frames",
                      bins, bin, sample_rate / fft_size));
    }
    filters_.push_back(std::move(filter));
  }
}

double MelBank::energy(const double* power, int bin) const {
  const Filter& filter = filters_[static_cast<std::size_t>(bin)];
  double sum = 0;
  for (std::size_t i = 0; i < filter.weights.size(); ++i) {
    sum += filter.weights[i] * power[static_cast<std::size_t>(filter.first) + i];
  }
  return sum;
}

}  // namespace ernn
