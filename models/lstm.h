// The LSTM layer of Sak et al. 2014: diagonal peepholes, optional recurrent projection.
//
//   i = sigmoid(W_i x + R_i y' + p_i . c' + b_i)      f likewise
//   g = tanh(W_g x + R_g y' + b_g)
//   c = clip(f . c' + i . g)
//   o = sigmoid(W_o x + R_o y' + p_o . c + b_o)
//   m = o . tanh(c)
//   y = W_p m   with a projection, else m
//
// where a dash marks the previous frame; at the beginning of an utterance y' = c' = 0.
#pragma once

#include "models/layer.h"

namespace ernn {

/// The recurrence alone, as one differentiable operation with hand-written backward through time
/// (differentiable once).
///
/// @param input [frames, batch, 4 size], W x + b of the gates i, f, g, o
/// @param recurrent R, [4 size, outputs]
/// @param peephole p, [3 size] for i, f, o as [3, size], or undefined
/// @param projection W_p, [outputs, size], or undefined
/// @param cell_clip limit of |c|, 0 for none
/// @param state y' and c' of the first frame, afterwards those behind the last one; null: zeros
/// @param gates how they are computed; the results differ by no more than rounding
/// @return y, [frames, batch, outputs]
torch::Tensor lstm_sequence(const torch::Tensor& input, const torch::Tensor& recurrent,
                            const torch::Tensor& peephole, const torch::Tensor& projection,
                            double cell_clip, LayerState* state, Gates gates);

class LstmLayer : public Layer {
 public:
  LstmLayer(const LayerOptions& options, const std::vector<MatrixShape>& shapes);

  using Layer::forward;
  torch::Tensor forward(const torch::Tensor& x, const std::vector<int64_t>& running,
                        LayerState* state) override;
  /// Biases are zero but for the forget gate's, which are 1; peepholes are zero.
  void initialise(const at::Generator& generator) override;

 private:
  int size_;
  double cell_clip_;
  StructuredMatrix input_;
  StructuredMatrix recurrent_;
  StructuredMatrix projection_ = nullptr;
  torch::Tensor bias_;
  torch::Tensor peephole_;
};

}  // namespace ernn
