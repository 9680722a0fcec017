#include "train/pieces.h"

#include <algorithm>

namespace ernn {

std::int64_t piece_count(std::int64_t batch_frames, std::int64_t frames) {
  return frames == 0 ? 1 : (batch_frames + frames - 1) / frames;
}

Batch piece_of(const Batch& batch, std::int64_t first, std::int64_t frames) {
  Batch piece;
  if (batch.utterances.empty() || first >= batch.features.size(0)) return piece;
  const std::int64_t left = batch.features.size(0) - first;
  const std::int64_t count = frames == 0 ? left : std::min(frames, left);
  piece.utterances = batch.utterances;
  piece.features = batch.features.narrow(0, first, count);
  piece.lengths = (batch.lengths - first).clamp(0, count);
  piece.targets = batch.targets.narrow(0, first, count);
  piece.target_frames = (piece.targets >= 0).sum().item<std::int64_t>();
  return piece;
}

}  // namespace ernn
