// Triangular filters, equally spaced on the mel scale.
#pragma once

#include <vector>

namespace ernn {

/// 1127 ln(1 + f / 700).
double mel_of_hz(double hz);

/// Kaldi's mel bank: weights are computed in the mel domain at the centres of the FFT bins, peak 1,
/// no normalisation of the area. The bin at half the sample rate is not used.
class MelBank {
 public:
  /// One filter: weights of the FFT bins first, first + 1, ...; all positive.
  struct Filter {
    int first = 0;
    std::vector<double> weights;
  };

  /// `fft_size` points at `sample_rate` Hz. Throws UsageError when a filter is so narrow that no
  /// FFT bin falls into it.
  MelBank(int bins, int fft_size, double sample_rate, double low_hz, double high_hz);

  const std::vector<Filter>& filters() const { return filters_; }
  /// Energy of filter `bin` in a power spectrum of fft_size / 2 values or more.
  double energy(const double* power, int bin) const;

 private:
  std::vector<Filter> filters_;
};

}  // namespace ernn
