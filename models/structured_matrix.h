// A weight matrix that is stored dense or as circulant blocks, behind one interface.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "models/options.h"

namespace ernn {

/// The one parameter, `weight`, is [rows, cols] for block size 1 and [p, q, k] first columns
/// (models/circulant.h) otherwise.
class StructuredMatrixImpl : public torch::nn::Module {
 public:
  explicit StructuredMatrixImpl(MatrixShape shape);

  /// x [..., cols] to x W^T + bias [..., rows]; `bias` [rows] or undefined. Circulant blocks are
  /// multiplied in the frequency domain where that is faster: on no GPU that was measured
  /// (docs/performance.md), elsewhere as spectral_is_faster() says. By LibTorch's operators; on the
  /// CPU layers call cpu::linear (models/cpu_matrix.h) instead.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& bias = {}) const;
  /// The matrix [rows, cols], differentiable with respect to `weight`. Recurrences expand it once
  /// per sequence and multiply it at every step.
  torch::Tensor dense() const;

  /// Fills `weight` from uniform(-bound, bound). The bound is that of the dense matrix whatever the
  /// block size: within a row of a block all k entries are different numbers, so W x has the same
  /// variance as with independent entries.
  void initialise(double bound, const at::Generator& generator);
  /// Sets `weight` to the nearest representable matrix to `dense` [rows, cols].
  void assign(const torch::Tensor& dense);

  const MatrixShape& shape() const { return shape_; }

  torch::Tensor weight;

 private:
  MatrixShape shape_;
};
TORCH_MODULE(StructuredMatrix);

}  // namespace ernn
