// A feed-forward layer: activation(W x + b), frame by frame.
#pragma once

#include "models/layer.h"

namespace ernn {

class FeedforwardLayer : public Layer {
 public:
  FeedforwardLayer(Activation activation, const MatrixShape& shape);

  using Layer::forward;
  torch::Tensor forward(const torch::Tensor& x, const std::vector<int64_t>& running,
                        LayerState* state) override;
  void initialise(const at::Generator& generator) override;

 private:
  Activation activation_;
  StructuredMatrix input_;
  torch::Tensor bias_;
};

}  // namespace ernn
