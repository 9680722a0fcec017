// The whole LSTM layer as one differentiable operation on the CPU.
#pragma once

#include <torch/types.h>

#include <vector>

#include "models/layer_state.h"

namespace ernn::cpu {

/// Parameters of an LSTM layer (models/lstm.h); matrices dense, [rows, cols], or as first columns
/// of circulant blocks, [block_rows, block_cols, block]. What the layer lacks is undefined.
struct LstmParameters {
  torch::Tensor input;       ///< W of [4 size, inputs]
  torch::Tensor bias;        ///< [4 size]
  torch::Tensor recurrent;   ///< R of [4 size, outputs]
  torch::Tensor peephole;    ///< [3, size], or undefined
  torch::Tensor projection;  ///< W_p of [outputs, size], or undefined
  int64_t outputs = 0;
  double cell_clip = 0;  ///< 0 for none
};

/// x [frames, batch, inputs] to y [frames, batch, outputs]; hand-written backward through time,
/// differentiable once.
///
/// @param running utterances that have a frame t, which are the first of the batch; empty: all
///   have all frames. Output and gradients of frames beyond an utterance's end are 0.
/// @param state of the frame before the first, afterwards of the last frame; null: zeros
torch::Tensor lstm_layer(const torch::Tensor& x, const LstmParameters& parameters,
                         const std::vector<int64_t>& running, LayerState* state);

}  // namespace ernn::cpu
