// Batches cut along time, for truncated backpropagation.
#pragma once

#include <cstdint>

#include "train/batches.h"

namespace ernn {

/// Pieces of at most `frames` frames that a batch of so many frames makes; 1 when `frames` is 0.
std::int64_t piece_count(std::int64_t batch_frames, std::int64_t frames);

/// Frames first ... first + frames - 1 of a batch, to the end when `frames` is 0: the same
/// utterances, of which those that have ended before have no frames. Without utterances when the
/// batch has none of these frames. Transcripts belong to whole utterances and are left out.
Batch piece_of(const Batch& batch, std::int64_t first, std::int64_t frames);

}  // namespace ernn
