#include "export/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/error.h"
#include "export/reference.h"

namespace ernn {

namespace {

constexpr int kBinsPerOctave = 8;
constexpr int kSmallestExponent = -64;  // smaller magnitudes count as this
constexpr int kLargestExponent = 64;
constexpr int kBins = (kLargestExponent - kSmallestExponent) * kBinsPerOctave;

/// Magnitudes in [2^(e-1), 2^e) share an octave, divided evenly.
int bin_of(double magnitude) {
  int exponent = 0;
  const double mantissa = std::frexp(magnitude, &exponent);
  if (magnitude == 0 || exponent < kSmallestExponent) return 0;
  if (exponent >= kLargestExponent) return kBins - 1;
  const int part = static_cast<int>((mantissa - 0.5) * 2 * kBinsPerOctave);
  return (exponent - kSmallestExponent) * kBinsPerOctave + part;
}

double upper_edge(int bin) {
  const double mantissa = 0.5 + (bin % kBinsPerOctave + 1) * 0.5 / kBinsPerOctave;
  return std::ldexp(mantissa, bin / kBinsPerOctave + kSmallestExponent);
}

}  // namespace

SignalRange::SignalRange() : bins_(kBins, 0) {}

void SignalRange::add(double value) {
  if (!std::isfinite(value))
    throw DataError(fmt::format("found {}, expected a finite value", value));
  const double magnitude = std::abs(value);
  largest_ = std::max(largest_, magnitude);
  ++count_;
  ++bins_[static_cast<std::size_t>(bin_of(magnitude))];
}

double SignalRange::percentile(double percent) const {
  const double wanted = static_cast<double>(count_) * percent / 100;
  std::int64_t seen = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    seen += bins_[static_cast<std::size_t>(bin)];
    if (static_cast<double>(seen) >= wanted) return std::min(largest_, upper_edge(bin));
  }
  return largest_;
}

RangeProfile profile_ranges(const FloatNetwork& network,
                            const std::vector<FrameMatrix>& utterances) {
  RangeProfile profile;
  const auto add = [&](const std::string& signal, const std::vector<double>& values) {
    SignalRange& range = profile[signal];
    try {
      for (const double value : values) range.add(value);
    } catch (const DataError& error) {
      throw DataError(fmt::format("calibration, signal '{}': {}", signal, error.what()));
    }
  };
  Reference reference(network);
  reference.observe(add);
  for (const FrameMatrix& utterance : utterances) {
    if (utterance.cols != network.inputs()) {
      throw DataError(fmt::format("calibration frames have {} dimensions, the network takes {}",
                                  utterance.cols, network.inputs()));
    }
    reference.reset();
    for (int t = 0; t < utterance.rows; ++t) {
      const std::vector<double> frame(utterance.row(t), utterance.row(t) + utterance.cols);
      add("input", frame);
      reference.step(frame);
    }
  }
  return profile;
}

}  // namespace ernn
