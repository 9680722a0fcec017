#include "features/framing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ernn {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kPoveyPower = 0.85;
constexpr double kBlackman = 0.42;

int samples_of(double ms, double sample_rate) {
  return static_cast<int>(sample_rate * 0.001 * ms);
}

/// Box-Muller, because std::normal_distribution differs between standard libraries.
double gaussian(std::mt19937& noise) {
  constexpr double kRange = 4294967296.0;
  const double radius = std::sqrt(-2 * std::log((noise() + 1.0) / kRange));
  return radius * std::cos(2 * kPi * (noise() / kRange));
}

/// Mirrors an index outside [0, count) at the ends, which count twice: -1 -> 0, count -> count - 1.
std::size_t reflect(long long index, std::size_t count) {
  const auto n = static_cast<long long>(count);
  while (index < 0 || index >= n) index = index < 0 ? -index - 1 : 2 * n - 1 - index;
  return static_cast<std::size_t>(index);
}

double log_energy(const double* frame, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += frame[i] * frame[i];
  return floored_log(sum);
}

}  // namespace

double floored_log(double value) {
  return std::log(std::max(value, static_cast<double>(std::numeric_limits<float>::epsilon())));
}

int frame_length(const FeatureOptions& options) {
  return samples_of(options.frame_length_ms, options.sample_rate);
}

int frame_shift(const FeatureOptions& options) {
  return samples_of(options.frame_shift_ms, options.sample_rate);
}

int frame_count(const FeatureOptions& options, std::size_t samples) {
  const auto n = static_cast<long long>(samples);
  const int length = frame_length(options);
  const int shift = frame_shift(options);
  if (!options.snip_edges) return static_cast<int>((n + shift / 2) / shift);
  return n < length ? 0 : static_cast<int>(1 + (n - length) / shift);
}

long long frame_begin(const FeatureOptions& options, int t) {
  const long long shift = frame_shift(options);
  if (options.snip_edges) return shift * t;
  return shift * t + shift / 2 - frame_length(options) / 2;
}

long long frame_centre(const FeatureOptions& options, int t) {
  return frame_begin(options, t) + frame_length(options) / 2;
}

std::vector<double> make_window(Window window, int length) {
  std::vector<double> out(static_cast<std::size_t>(length));
  const double step = 2 * kPi / (length - 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double phase = step * static_cast<double>(i);
    switch (window) {
      case Window::povey:
        out[i] = std::pow(0.5 - 0.5 * std::cos(phase), kPoveyPower);
        break;
      case Window::hamming:
        out[i] = 0.54 - 0.46 * std::cos(phase);
        break;
      case Window::hanning:
        out[i] = 0.5 - 0.5 * std::cos(phase);
        break;
      case Window::blackman:
        out[i] = kBlackman - 0.5 * std::cos(phase) + (0.5 - kBlackman) * std::cos(2 * phase);
        break;
      case Window::rectangular:
        out[i] = 1;
        break;
    }
  }
  return out;
}

FrameExtractor::FrameExtractor(const FeatureOptions& options)
    : options_(options), window_(make_window(options.window, frame_length(options))) {}

double FrameExtractor::extract(const std::vector<float>& samples, long long begin, double* frame,
                               std::mt19937& noise) const {
  const std::size_t length = window_.size();
  double mean = 0;
  for (std::size_t i = 0; i < length; ++i) {
    frame[i] = samples[reflect(begin + static_cast<long long>(i), samples.size())];
    if (options_.dither > 0) frame[i] += options_.dither * gaussian(noise);
    mean += frame[i] / static_cast<double>(length);
  }
  if (options_.remove_dc) {
    for (std::size_t i = 0; i < length; ++i) frame[i] -= mean;
  }
  const double raw_energy = log_energy(frame, length);
  for (std::size_t i = length; i > 1; --i) frame[i - 1] -= options_.preemphasis * frame[i - 2];
  frame[0] -= options_.preemphasis * frame[0];
  for (std::size_t i = 0; i < length; ++i) frame[i] *= window_[i];
  return options_.raw_energy ? raw_energy : log_energy(frame, length);
}

}  // namespace ernn
