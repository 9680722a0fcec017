// What operations with a hand-written backward pass have in common.
#pragma once

#include <c10/core/GradMode.h>
#include <torch/types.h>

#include <cstddef>

#include "compute/gates.h"

namespace ernn {

/// LibTorch 1.13 takes no undefined tensors as arguments: what a layer lacks is an empty one.
inline bool present(const torch::Tensor& x) {
  return x.numel() > 0;
}

/// x [frames, batch, width] as rows [frames x batch, width].
inline torch::Tensor flat(const torch::Tensor& x) {
  return x.flatten(0, 1);
}

/// Where the steps of compute/gates.h find x.
inline compute::Place place_of(const torch::Tensor& x) {
  return x.is_cuda() ? compute::Place::gpu : compute::Place::host;
}

/// The numbers of frame t of x [frames, batch, width], without gaps.
template <class T>
T* frame_data(const torch::Tensor& x, std::size_t t) {
  return x.data_ptr<T>() + static_cast<int64_t>(t) * x.stride(0);
}

/// Null for what a layer lacks.
template <class T>
T* data_or_null(const torch::Tensor& x) {
  return present(x) ? x.data_ptr<T>() : nullptr;
}

/// To be called first in a backward pass that is not differentiable itself: second derivatives
/// would lack, without a word, all that goes through it. LibTorch records what a backward pass does
/// only when it was asked to.
inline void require_first_derivative() {
  TORCH_CHECK(!c10::GradMode::is_enabled(),
              "layers are differentiable once: call backward() or grad() without create_graph");
}

}  // namespace ernn
