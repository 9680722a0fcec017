#include "features/synthetic_signal.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ernn {

namespace {

constexpr double kPi = 3.141592653589793;
void scale_to_power_one(std::vector<double>& samples) {
  double power = 0;
  for (const double x : samples) power += x * x;
  if (power <= 0) return;
  const double gain = std::sqrt(static_cast<double>(samples.size()) / power);
  for (double& x : samples) x *= gain;
}

std::vector<double> white_noise(std::size_t count, CorpusRandom& random) {
  std::vector<double> noise(count);
  for (double& x : noise) x = random.normal();
  return noise;
}

/// White noise through three leaky integrators whose sum falls 3 dB an octave over the audio band
/// (Paul Kellet's "economy" filter).
std::vector<double> pink_noise(std::size_t count, CorpusRandom& random) {
  std::vector<double> noise(count);
  double slow = 0;
  double medium = 0;
  double fast = 0;
  for (double& x : noise) {
    const double white = random.normal();
    slow = 0.99765 * slow + 0.0990460 * white;
    medium = 0.96300 * medium + 0.2965164 * white;
    fast = 0.57000 * fast + 1.0526913 * white;
    x = slow + medium + fast + 0.1848 * white;
  }
  return noise;
}

/// A two-pole resonator.
class Resonator {
 public:
  void tune(double hz, double bandwidth_hz, int sample_rate) {
    const double radius = std::exp(-kPi * bandwidth_hz / sample_rate);
    b1_ = 2 * radius * std::cos(2 * kPi * hz / sample_rate);
    b2_ = -radius * radius;
    gain_ = 1 - b1_ - b2_;
  }
  double operator()(double x) {
    const double y = gain_ * x + b1_ * y1_ + b2_ * y2_;
    y2_ = y1_;
    y1_ = y;
    return y;
  }

 private:
  double b1_ = 0, b2_ = 0, gain_ = 1, y1_ = 0, y2_ = 0;
};

/// Adds a voice-like source: syllables of 100 to 300 ms, each a pulse train with some breath
/// through two formants of its own.
void add_babbler(std::vector<double>& noise, int sample_rate, CorpusRandom& random) {
  const double pitch = random.uniform(90, 230);
  std::array<Resonator, 2> formants;
  double phase = random.uniform();
  std::size_t at = 0;
  while (at < noise.size()) {
    const auto length = static_cast<std::size_t>(random.uniform(0.1, 0.3) * sample_rate);
    formants[0].tune(random.uniform(280, 800), 80, sample_rate);
    formants[1].tune(random.uniform(900, 2500), 120, sample_rate);
    const double loudness = random.uniform(0.2, 1);
    const double step = pitch * random.uniform(0.85, 1.15) / sample_rate;
    const std::size_t end = std::min(noise.size(), at + length);
    for (std::size_t i = at; i < end; ++i) {
      phase += step;
      double excitation = 0.1 * random.normal();
      if (phase >= 1) {
        phase -= 1;
        excitation += 8;
      }
      const double envelope =
          std::sin(kPi * static_cast<double>(i - at) / static_cast<double>(length));
      noise[i] += loudness * envelope * (formants[0](excitation) + 2 * formants[1](excitation));
    }
    at = end;
  }
}

std::vector<double> babble_noise(std::size_t count, int sample_rate, CorpusRandom& random) {
  constexpr int kBabblers = 5;
  std::vector<double> noise(count, 0.0);
  for (int i = 0; i < kBabblers; ++i) add_babbler(noise, sample_rate, random);
  return noise;
}

}  // namespace

void apply_tilt(std::vector<float>& samples, double tilt) {
  float previous = 0;
  for (float& x : samples) {
    const float here = x;
    x = here + static_cast<float>(tilt) * previous;
    previous = here;
  }
}

std::vector<Reflection> draw_room(double strongest, int sample_rate, CorpusRandom& random) {
  constexpr int kReflections = 6;
  std::vector<Reflection> room;
  double gain = strongest;
  for (int i = 0; i < kReflections; ++i) {
    const double seconds = random.uniform(0.004 + 0.006 * i, 0.010 + 0.006 * i);
    const double sign = random.uniform() < 0.5 ? -1 : 1;
    room.push_back(
        {static_cast<std::size_t>(seconds * sample_rate), sign * gain * random.uniform(0.5, 1)});
    gain *= 0.75;
  }
  return room;
}

void apply_room(std::vector<float>& samples, const std::vector<Reflection>& room) {
  const std::vector<float> dry = samples;
  for (const Reflection& reflection : room) {
    const auto gain = static_cast<float>(reflection.gain);
    for (std::size_t i = reflection.delay; i < samples.size(); ++i)
      samples[i] += gain * dry[i - reflection.delay];
  }
}

std::vector<float> draw_noise(std::size_t count, int sample_rate, CorpusRandom& random) {
  std::vector<double> sum(count, 0.0);
  const std::array<double, 3> shares = {random.uniform(), random.uniform(), random.uniform()};
  std::array<std::vector<double>, 3> parts = {white_noise(count, random), pink_noise(count, random),
                                              babble_noise(count, sample_rate, random)};
  for (std::size_t kind = 0; kind < parts.size(); ++kind) {
    scale_to_power_one(parts[kind]);
    for (std::size_t i = 0; i < count; ++i) sum[i] += std::sqrt(shares[kind]) * parts[kind][i];
  }
  scale_to_power_one(sum);
  return {sum.begin(), sum.end()};
}

double mean_power(const std::vector<float>& samples, std::size_t begin, std::size_t end) {
  if (end <= begin) return 0;
  double power = 0;
  for (std::size_t i = begin; i < end; ++i)
    power += static_cast<double>(samples[i]) * static_cast<double>(samples[i]);
  return power / static_cast<double>(end - begin);
}

}  // namespace ernn
