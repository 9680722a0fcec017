#include "features/utterance_set.h"

namespace ernn {

namespace {

class FramesInMemory : public FrameStore {
 public:
  explicit FramesInMemory(std::vector<UtteranceFrames> frames) : frames_(std::move(frames)) {}

  UtteranceFrames read(std::size_t index) const override { return frames_[index]; }

  std::size_t bytes_in_memory() const override {
    std::size_t bytes = 0;
    for (const auto& frames : frames_) {
      bytes += frames.features.data.size() * sizeof(float) + frames.labels.size() * sizeof(int);
    }
    return bytes;
  }

 private:
  std::vector<UtteranceFrames> frames_;
};

}  // namespace

UtteranceInfo info_of(const LabelledUtterance& utterance) {
  return {utterance.id, utterance.speaker, utterance.seconds, utterance.features.rows,
          utterance.phones};
}

UtteranceSet::UtteranceSet(std::vector<LabelledUtterance> utterances) {
  std::vector<UtteranceFrames> frames;
  infos_.reserve(utterances.size());
  frames.reserve(utterances.size());
  for (auto& utterance : utterances) {
    infos_.push_back(info_of(utterance));
    frames.push_back({std::move(utterance.features), std::move(utterance.frame_labels)});
  }
  store_ = std::make_shared<FramesInMemory>(std::move(frames));
}

UtteranceSet::UtteranceSet(std::vector<UtteranceInfo> infos,
                           std::shared_ptr<const FrameStore> store)
    : infos_(std::move(infos)), store_(std::move(store)) {}

UtteranceFrames UtteranceSet::read(std::size_t index) const {
  UtteranceFrames frames = store_->read(index);
  if (normalisation_) normalisation_->apply(frames.features);
  return frames;
}

}  // namespace ernn
