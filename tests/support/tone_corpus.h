// A corpus on disk in TIMIT's layout whose phones are tones: made in no time, learnt in a few
// epochs.
#pragma once

#include <cmath>
#include <filesystem>
#include <random>
#include <string>

#include "base/digest.h"
#include "base/files.h"
#include "features/audio.h"

namespace ernn {

/// Utterances PART/DR1/SPEAKER/SX1 ... of about `seconds`, each of h#, tones of 60 to 140 ms, h#.
inline void add_tone_speech(const std::filesystem::path& root, const std::string& part,
                            const std::string& speaker, int count, double seconds) {
  struct Tone {
    const char* phone;
    double hertz;
  };
  constexpr Tone kTones[] = {{"aa", 300}, {"iy", 700}, {"ow", 1300}, {"s", 2600}};
  constexpr double kTurn = 6.283185307179586;
  std::mt19937 random(static_cast<unsigned>(digest_bytes(speaker)));
  std::normal_distribution<float> noise(0, 30);
  for (int n = 1; n <= count; ++n) {
    Audio audio;
    audio.sample_rate = 16000;
    std::string labels;
    const auto add = [&](const char* phone, double hertz, std::size_t samples) {
      const std::size_t begin = audio.samples.size();
      for (std::size_t i = 0; i < samples; ++i) {
        const double phase = kTurn * hertz * static_cast<double>(i) / audio.sample_rate;
        audio.samples.push_back(static_cast<float>(3000 * std::sin(phase)) + noise(random));
      }
      labels += std::to_string(begin) + " " + std::to_string(begin + samples) + " " + phone + "\n";
    };
    add("h#", 0, 1600);
    std::size_t last = 0;
    while (static_cast<double>(audio.samples.size()) < seconds * audio.sample_rate) {
      last = (last + 1 + random() % 3) % 4;  // never twice the same
      add(kTones[last].phone, kTones[last].hertz, 960 + random() % 1280);
    }
    add("h#", 0, 1600);
    const auto path = root / part / "DR1" / speaker / ("SX" + std::to_string(n));
    write_wav(path.string() + ".WAV", audio);
    write_file(path.string() + ".PHN", labels);
  }
}

/// `count` utterances of each of two speakers to train with, half as many of FDEV0 and of FTST0.
inline void make_tone_corpus(const std::filesystem::path& root, int count, double seconds) {
  add_tone_speech(root, "TRAIN", "FAAA0", count, seconds);
  add_tone_speech(root, "TRAIN", "MBBB0", count, seconds);
  add_tone_speech(root, "TEST", "FDEV0", (count + 1) / 2, seconds);
  add_tone_speech(root, "TEST", "FTST0", (count + 1) / 2, seconds);
}

/// The `data` section for it, as YAML on one line.
inline std::string tone_data(const std::filesystem::path& root) {
  return "{root: '" + root.string() +
         "', phones: timit39, dev_speakers: [fdev0], test_speakers: [ftst0]}";
}

}  // namespace ernn
