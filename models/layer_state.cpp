#include "models/layer_state.h"

namespace ernn {

using torch::Tensor;

Tensor delayed(const Tensor& x, const Tensor& first) {
  Tensor result = torch::empty_like(x);
  if (first.numel() > 0) {
    result.select(0, 0).copy_(first);
  } else {
    result.select(0, 0).zero_();
  }
  result.narrow(0, 1, x.size(0) - 1).copy_(x.narrow(0, 0, x.size(0) - 1));
  return result;
}

Tensor state_argument(const Tensor& state, const Tensor& x, int64_t width) {
  if (!state.defined()) return x.new_empty({0});
  TORCH_CHECK(state.dim() == 2 && state.size(0) == x.size(1) && state.size(1) == width,
              "a state must be [batch, width], here [", x.size(1), ", ", width, "], not ",
              state.sizes());
  return state.detach().contiguous();
}

Tensor last_frame(const Tensor& y) {
  // A copy: a view would keep all frames.
  return y.detach().select(0, y.size(0) - 1).clone();
}

}  // namespace ernn
