// The GRU layer, with the reset gate before or after the recurrent product.
//
//   z = sigmoid(W_z x + U_z h' + b_z)         r likewise
//   before:  n = tanh(W_c x + b_c + U_c (r . h'))            (the papers' form)
//   after:   n = tanh(W_c x + b_c + r . (U_c h' + b_v))      (PyTorch's form)
//   h = (1 - z) . h' + z . n
//
// where a dash marks the previous frame; at the beginning of an utterance h' = 0.
#pragma once

#include "models/layer.h"

namespace ernn {

/// The recurrence alone, as one differentiable operation with hand-written backward through time
/// (differentiable once).
///
/// @param input [frames, batch, 3 size], W x + b of z, r and the candidate n
/// @param recurrent U of z and r, [2 size, size]
/// @param candidate U_c, [size, size]
/// @param candidate_bias b_v, [size]: the reset acts after the product; undefined: before
/// @param state h' of the first frame, afterwards that behind the last one; null: zeros
/// @param gates how they are computed; the results differ by no more than rounding
/// @return h, [frames, batch, size]
torch::Tensor gru_sequence(const torch::Tensor& input, const torch::Tensor& recurrent,
                           const torch::Tensor& candidate, const torch::Tensor& candidate_bias,
                           LayerState* state, Gates gates);

class GruLayer : public Layer {
 public:
  GruLayer(const LayerOptions& options, const std::vector<MatrixShape>& shapes);

  using Layer::forward;
  torch::Tensor forward(const torch::Tensor& x, const std::vector<int64_t>& running,
                        LayerState* state) override;
  /// Biases are zero.
  void initialise(const at::Generator& generator) override;

 private:
  StructuredMatrix input_;
  StructuredMatrix recurrent_;
  StructuredMatrix candidate_;
  torch::Tensor bias_;
  torch::Tensor candidate_bias_;
};

}  // namespace ernn
