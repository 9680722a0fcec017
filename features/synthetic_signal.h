// What makes one synthetic voice into many speakers in many rooms: colouring, reflections, noise.
#pragma once

#include <cstddef>
#include <vector>

#include "features/synthetic_random.h"

namespace ernn {

/// y[n] = x[n] + tilt x[n-1]: tilt above 0 dulls the sound, below 0 brightens it. |tilt| < 1.
void apply_tilt(std::vector<float>& samples, double tilt);

/// One early reflection of a room: delay in samples, gain as a factor.
struct Reflection {
  std::size_t delay = 0;
  double gain = 0;
};

/// Six reflections between 4 and 40 ms whose gains fall off from at most `strongest`, signs random.
std::vector<Reflection> draw_room(double strongest, int sample_rate, CorpusRandom& random);
/// Adds delayed copies; the length stays.
void apply_room(std::vector<float>& samples, const std::vector<Reflection>& room);

/// Background noise of mean power 1: white noise, pink noise (1/f) and the babble of a few
/// voice-like sources, mixed in random proportion.
std::vector<float> draw_noise(std::size_t count, int sample_rate, CorpusRandom& random);

/// Mean square of samples [begin, end).
double mean_power(const std::vector<float>& samples, std::size_t begin, std::size_t end);

}  // namespace ernn
