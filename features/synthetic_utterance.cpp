#include "features/synthetic_utterance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "features/resample.h"

namespace ernn {

namespace {

/// Root mean square of the speech at level 0 dB: 26 dB below a full-scale square wave.
constexpr double kUsualLevel = 1640;
constexpr float kLargestSample = 32000;

double from_db(double db) {
  return std::pow(10.0, db / 10.0);
}

/// Power between the silences at both ends.
double speech_power(const SpokenSentence& spoken) {
  const auto begin = static_cast<std::size_t>(spoken.phones.front().end);
  const auto end = static_cast<std::size_t>(spoken.phones.back().begin);
  return mean_power(spoken.samples, begin, end);
}

void rescale_times(std::vector<AudioSegment>& segments, double factor, long long samples) {
  const auto rescale = [&](long long time) {
    return std::min(samples, std::llround(static_cast<double>(time) / factor));
  };
  for (AudioSegment& segment : segments) {
    segment.begin = rescale(segment.begin);
    segment.end = rescale(segment.end);
  }
}

void scale(std::vector<float>& samples, double gain) {
  for (float& x : samples) x = static_cast<float>(gain * static_cast<double>(x));
}

}  // namespace

SpokenSentence render_clean(const SyntheticSpeaker& speaker, const SyntheticUtterance& utterance,
                            long long seed, SpeechSynthesiser& synthesiser) {
  CorpusRandom random(static_cast<std::uint64_t>(seed), "voice " + utterance.sentence);
  Prosody prosody;
  // Resampling shortens by the formant factor, which the synthesis makes up for.
  prosody.stretch = speaker.stretch * utterance.stretch * speaker.formant;
  if (SpeechSynthesiser::has_pitch_control(speaker.voice))
    prosody.pitch = speaker.pitch * utterance.pitch;
  SpokenSentence spoken = synthesiser.speak(speaker.voice, utterance.text, prosody,
                                            static_cast<std::uint32_t>(random.bits()));
  if (spoken.sample_rate != kCorpusSampleRate) {
    throw DataError(fmt::format("flite: voice '{}' speaks at {} Hz, expected {} Hz", speaker.voice,
                                spoken.sample_rate, kCorpusSampleRate));
  }
  spoken.samples = resample(spoken.samples, speaker.formant);
  const auto samples = static_cast<long long>(spoken.samples.size());
  rescale_times(spoken.phones, speaker.formant, samples);
  rescale_times(spoken.words, speaker.formant, samples);
  spoken.phones.back().end = samples;
  apply_tilt(spoken.samples, speaker.tilt);
  apply_room(spoken.samples, speaker.room);
  const double power = speech_power(spoken);
  if (!(power > 0)) {
    throw DataError(
        fmt::format("flite: voice '{}' is silent in '{}'", speaker.voice, utterance.text));
  }
  scale(spoken.samples, kUsualLevel * std::sqrt(from_db(utterance.level_db) / power));
  return spoken;
}

void add_noise(SpokenSentence& spoken, const SyntheticUtterance& utterance, long long seed) {
  CorpusRandom random(static_cast<std::uint64_t>(seed), "noise " + utterance.sentence);
  const std::vector<float> noise = draw_noise(spoken.samples.size(), spoken.sample_rate, random);
  const double gain = std::sqrt(speech_power(spoken) / from_db(utterance.snr_db));
  float largest = 0;
  for (std::size_t i = 0; i < noise.size(); ++i) {
    spoken.samples[i] += static_cast<float>(gain) * noise[i];
    largest = std::max(largest, std::abs(spoken.samples[i]));
  }
  if (largest > kLargestSample) scale(spoken.samples, kLargestSample / largest);
}

}  // namespace ernn
