// The whole GRU layer as one differentiable operation on the CPU.
#pragma once

#include <torch/types.h>

#include <vector>

#include "models/layer_state.h"

namespace ernn::cpu {

/// Parameters of a GRU layer (models/gru.h); matrices dense, [rows, cols], or as first columns of
/// circulant blocks, [block_rows, block_cols, block].
struct GruParameters {
  torch::Tensor input;           ///< W of [3 size, inputs]
  torch::Tensor bias;            ///< [3 size]
  torch::Tensor recurrent;       ///< U of z and r, [2 size, size]
  torch::Tensor candidate;       ///< U_c, [size, size]
  torch::Tensor candidate_bias;  ///< b_v, [size]: reset after the product; undefined: before
};

/// x [frames, batch, inputs] to h [frames, batch, size]; hand-written backward through time,
/// differentiable once.
///
/// @param running utterances that have a frame t, which are the first of the batch; empty: all
///   have all frames. Output and gradients of frames beyond an utterance's end are 0.
/// @param state of the frame before the first, afterwards of the last frame; null: zeros
torch::Tensor gru_layer(const torch::Tensor& x, const GruParameters& parameters,
                        const std::vector<int64_t>& running, LayerState* state);

}  // namespace ernn::cpu
