// Utterances of similar length in padded batches.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "features/utterance_set.h"
#include "train/model_context.h"

namespace ernn {

/// One batch, padded with zeros behind the ends of the shorter utterances.
struct Batch {
  std::vector<std::size_t> utterances;  ///< indices into the split
  torch::Tensor features;               ///< [T, B, D], F32
  torch::Tensor lengths;                ///< [B], I64: frames with the delay
  torch::Tensor targets;                ///< [T, B], I64: class of each output, -1 = none
  torch::Tensor phones;                 ///< I64: all transcripts one after another, plus 1 (CTC)
  torch::Tensor phone_lengths;          ///< [B], I64

  long long target_frames = 0;  ///< targets that are not -1
};

/// Which utterances go together: sorted by length and cut into batches of `batch`, the last one
/// smaller; within a batch the longest comes first. Every index appears once.
std::vector<std::vector<std::size_t>> plan_batches(const UtteranceSet& utterances, int batch);

/// The order of `count` batches in an epoch: a permutation that depends on nothing but the
/// arguments, on every platform, so a resumed run needs to know no more than the epoch.
std::vector<std::size_t> batch_order(std::size_t count, std::uint64_t seed, int epoch);

/// Reads the members' frames, one utterance after another, into a batch; an empty one for none. The
/// output at t + label_delay has the label of frame t; the last frame is fed `label_delay` times
/// more.
Batch make_batch(const UtteranceSet& utterances, const std::vector<std::size_t>& members,
                 int label_delay);

}  // namespace ernn
