#include "features/synthetic_speech.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "features/phones.h"
#include "features/synthetic_text.h"
#include "features/synthetic_utterance.h"

namespace ernn {
namespace {

const std::set<std::string> kVowels = {"aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh",
                                       "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"};

double power(const SpokenSentence& spoken, long long begin, long long end) {
  return mean_power(spoken.samples, static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
}

/// Power of the first difference over power: near 0 for low sounds, up to 4 for high ones. Averaged
/// over all segments of `labels`, in dB, with the segments moved by `shift` samples.
double brightness(const SpokenSentence& spoken, const std::set<std::string>& labels,
                  long long shift) {
  double sum = 0;
  int count = 0;
  for (const AudioSegment& phone : spoken.phones) {
    if (labels.count(phone.label) == 0) continue;
    double difference = 1e-9;
    double total = 1e-9;
    for (long long i = phone.begin + shift; i < phone.end + shift; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double step =
          static_cast<double>(spoken.samples[at]) - static_cast<double>(spoken.samples[at - 1]);
      difference += step * step;
      total += static_cast<double>(spoken.samples[at]) * static_cast<double>(spoken.samples[at]);
    }
    sum += 10 * std::log10(difference / total);
    ++count;
  }
  return sum / count;
}

SpokenSentence say(const std::string& voice, const std::string& text, double formant) {
  SpeechSynthesiser synthesiser;
  SyntheticSpeaker speaker;
  speaker.voice = voice;
  speaker.formant = formant;
  SyntheticUtterance utterance;
  utterance.sentence = "SX3";
  utterance.text = text;
  return render_clean(speaker, utterance, 1, synthesiser);
}

class Voice : public testing::TestWithParam<std::string> {};

TEST_P(Voice, PhonesFitTheAudio) {
  // Many bright-dark-bright changes, so that misplaced labels show.
  const std::string text = "she saw six sunny sofas and seven shy sisters say so";
  for (const double formant : {0.88, 1.15}) {
    SCOPED_TRACE(formant);
    const SpokenSentence spoken = say(GetParam(), text, formant);
    ASSERT_GT(spoken.phones.size(), 20U);
    EXPECT_EQ(spoken.phones.front().label, "h#");
    EXPECT_EQ(spoken.phones.back().label, "h#");
    EXPECT_EQ(spoken.phones.back().end, static_cast<long long>(spoken.samples.size()));
    double vowels = 0;
    int count = 0;
    for (const AudioSegment& phone : spoken.phones) {
      if (kVowels.count(phone.label) == 0) continue;
      vowels += power(spoken, phone.begin, phone.end);
      ++count;
    }
    vowels /= count;
    for (const AudioSegment* edge : {&spoken.phones.front(), &spoken.phones.back()})
      EXPECT_LT(power(spoken, edge->begin, edge->end), 0.02 * vowels);

    const std::set<std::string> hisses = {"s", "sh"};
    EXPECT_GT(brightness(spoken, hisses, 0), brightness(spoken, kVowels, 0) + 9);
    // The labels as they stand separate hisses from vowels best.
    long long best = 0;
    double best_contrast = -100;
    for (long long shift = -1600; shift <= 960; shift += 80) {
      const double contrast =
          brightness(spoken, hisses, shift) - brightness(spoken, kVowels, shift);
      if (contrast <= best_contrast) continue;
      best_contrast = contrast;
      best = shift;
    }
    EXPECT_LE(std::abs(best), 240) << "labels are off by " << best << " samples";
  }
}

TEST_P(Voice, DependsOnTheArgumentsAlone) {
  SpeechSynthesiser synthesiser;
  const std::string text = "a zebra walked through the jungle";
  const SpokenSentence first = synthesiser.speak(GetParam(), text, {1, 1}, 7);
  const double pitch = SpeechSynthesiser::has_pitch_control(GetParam()) ? 0.8 : 1;
  synthesiser.speak(GetParam(), "something else", {1.2, pitch}, 9);
  const SpokenSentence again = synthesiser.speak(GetParam(), text, {1, 1}, 7);
  EXPECT_EQ(first.samples, again.samples);
  SpeechSynthesiser fresh;
  EXPECT_EQ(first.samples, fresh.speak(GetParam(), text, {1, 1}, 7).samples);
}

/// Pitch in Hz at the autocorrelation's largest peak within a sample range.
double pitch_hz(const SpokenSentence& spoken, long long begin, long long end) {
  double best = 0;
  int best_lag = 0;
  for (int lag = spoken.sample_rate / 400; lag <= spoken.sample_rate / 60; ++lag) {
    double sum = 0;
    double energy = 1e-9;
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const auto later = static_cast<double>(spoken.samples[i + static_cast<std::size_t>(lag)]);
      sum += static_cast<double>(spoken.samples[i]) * later;
      energy += later * later;
    }
    if (sum / std::sqrt(energy) <= best) continue;
    best = sum / std::sqrt(energy);
    best_lag = lag;
  }
  return static_cast<double>(spoken.sample_rate) / best_lag;
}

TEST_P(Voice, StretchAndPitchDoWhatTheySay) {
  SpeechSynthesiser synthesiser;
  const std::string text = "the farmer walked away";
  const SpokenSentence usual = synthesiser.speak(GetParam(), text, {1, 1}, 1);
  const SpokenSentence slow = synthesiser.speak(GetParam(), text, {1.5, 1}, 1);
  EXPECT_NEAR(static_cast<double>(slow.samples.size()) / static_cast<double>(usual.samples.size()),
              1.5, 0.05);
  if (!SpeechSynthesiser::has_pitch_control(GetParam())) {
    EXPECT_THROW(synthesiser.speak(GetParam(), text, {1, 1.3}, 1), UsageError);
    return;
  }
  const SpokenSentence high = synthesiser.speak(GetParam(), text, {1, 1.3}, 1);
  ASSERT_EQ(high.phones.size(), usual.phones.size());
  std::size_t vowel = 0;
  while (usual.phones[vowel].label != "ao") ++vowel;
  const auto measure = [&](const SpokenSentence& spoken) {
    const AudioSegment& phone = spoken.phones[vowel];
    return pitch_hz(spoken, phone.begin, phone.end);
  };
  EXPECT_NEAR(measure(high) / measure(usual), 1.3, 0.05);
}

INSTANTIATE_TEST_SUITE_P(All, Voice, testing::ValuesIn(SpeechSynthesiser::voices()),
                         [](const auto& info) { return info.param; });

TEST(Speech, SilenceInsideIsPauAndWordsLieOnPhoneBoundaries) {
  SpeechSynthesiser synthesiser;
  const SpokenSentence spoken = synthesiser.speak("slt", "hello, little boy", {1, 1}, 1);
  ASSERT_EQ(spoken.words.size(), 3U);
  std::set<long long> boundaries = {0};
  std::vector<std::string> labels;
  long long at = 0;
  for (const AudioSegment& phone : spoken.phones) {
    EXPECT_EQ(phone.begin, at);
    EXPECT_GT(phone.end, phone.begin);
    at = phone.end;
    boundaries.insert(at);
    labels.push_back(phone.label);
  }
  EXPECT_EQ(labels.front(), "h#");
  EXPECT_EQ(labels.back(), "h#");
  EXPECT_EQ(std::count(labels.begin(), labels.end(), "h#"), 2);
  EXPECT_EQ(std::count(labels.begin(), labels.end(), "pau"), 1);
  for (const AudioSegment& word : spoken.words) {
    EXPECT_EQ(boundaries.count(word.begin), 1U) << word.label;
    EXPECT_EQ(boundaries.count(word.end), 1U) << word.label;
  }
  EXPECT_EQ(spoken.words[0].label, "hello");
}

TEST(Speech, TheVocabularyHasEveryPhoneOfEnglish) {
  SpeechSynthesiser synthesiser;
  std::set<int> seen;
  for (const std::string& word : sentence_vocabulary()) {
    for (const AudioSegment& phone : synthesiser.speak("kal16", word, {1, 1}, 1).phones) {
      const int index = phone_index(PhoneInventory::timit61, phone.label);
      ASSERT_GE(index, 0) << word;
      seen.insert(fold_phone(PhoneInventory::timit61, index, PhoneInventory::timit39));
    }
  }
  // All 39 classes but the flap, which flite does not make.
  seen.insert(phone_index(PhoneInventory::timit39, "dx"));
  EXPECT_EQ(seen.size(), 39U);
}

TEST(Speech, UnknownVoiceIsRefusedByName) {
  SpeechSynthesiser synthesiser;
  try {
    synthesiser.speak("slr", "hello", {1, 1}, 1);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean 'slt'"));
  }
}

}  // namespace
}  // namespace ernn
