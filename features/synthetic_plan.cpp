#include "features/synthetic_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "features/synthetic_speech.h"
#include "features/synthetic_text.h"

namespace ernn {

namespace {

constexpr int kDialects = 8;
constexpr int kDigits = 10;

// TIMIT's numbering: 1 and 2 are the SA sentences, SX goes on to 452, SI follows.
constexpr int kFirstSentence = 3;
constexpr int kLastSx = 452;

void check_range(const char* name, double low, double high, double smallest, double largest) {
  if (low >= smallest && high <= largest && low <= high) return;
  throw UsageError(fmt::format("{0}_min, {0}_max: {1} to {2} is not a range within {3} to {4}",
                               name, low, high, smallest, largest));
}

void check_value(const char* name, double value, double smallest, double largest) {
  if (value >= smallest && value <= largest) return;
  throw UsageError(fmt::format("{}: {} is not between {} and {}", name, value, smallest, largest));
}

double draw_factor(double low, double high, CorpusRandom& random) {
  return std::exp(random.uniform(std::log(low), std::log(high)));
}

/// The n-th speaker of a voice: FSLT0 to FSLT9, then FSLA0 and so on.
std::string speaker_name(const std::string& voice, int n) {
  const std::string letters = to_upper(voice.substr(0, 3));
  const int block = n / kDigits;
  char third = letters[2];
  if (block > 0) {
    third = static_cast<char>('A' + (block - 1));
    if (third >= letters[2]) ++third;
  }
  return fmt::format("{}{}{}{}", SpeechSynthesiser::is_female(voice) ? 'F' : 'M',
                     letters.substr(0, 2), third, n % kDigits);
}

/// Adds the speakers of one split, voices in turn; `spoken` counts the speakers a voice has.
void add_speakers(const SyntheticCorpusOptions& options, const std::string& split,
                  const std::vector<std::string>& voices, std::map<std::string, int>& spoken,
                  std::vector<SyntheticSpeaker>& speakers) {
  for (std::size_t i = 0; i < voices.size(); ++i) {
    SyntheticSpeaker speaker;
    speaker.voice = voices[i];
    speaker.name = speaker_name(voices[i], spoken[voices[i]]++);
    speaker.split = split;
    speaker.folder = fmt::format("{}/DR{}/{}", split == "train" ? "TRAIN" : "TEST",
                                 1 + i % kDialects, speaker.name);
    CorpusRandom random(static_cast<std::uint64_t>(options.seed), "speaker " + speaker.name);
    speaker.stretch = draw_factor(options.stretch_min, options.stretch_max, random);
    const double pitch = draw_factor(options.pitch_min, options.pitch_max, random);
    speaker.pitch = SpeechSynthesiser::has_pitch_control(voices[i]) ? pitch : 1;
    speaker.formant = draw_factor(options.formant_min, options.formant_max, random);
    speaker.tilt = random.uniform(-options.tilt, options.tilt);
    speaker.room = draw_room(options.reflections, kCorpusSampleRate, random);
    speakers.push_back(std::move(speaker));
  }
}

/// `count` voices: the held-out one `held_out` times, evenly spread, the others in turn.
std::vector<std::string> voices_in_turn(const std::string& held_out_voice, int count,
                                        int held_out) {
  std::vector<std::string> trained;
  for (const std::string& voice : SpeechSynthesiser::voices()) {
    if (voice != held_out_voice) trained.push_back(voice);
  }
  std::vector<std::string> turn;
  std::size_t next = 0;
  for (int i = 0; i < count; ++i) {
    const bool held = (i + 1) * held_out / count > i * held_out / count;
    turn.push_back(held ? held_out_voice : trained[next++ % trained.size()]);
  }
  return turn;
}

void add_utterances(const SyntheticCorpusOptions& options, const std::string& split, int count,
                    const std::vector<std::string>& texts, CorpusPlan& plan) {
  std::vector<int> speakers;
  for (std::size_t i = 0; i < plan.speakers.size(); ++i) {
    if (plan.speakers[i].split == split) speakers.push_back(static_cast<int>(i));
  }
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<int>(plan.utterances.size());
    const int number = kFirstSentence + index;
    SyntheticUtterance utterance;
    utterance.speaker = speakers[static_cast<std::size_t>(i) % speakers.size()];
    utterance.sentence = fmt::format("{}{}", number <= kLastSx ? "SX" : "SI", number);
    utterance.text = texts[static_cast<std::size_t>(index)];
    CorpusRandom random(static_cast<std::uint64_t>(options.seed),
                        "utterance " + utterance.sentence);
    utterance.snr_db = random.uniform(options.snr_min, options.snr_max);
    utterance.level_db = random.uniform(-options.level_spread, options.level_spread);
    utterance.stretch = 1 + random.uniform(-options.utterance_spread, options.utterance_spread);
    utterance.pitch = 1 + random.uniform(-options.utterance_spread, options.utterance_spread);
    plan.utterances.push_back(std::move(utterance));
  }
}

}  // namespace

