// Speech with known phone times, from the flite synthesiser.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct cst_voice_struct;

namespace ernn {

/// A stretch of audio with a name: samples [begin, end) at the audio's rate.
struct AudioSegment {
  long long begin = 0;
  long long end = 0;
  std::string label;
};

/// One spoken sentence. `phones` are TIMIT symbols, contiguous from sample 0 to the end of the
/// audio; `words` leave out silence.
struct SpokenSentence {
  int sample_rate = 0;         ///< Hz
  std::vector<float> samples;  ///< on the 16-bit integer scale
  std::vector<AudioSegment> phones;
  std::vector<AudioSegment> words;
};

/// How a sentence is spoken.
struct Prosody {
  double stretch = 1;  ///< factor on all durations; 2 is half as fast
  double pitch = 1;    ///< factor on the voice's own pitch, where the voice lets itself be told
};

/// The voices of flite that a corpus can use. flite keeps its voices in process-wide tables and
/// draws its excitation noise from rand(), so only one thread may synthesise at a time.
class SpeechSynthesiser {
 public:
  SpeechSynthesiser();

  /// Every voice, in a fixed order: kal16 and awb and rms (male), slt (female).
  static const std::vector<std::string>& voices();
  static bool is_female(const std::string& voice);
  /// False for rms, whose pitch model takes no orders.
  static bool has_pitch_control(const std::string& voice);

  /// Speaks `text` (lower-case words). The result depends on nothing but the arguments: rand() is
  /// seeded with `seed`. The TIMIT symbols are flite's own names, with `pau` at both ends called
  /// `h#`. Throws UsageError for an unknown voice or a pitch other than 1 for a voice without pitch
  /// control, DataError when flite fails or names a phone that
  /// TIMIT lacks.
  SpokenSentence speak(const std::string& voice, const std::string& text, const Prosody& prosody,
                       std::uint32_t seed);

 private:
  std::map<std::string, cst_voice_struct*> loaded_;
};

}  // namespace ernn
