// What a layer remembers between two pieces of an utterance.
#pragma once

#include <torch/types.h>

#include <vector>

namespace ernn {

/// The state behind a frame, without history: no gradient goes through it. Undefined tensors stand
/// for zeros.
struct LayerState {
  torch::Tensor output;  ///< [batch, outputs]: y of an LSTM, h of a GRU
  torch::Tensor cell;    ///< [batch, size]: c of an LSTM
  torch::Tensor inputs;  ///< [reach, batch, inputs]: last inputs of a layer that joins frames
};

/// Frame t holds frame t - 1 of x [frames, batch, width], frame 0 `first` or, when that is empty,
/// zeros.
torch::Tensor delayed(const torch::Tensor& x, const torch::Tensor& first);

/// The frames at these offsets (LayerOptions::offsets, none above 0) of x [frames, batch, width],
/// one behind the other: [frames, batch, offsets x width]. Before frame 0 come `inputs` of `state`,
/// or zeros where there are none; it is given those behind the last frame. Null: zeros, and they
/// are not kept.
torch::Tensor join_frames(const torch::Tensor& x, const std::vector<int>& offsets,
                          LayerState* state);

/// The state's tensor as an argument of an operation, which takes no undefined ones (LibTorch
/// 1.13): [batch, width] like `x` [frames, batch, ...], or an empty tensor.
torch::Tensor state_argument(const torch::Tensor& state, const torch::Tensor& x, int64_t width);

/// The last frame of y [frames, batch, width] as a state.
torch::Tensor last_frame(const torch::Tensor& y);

}  // namespace ernn
