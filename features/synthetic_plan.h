// Who says what in the synthetic corpus, decided before anything is spoken.
#pragma once

#include <string>
#include <vector>

#include "features/synthetic_corpus.h"
#include "features/synthetic_signal.h"

namespace ernn {

/// Sample rate of the corpus and of every voice, Hz.
constexpr int kCorpusSampleRate = 16000;

struct SyntheticSpeaker {
  std::string name;    ///< "FSLT0": sex, three letters, a digit
  std::string split;   ///< "train", "dev" or "test"
  std::string folder;  ///< "TRAIN/DR1/FSLT0"
  std::string voice;
  double stretch = 1;
  double pitch = 1;  ///< 1 for a voice without pitch control
  double formant = 1;
  double tilt = 0;
  std::vector<Reflection> room;
};

struct SyntheticUtterance {
  int speaker = 0;       ///< index in CorpusPlan::speakers
  std::string sentence;  ///< "SX12"
  std::string text;
  double snr_db = 0;
  double level_db = 0;  ///< over the usual level
  double stretch = 1;   ///< on top of the speaker's
  double pitch = 1;     ///< on top of the speaker's, for voices with pitch control
};

struct CorpusPlan {
  std::vector<SyntheticSpeaker> speakers;
  std::vector<SyntheticUtterance> utterances;
};

/// Depends on the options alone. Every sentence occurs once in the whole corpus.
CorpusPlan plan_corpus(const SyntheticCorpusOptions& options);

}  // namespace ernn
