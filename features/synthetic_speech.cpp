#include "features/synthetic_speech.h"

#include <flite/flite.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "features/phones.h"

// flite declares its voices in no header.
extern "C" {
cst_voice* register_cmu_us_kal16(const char* folder);
cst_voice* register_cmu_us_awb(const char* folder);
cst_voice* register_cmu_us_rms(const char* folder);
cst_voice* register_cmu_us_slt(const char* folder);
}

namespace ernn {

namespace {

struct DeleteUtterance {
  void operator()(cst_utterance* utterance) const { delete_utterance(utterance); }
};

constexpr const char* kSilence = "pau";
constexpr const char* kEdgeSilence = "h#";

const cst_wave* wave_of(const cst_utterance* utterance) {
  if (utterance == nullptr || feat_present(utterance->features, "wave") == 0) return nullptr;
  return val_wave(feat_val(utterance->features, "wave"));
}

/// Segments in order of time; flite gives the end of each in seconds.
std::vector<AudioSegment> read_phones(const cst_utterance* utterance, const cst_wave& wave) {
  std::vector<AudioSegment> phones;
  long long begin = 0;
  for (const cst_item* item = relation_head(utt_relation(utterance, "Segment")); item != nullptr;
       item = item_next(item)) {
    const double seconds = item_feat_float(item, "end");
    // The last segment of the diphone voice claims to end after its audio does.
    const bool last = item_next(item) == nullptr;
    const long long end = last ? wave.num_samples : std::llround(seconds * wave.sample_rate);
    phones.push_back({begin, end, item_name(item)});
    begin = end;
  }
  return phones;
}

void name_as_timit_does(std::vector<AudioSegment>& phones, const std::string& text) {
  for (auto* edge : {&phones.front(), &phones.back()}) {
    if (edge->label == kSilence) edge->label = kEdgeSilence;
  }
  for (const AudioSegment& phone : phones) {
    if (phone_index(PhoneInventory::timit61, phone.label) < 0) {
      throw DataError(fmt::format(
          "flite: '{}' is spoken with phone '{}', which TIMIT does not have", text, phone.label));
    }
    if (phone.end <= phone.begin) {
      throw DataError(fmt::format("flite: '{}': phone '{}' at sample {} has no length", text,
                                  phone.label, phone.begin));
    }
  }
}

/// A word lasts from its first syllable's first segment to its last syllable's last one.
std::vector<AudioSegment> read_words(const cst_utterance* utterance, int sample_rate) {
  std::vector<AudioSegment> words;
  for (const cst_item* word = relation_head(utt_relation(utterance, "Word")); word != nullptr;
       word = item_next(word)) {
    const cst_item* structure = item_as(word, "SylStructure");
    const cst_item* first = item_as(item_daughter(item_daughter(structure)), "Segment");
    const cst_item* last = item_as(item_last_daughter(item_last_daughter(structure)), "Segment");
    if (first == nullptr || last == nullptr) continue;
    const cst_item* before = item_prev(first);
    const double begin = before == nullptr ? 0.0 : item_feat_float(before, "end");
    words.push_back({std::llround(begin * sample_rate),
                     std::llround(item_feat_float(last, "end") * sample_rate), item_name(word)});
  }
  return words;
}

void set_prosody(const cst_voice& voice, const Prosody& prosody, double own_pitch) {
  flite_feat_set_float(voice.features, "duration_stretch", static_cast<float>(prosody.stretch));
  // The diphone voice has a mean to set, the statistical voices a factor.
  if (own_pitch > 0) {
    flite_feat_set_float(voice.features, "int_f0_target_mean",
                         static_cast<float>(prosody.pitch * own_pitch));
  } else {
    flite_feat_set_float(voice.features, "f0_shift", static_cast<float>(prosody.pitch));
  }
}

}  // namespace

SpeechSynthesiser::SpeechSynthesiser() {
  flite_init();
  // flite owns the voices: registering again returns the same ones, and they live until exit.
  loaded_ = {{"kal16", register_cmu_us_kal16(nullptr)},
             {"awb", register_cmu_us_awb(nullptr)},
             {"rms", register_cmu_us_rms(nullptr)},
             {"slt", register_cmu_us_slt(nullptr)}};
  for (const auto& [name, voice] : loaded_) {
    if (voice == nullptr) throw DataError(fmt::format("flite: voice '{}' cannot be loaded", name));
  }
}

const std::vector<std::string>& SpeechSynthesiser::voices() {
  static const std::vector<std::string> names = {"kal16", "awb", "rms", "slt"};
  return names;
}

bool SpeechSynthesiser::is_female(const std::string& voice) {
  return voice == "slt";
}

bool SpeechSynthesiser::has_pitch_control(const std::string& voice) {
  return voice != "rms";
}

SpokenSentence SpeechSynthesiser::speak(const std::string& voice, const std::string& text,
                                        const Prosody& prosody, std::uint32_t seed) {
  const auto found = loaded_.find(voice);
  if (found == loaded_.end()) {
    throw UsageError(fmt::format("unknown voice '{}'{} (known: {})", voice,
                                 did_you_mean(voice, voices()), join(voices(), ", ")));
  }
  if (prosody.pitch != 1 && !has_pitch_control(voice)) {
    throw UsageError(
        fmt::format("voice '{}': pitch {} cannot be had, only 1", voice, prosody.pitch));
  }
  constexpr double kKal16Pitch = 95;  // Hz, as flite sets it
  set_prosody(*found->second, prosody, voice == "kal16" ? kKal16Pitch : 0);
  std::srand(seed);
  const std::unique_ptr<cst_utterance, DeleteUtterance> utterance(
      flite_synth_text(text.c_str(), found->second));
  const cst_wave* wave = wave_of(utterance.get());
  if (wave == nullptr || wave->num_samples <= 0 || wave->num_channels != 1 ||
      utt_relation_present(utterance.get(), "Segment") == 0) {
    throw DataError(fmt::format("flite: voice '{}' cannot speak '{}'", voice, text));
  }
  SpokenSentence spoken;
  spoken.sample_rate = wave->sample_rate;
  spoken.samples.assign(wave->samples, wave->samples + wave->num_samples);
  spoken.phones = read_phones(utterance.get(), *wave);
  if (spoken.phones.empty())
    throw DataError(fmt::format("flite: voice '{}' finds nothing to say in '{}'", voice, text));
  name_as_timit_does(spoken.phones, text);
  spoken.words = read_words(utterance.get(), wave->sample_rate);
  return spoken;
}

}  // namespace ernn
