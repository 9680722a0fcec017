// A weight matrix times vectors as the kernel computes it.
#pragma once

#include <torch/types.h>

#include <optional>

#include "export/quantised_network.h"
#include "train/fixed_point_ops.h"

namespace ernn::fixed_point {

class Matrix {
 public:
  /// @param formats the matrix' formats; its codes are not looked at
  /// @param input format of what it multiplies
  /// @param weight the parameter, first columns [p, q, k] or [rows, cols], F32 or F64
  Matrix(const QuantisedMatrix& formats, const Format& input, torch::Tensor weight);

  /// The parameter quantised now, arranged for products; differentiable.
  struct Weights {
    torch::Tensor dense;    ///< k = 1: [rows, cols]
    torch::Tensor real;     ///< [2, q, p], bins 0 and k/2
    torch::Tensor between;  ///< [k/2 - 1, 2 q, 2 p]: [re, im; -im, re] of the bins between
  };
  Weights weights() const;

  /// x [n, cols] on the grid of the input format to W x [n, rows] on that of the product.
  torch::Tensor multiply(const torch::Tensor& x, const Weights& weights) const;

 private:
  torch::Tensor accumulate(const torch::Tensor& spectrum, const Weights& weights) const;

  MatrixShape shape_;
  Format weight_format_, spectrum_, sum_, product_, input_;
  torch::Tensor weight_;
  std::optional<Transform> transform_;
};

}  // namespace ernn::fixed_point
