// Audio and label files of a split to labelled utterances.
#pragma once

#include <functional>
#include <vector>

#include "features/corpus.h"
#include "features/dataset.h"
#include "features/feature_extractor.h"

namespace ernn {

/// Reads audio and labels and computes features, one utterance at a time: what has been given away
/// is not kept. Throws what load_split() throws.
class SplitReader {
 public:
  /// Finds the utterances; those of train at every speed. Throws UsageError for speeds outside 0.5
  /// to 2 and one that is there twice.
  SplitReader(const DataOptions& data, const FeatureOptions& features, Split split);

  /// Where they lie, in order of id.
  const std::vector<Utterance>& utterances() const { return utterances_; }
  LabelledUtterance read(std::size_t index) const;
  /// All of them in order, with progress unless `quiet`.
  void read_all(const std::function<void(LabelledUtterance utterance)>& sink, bool quiet) const;
  /// Estimate of the memory that all features and labels take, from the sizes of the audio files.
  double frame_bytes() const;

 private:
  FeatureExtractor extractor_;
  PhoneInventory phones_;
  Split split_;
  std::vector<Utterance> utterances_;
};

}  // namespace ernn
