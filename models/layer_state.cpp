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

Tensor join_frames(const Tensor& x, const std::vector<int>& offsets, LayerState* state) {
  const int64_t reach = -offsets.front();
  const bool carried = state != nullptr && state->inputs.defined();
  const Tensor before = carried ? state->inputs : x.new_zeros({reach, x.size(1), x.size(2)});
  const Tensor line = torch::cat({before, x});
  std::vector<Tensor> joined;
  joined.reserve(offsets.size());
  for (const int offset : offsets) joined.push_back(line.narrow(0, reach + offset, x.size(0)));
  // A copy, because a view would keep the whole piece in memory.
  if (state != nullptr) state->inputs = line.narrow(0, x.size(0), reach).detach().clone();
  return torch::cat(joined, 2);
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
