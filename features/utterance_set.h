// The utterances of a split: what is small in memory, the frames from wherever they are kept.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/frame_matrix.h"
#include "features/normalisation.h"

namespace ernn {

/// What stays in memory of an utterance. `phones` is the transcript in classes of
/// `DataOptions::phones`, deleted phones left out.
struct UtteranceInfo {
  std::string id;       ///< "fdhc0_si1559"
  std::string speaker;  ///< "fdhc0"
  double seconds = 0;   ///< length of the audio
  int frames = 0;
  std::vector<int> phones;
};

/// What is large of an utterance. `labels[t]` is the class covering the centre of frame t, -1 where
/// the phone set deletes it (such frames carry no training target).
struct UtteranceFrames {
  FrameMatrix features;  ///< [frames, feature_dimension]
  std::vector<int> labels;
};

/// One utterance as it is read from audio and label files, features not normalised; there is one of
/// `frame_labels` for every row of `features`.
struct LabelledUtterance {
  std::string id;
  std::string speaker;
  double seconds = 0;
  FrameMatrix features;
  std::vector<int> frame_labels;
  std::vector<int> phones;
};

/// Of the utterance as a whole.
UtteranceInfo info_of(const LabelledUtterance& utterance);

/// Keeps the frames of a split.
class FrameStore {
 public:
  FrameStore() = default;
  virtual ~FrameStore() = default;
  FrameStore(const FrameStore&) = delete;
  FrameStore& operator=(const FrameStore&) = delete;

  /// The frames of an utterance as they were computed, not normalised. May be called from several
  /// threads at once. Throws DataError when they cannot be read.
  virtual UtteranceFrames read(std::size_t index) const = 0;
  /// Memory that all the kept frames take.
  virtual std::size_t bytes_in_memory() const = 0;
};

/// A split. Copies share the frames.
class UtteranceSet {
 public:
  UtteranceSet() = default;
  /// Everything in memory.
  UtteranceSet(std::vector<LabelledUtterance> utterances);
  /// Frames in a store of as many utterances.
  UtteranceSet(std::vector<UtteranceInfo> infos, std::shared_ptr<const FrameStore> store);

  bool empty() const { return infos_.empty(); }
  std::size_t size() const { return infos_.size(); }
  const UtteranceInfo& operator[](std::size_t index) const { return infos_[index]; }
  const std::vector<UtteranceInfo>& infos() const& { return infos_; }
  const std::vector<UtteranceInfo>& infos() const&& = delete;

  /// From now on read() normalises. The stored frames stay as they are: they serve runs with other
  /// training splits, and the constants are only known when all have been seen.
  void normalise(Normalisation normalisation) { normalisation_ = std::move(normalisation); }

  /// A copy of an utterance's frames, which are in memory as long as it is. Throws what
  /// FrameStore::read() throws.
  UtteranceFrames read(std::size_t index) const;

  /// Memory that frames take apart from what read() has returned.
  std::size_t bytes_in_memory() const { return store_ ? store_->bytes_in_memory() : 0; }

 private:
  std::vector<UtteranceInfo> infos_;
  std::shared_ptr<const FrameStore> store_;
  std::optional<Normalisation> normalisation_;
};

}  // namespace ernn
