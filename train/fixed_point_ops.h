// The elements of the deployed arithmetic (docs/arithmetic.md) as differentiable operations.
//
// Tensors are F64 and hold real numbers on the grid of a format, code / 2^F. Sums and products of
// such numbers are exact while they need no more than 53 bits, in whatever order they are added, so
// LibTorch's own operators compute them; what rounds is here. Values are those of the integer
// emulator, bit for bit; gradients are those of the real function that an operation stands for
// (straight-through estimator, Bengio et al. 2013), and zero where a value met its format's limit.
#pragma once

#include <torch/types.h>

#include <functional>

#include "export/quantised_network.h"

namespace ernn::fixed_point {

/// Bits, sign included, of the integers that F64 holds with room for the half of a rounding.
inline constexpr int kExactBits = 53;

/// A parameter as F64. What is infinite becomes NaN, so that it cannot hide behind a limit.
torch::Tensor value_of(const torch::Tensor& parameter);

/// x, any F64, rounded half up to the grid of `format` and limited. The gradient passes where the
/// limit did not act.
torch::Tensor narrow(const torch::Tensor& x, const Format& format);

/// `value` with the gradient of `surrogate()`, which is only computed when `x` needs one.
torch::Tensor straight_through(const torch::Tensor& x, const torch::Tensor& value,
                               const std::function<torch::Tensor()>& surrogate);

/// The table's results for x on the grid of the layer's preactivation format, in its gate format;
/// gradient of sigmoid or tanh at x. Where the gate format's largest code limits a result, the
/// function is flat anyway and the gradient stays.
torch::Tensor look_up(const torch::Tensor& x, const ActivationTable& table,
                      const QuantisedLayer& layer);

/// The kernel's transforms of blocks of k = 2 ... 64 along the last dimension, before their results
/// are narrowed; gradients of the exact transforms.
class Transform {
 public:
  explicit Transform(int k);
  /// Blocks on a grid of `fraction` bits to packed spectra.
  torch::Tensor forward(const torch::Tensor& blocks, int fraction) const;
  /// Packed spectra on a grid of `fraction` bits to blocks, without 1/k.
  torch::Tensor inverse(const torch::Tensor& spectra, int fraction) const;

 private:
  int k_;
  torch::Tensor forward_matrix_, inverse_matrix_;  // shape: [k, k]
};

}  // namespace ernn::fixed_point
