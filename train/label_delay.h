// Label delay: the network sees `delay` frames past the one that it classifies.
#pragma once

#include <algorithm>

#include "base/frame_matrix.h"

namespace ernn {

/// What the network is fed: the features, and the last frame `delay` times more so that the last
/// frames get their outputs. Shape [frames + delay, dims].
inline FrameMatrix with_delay_frames(const FrameMatrix& features, int delay) {
  FrameMatrix longer(features.rows > 0 ? features.rows + delay : 0, features.cols);
  for (int t = 0; t < longer.rows; ++t) {
    const float* const from = features.row(std::min(t, features.rows - 1));
    std::copy(from, from + features.cols, longer.row(t));
  }
  return longer;
}

/// The outputs that belong to the frames themselves: drops the first `delay` rows.
inline FrameMatrix without_delay_frames(const FrameMatrix& outputs, int delay) {
  const int dropped = std::min(delay, outputs.rows);
  FrameMatrix shorter(outputs.rows - dropped, outputs.cols);
  std::copy(outputs.data.begin() + (outputs.data.size() - shorter.data.size()), outputs.data.end(),
            shorter.data.begin());
  return shorter;
}

}  // namespace ernn
