// A speech corpus made with the flite synthesiser, in TIMIT's layout, for trials where TIMIT is not
// at hand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ernn {

/// What the corpus holds and how hard it is. Numbers of one speaker or utterance are drawn evenly
/// from the ranges given here (factors evenly in their logarithm).
struct SyntheticCorpusOptions {
  long long seed = 1;
  int train_utterances = 400;
  int dev_utterances = 60;
  int test_utterances = 120;
  int train_speakers = 24;  ///< a split has no more speakers than utterances
  int dev_speakers = 4;
  int test_speakers = 8;
  /// This voice of flite (kal16, awb, rms or slt) speaks in the test set only.
  std::string held_out_voice = "awb";
  int held_out_speakers = 1;  ///< test speakers with that voice; the others have training voices
  /// Speech power over noise power of an utterance, in dB. Speech power is that between the
  /// silences at the ends; noise is white, pink and babble in random proportion.
  double snr_min = 20;
  double snr_max = 35;
  double level_spread = 6;   ///< dB, how far an utterance's level is from the usual one at most
  double stretch_min = 0.9;  ///< factor on a speaker's durations
  double stretch_max = 1.1;
  double pitch_min = 0.9;  ///< factor on the voice's pitch, before the formant factor
  double pitch_max = 1.1;
  double formant_min = 0.96;  ///< factor on formants and pitch together
  double formant_max = 1.05;
  double utterance_spread = 0.05;  ///< share by which duration and pitch vary between utterances
  double tilt = 0.1;               ///< most colouring of a speaker's channel, |tilt| below 1
  double reflections = 0.1;        ///< strongest early reflection of a speaker's room, a factor
};

template <class Visitor>
void describe(Visitor& field, SyntheticCorpusOptions& o) {
  field("seed", o.seed, "decides everything random");
  field("train_utterances", o.train_utterances, "sentences to train on");
  field("dev_utterances", o.dev_utterances, "sentences to choose a model with");
  field("test_utterances", o.test_utterances, "sentences to score");
  field("train_speakers", o.train_speakers, "speakers in train");
  field("dev_speakers", o.dev_speakers, "speakers in dev, in no other split");
  field("test_speakers", o.test_speakers, "speakers in test, in no other split");
  field("held_out_voice", o.held_out_voice, "voice for test only: kal16, awb, rms or slt");
  field("held_out_speakers", o.held_out_speakers, "test speakers with that voice");
  field("snr_min", o.snr_min, "dB, speech over noise, at least");
  field("snr_max", o.snr_max, "dB, speech over noise, at most");
  field("level_spread", o.level_spread, "dB, loudness differs by at most this either way");
  field("stretch_min", o.stretch_min, "factor on durations, at least");
  field("stretch_max", o.stretch_max, "factor on durations, at most");
  field("pitch_min", o.pitch_min, "factor on pitch, at least");
  field("pitch_max", o.pitch_max, "factor on pitch, at most");
  field("formant_min", o.formant_min, "factor on formants and pitch, at least");
  field("formant_max", o.formant_max, "factor on formants and pitch, at most");
  field("utterance_spread", o.utterance_spread, "share, differences within a speaker");
  field("tilt", o.tilt, "colouring of the channel, 0 to below 1");
  field("reflections", o.reflections, "strongest early reflection, 0 to 1");
}

/// Throws UsageError naming the option, its value and what is possible.
void validate(const SyntheticCorpusOptions& options);

/// Size of one split on disk.
struct CorpusSplitSize {
  std::string split;  ///< "train", "dev" or "test"
  int speakers = 0;
  int utterances = 0;
  double seconds = 0;
  long long phones = 0;  ///< segments in the .PHN files, silence included
};

struct CorpusSummary {
  bool made = false;  ///< false: the corpus was there already and is whole
  std::vector<CorpusSplitSize> splits;
};

/// Makes the corpus in `folder`:
///
///     TRAIN/DR1/FSLT0/SX12.WAV .PHN .WRD .TXT    16 kHz, one channel, 16-bit RIFF; times in
///     samples TEST/...                                   dev and test speakers, as in TIMIT
///     {train,dev,test}_speakers.txt              a name a line
///     SHA256SUMS                                 of every file above, for sha256sum -c
///     corpus.json                                options, speakers, sentences, sizes; written last
///
/// The same options give the same bytes. A whole corpus with the same options is left alone; one
/// that an interrupted run left is made anew. Throws UsageError when `folder` holds a corpus with
/// other options (unless `force`) or anything else, DataError when a finished corpus was damaged or
/// a file cannot be written.
CorpusSummary make_synthetic_corpus(const std::filesystem::path& folder,
                                    const SyntheticCorpusOptions& options, bool force = false,
                                    bool quiet = false);

}  // namespace ernn