void validate(const SyntheticCorpusOptions& o) {
  constexpr int kMostUtterances = 30000;
  // A voice can have 260 names; every split takes from the same ones.
  constexpr int kMostSpeakers = 80;
  check_value("train_utterances", o.train_utterances, 1, kMostUtterances);
  check_value("dev_utterances", o.dev_utterances, 1, kMostUtterances);
  check_value("test_utterances", o.test_utterances, 1, kMostUtterances);
  check_value("train_speakers", o.train_speakers, 1, kMostSpeakers);
  check_value("dev_speakers", o.dev_speakers, 1, kMostSpeakers);
  check_value("test_speakers", o.test_speakers, 1, kMostSpeakers);
  check_value("held_out_speakers", o.held_out_speakers, 0, o.test_speakers);
  const auto& voices = SpeechSynthesiser::voices();
  if (std::find(voices.begin(), voices.end(), o.held_out_voice) == voices.end()) {
    throw UsageError(fmt::format("held_out_voice: found '{}', expected one of {}{}",
                                 o.held_out_voice, join(voices, ", "),
                                 did_you_mean(o.held_out_voice, voices)));
  }
  check_range("snr", o.snr_min, o.snr_max, -20, 100);
  check_range("stretch", o.stretch_min, o.stretch_max, 0.3, 3);
  check_range("pitch", o.pitch_min, o.pitch_max, 0.5, 2);
  check_range("formant", o.formant_min, o.formant_max, 0.7, 1.4);
  check_value("level_spread", o.level_spread, 0, 20);
  check_value("utterance_spread", o.utterance_spread, 0, 0.3);
  check_value("tilt", o.tilt, 0, 0.95);
  check_value("reflections", o.reflections, 0, 1);
}

CorpusPlan plan_corpus(const SyntheticCorpusOptions& options) {
  validate(options);
  CorpusPlan plan;
  std::map<std::string, int> spoken;
  const auto voices = [&](int count, int held_out) {
    return voices_in_turn(options.held_out_voice, count, held_out);
  };
  // A speaker without a sentence would be a name without a folder.
  add_speakers(options, "train",
               voices(std::min(options.train_speakers, options.train_utterances), 0), spoken,
               plan.speakers);
  add_speakers(options, "dev", voices(std::min(options.dev_speakers, options.dev_utterances), 0),
               spoken, plan.speakers);
  std::vector<std::string> test = voices(options.test_speakers, options.held_out_speakers);
  if (options.test_utterances < options.test_speakers)
    test.resize(static_cast<std::size_t>(options.test_utterances));
  add_speakers(options, "test", test, spoken, plan.speakers);
  CorpusRandom random(static_cast<std::uint64_t>(options.seed), "sentences");
  const std::vector<std::string> texts = generate_sentences(
      options.train_utterances + options.dev_utterances + options.test_utterances, random);
  add_utterances(options, "train", options.train_utterances, texts, plan);
  add_utterances(options, "dev", options.dev_utterances, texts, plan);
  add_utterances(options, "test", options.test_utterances, texts, plan);
  return plan;
}

}  // namespace ernn
