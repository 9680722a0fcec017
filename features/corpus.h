// The utterances of a corpus in TIMIT's layout, and its label files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ernn {

/// Where one utterance lies. Names are in lower case whatever the files have.
struct Utterance {
  std::string id;        ///< "fdhc0_si1559"
  std::string speaker;   ///< "fdhc0"
  std::string dialect;   ///< "dr5"
  std::string sentence;  ///< "si1559"
  std::string part;      ///< "train", "test", or "" where the corpus has no such folders
  std::filesystem::path audio;
  std::filesystem::path labels;
  double speed = 1;  ///< at which it is read, pitch and formants with it

  /// One of the two sentences that every TIMIT speaker reads.
  bool is_sa() const { return sentence == "sa1" || sentence == "sa2"; }
};

/// Searches `root` and the folders below it for
///
///     TRAIN/DR1/FCJF0/SA1.WAV + SA1.PHN      the LDC's disc, in either case
///     dr1-fvmh0/sa1.wav + sa1.phn            NLTK's sample
///
/// so `root` may be the corpus or a folder a few levels above it. Where a repack keeps the original
/// `SA1.WAV` beside `SA1.WAV.wav`, the first is taken. Result in order of id. Throws UsageError
/// when `root` is no folder or holds no utterance, DataError for audio without labels, labels
/// without audio, and one utterance in two places.
std::vector<Utterance> find_utterances(const std::filesystem::path& root);

/// One label: samples [begin, end), a class of timit61.
struct PhoneSegment {
  long long begin = 0;
  long long end = 0;
  int phone = 0;
};

/// Reads `begin end label` lines; `samples` is the length of the audio. Audio that goes on behind
/// the last label is common (123 of 128 files measured) and fine. Throws DataError with file and
/// line for a malformed line, an unknown phone, an end at or before the begin, a begin before the
/// previous one, and a label past the end of the audio.
std::vector<PhoneSegment> read_phone_labels(const std::filesystem::path& path, long long samples);

/// The phone at a sample: the last segment that begins at or before it, so that the last label
/// extends to the end of the audio and the first one to its start.
int phone_at(const std::vector<PhoneSegment>& segments, long long sample);

/// A speaker of the corpus.
struct Speaker {
  std::string name;
  std::string dialect;
  std::string part;  ///< as in Utterance
  int utterances = 0;
};

/// The speakers in order of dialect and name.
std::vector<Speaker> list_speakers(const std::vector<Utterance>& utterances);

/// True for "dr1" ... "dr8".
bool is_dialect(const std::string& name);

}  // namespace ernn
