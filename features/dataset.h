// Labelled utterances ready for training and scoring, from a corpus on disk.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "features/feature_options.h"
#include "features/phones.h"
#include "features/utterance_set.h"

namespace ernn {

/// Where the speech is and how it is split. Paths are used as given.
struct DataOptions {
  std::filesystem::path root;
  /// Speakers by name ("fdhc0", either case, with or without the dialect: "dr5-ftlg0"), a dialect
  /// ("dr5") for all its speakers, or one item that is a file with a name a line. Empty lists: the
  /// corpus' TRAIN and TEST folders, Kaldi's 50 dev and 24 core test speakers where they exist.
  /// What is named for dev or test leaves train. Details: select_split (features/splits.h).
  std::vector<std::string> train_speakers;
  std::vector<std::string> dev_speakers;
  std::vector<std::string> test_speakers;
  bool include_sa = false;                          ///< the two sentences every speaker reads
  PhoneInventory phones = PhoneInventory::timit61;  ///< classes of the labels
  /// At most this many utterances a split, spread evenly over it, 0 = all (for quick trials).
  int limit = 0;
  /// Train: every utterance is taken once at each of these speeds (pitch and formants with it), as
  /// "sp0.9-fdhc0_si1559" where the speed is not 1; dev and test stay as they are.
  std::vector<double> speeds = {1};
  /// Folder of files that hold the features of the splits (features/feature_cache.h), which are
  /// then read when they are needed; empty: all features stay in memory.
  std::filesystem::path cache;
};

template <class Visitor>
void describe(Visitor& field, DataOptions& o) {
  field("root", o.root, "folder of the corpus");
  field("train_speakers", o.train_speakers,
        "speakers, dialects, or a file; empty = the corpus' TRAIN");
  field("dev_speakers", o.dev_speakers, "speakers, dialects, or a file; empty = Kaldi's 50");
  field("test_speakers", o.test_speakers,
        "speakers, dialects, or a file; empty = Kaldi's 24 core test speakers");
  field("include_sa", o.include_sa, "use the SA sentences too");
  field("phones", o.phones, "timit61, timit48 or timit39");
  field("limit", o.limit, "utterances a split, 0 = all");
  field("speeds", o.speeds, "train: factors of speed and pitch, each gives a copy of the split");
  field("cache", o.cache, "folder that keeps features on disk; empty = in memory");
}

enum class Split { train, dev, test };
const std::vector<std::pair<Split, const char*>>& enum_names(Split);

/// The utterances of one split, from `data.cache` when that is set, in order of id. Shows progress
/// unless `quiet`. Throws DataError for unreadable files, unknown phones and labels past the
/// audio's end (file and line), UsageError for unknown speakers and empty splits; what
/// make_feature_cache() throws (features/feature_cache.h).
UtteranceSet load_split(const DataOptions& data, const FeatureOptions& features, Split split,
                        bool quiet = false);

/// "train: 96 utterances of 12 speakers, 4:49 of audio, 3706 phones".
std::string split_summary(Split split, const std::vector<UtteranceInfo>& utterances);

/// One line of advice when frames of so many bytes take more than half of a machine's memory, else
/// "".
std::string memory_advice(Split split, double frame_bytes, double machine_bytes);

}  // namespace ernn
