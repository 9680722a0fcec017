// A feed-forward layer: activation(W x + b), where x is one frame or several joined (TDNN).
#pragma once

#include <vector>

#include "models/layer.h"

namespace ernn {

class FeedforwardLayer : public Layer {
 public:
  /// Of `options`, the activation function and the offsets count.
  FeedforwardLayer(const LayerOptions& options, const MatrixShape& shape);

  using Layer::forward;
  torch::Tensor forward(const torch::Tensor& frames, const std::vector<int64_t>& running,
                        LayerState* state) override;
  void initialise(const at::Generator& generator) override;

 private:
  LayerOptions options_;
  StructuredMatrix input_;
  torch::Tensor bias_;
};

}  // namespace ernn
