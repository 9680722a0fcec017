#include "models/feedforward.h"

#include <torch/utils.h>

#include <cmath>
#include <vector>

#include "models/cpu_matrix.h"

namespace ernn {

FeedforwardLayer::FeedforwardLayer(const LayerOptions& options, const MatrixShape& shape)
    : options_(options), input_(add_matrix(shape)) {
  bias_ = register_parameter("bias", torch::zeros({shape.rows}));
}

torch::Tensor FeedforwardLayer::forward(const torch::Tensor& frames, const std::vector<int64_t>&,
                                        LayerState* state) {
  const torch::Tensor x =
      options_.joins_frames() ? join_frames(frames, options_.offsets, state) : frames;
  const torch::Tensor argument = uses_kernels(x)
                                     ? cpu::linear(x, input_->weight, bias_, input_->shape().rows)
                                     : input_->forward(x, bias_);
  switch (options_.activation) {
    case Activation::none:
      break;
    case Activation::sigmoid:
      return argument.sigmoid();
    case Activation::tanh:
      return argument.tanh();
    case Activation::relu:
      return argument.relu();
  }
  return argument;
}

void FeedforwardLayer::initialise(const at::Generator& generator) {
  if (options_.activation == Activation::relu) {
    // He et al. 2015: variance 2 / columns makes up for the half that relu removes.
    input_->initialise(std::sqrt(6.0 / input_->shape().cols), generator);
  } else {
    initialise_matrices(generator);
  }
  const torch::NoGradGuard no_gradient;
  bias_.zero_();
}

}  // namespace ernn
