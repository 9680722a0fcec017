// Products with circulant matrices by their definition, in double.
#pragma once

#include <cmath>
#include <vector>

#include "compute/structured_product.h"
#include "tests/compute/kernel_test.h"

namespace ernn::compute {

/// W, from its first columns by the definition W_ij[r, s] = c_ij[(r - s) mod k].
template <class T>
std::vector<double> dense(const MatrixSize& size, const std::vector<T>& weight) {
  const Index k = size.block;
  std::vector<double> w(static_cast<std::size_t>(size.rows * size.cols));
  for (Index row = 0; row < size.rows; ++row) {
    for (Index col = 0; col < size.cols; ++col) {
      const Index block = row / k * size.block_cols() + col / k;
      const Index entry = k == 1 ? 0 : (row % k - col % k + k) % k;
      w[static_cast<std::size_t>(row * size.cols + col)] =
          static_cast<double>(weight[static_cast<std::size_t>(block * k + entry)]);
    }
  }
  return w;
}

/// A matrix with rows x and derivatives dy of y = x W^T.
template <class T>
struct Problem {
  MatrixSize size;
  Index n;
  std::vector<T> weight, x, dy;
  std::vector<double> w;

  Problem(MatrixSize matrix, Index rows, unsigned seed = 0) : size(matrix), n(rows) {
    weight = random_numbers<T>(size.block_rows() * size.block_cols() * size.block, seed + 1);
    x = random_numbers<T>(n * size.cols, seed + 2);
    dy = random_numbers<T>(n * size.rows, seed + 3);
    w = dense(size, weight);
  }
  /// Entry `col` of row i of dx = dy W.
  double dx(Index i, Index col) const {
    double sum = 0;
    for (Index row = 0; row < size.rows; ++row) {
      sum += w[static_cast<std::size_t>(row * size.cols + col)] *
             static_cast<double>(dy[static_cast<std::size_t>(i * size.rows + row)]);
    }
    return sum;
  }
  double tolerance(Index terms) const { return 60 * kRounding<T> * std::sqrt(double(terms) + 1); }
};

/// Entry `at` of the gradient of the first columns.
template <class T>
double expected_gradient(const Problem<T>& problem, Index at) {
  const MatrixSize& s = problem.size;
  const Index k = s.block;
  const Index block_row = at / k / s.block_cols();
  const Index block_col = at / k % s.block_cols();
  double sum = 0;
  for (Index i = 0; i < k; ++i) {
    // The entries of the block's wrapped diagonal, as far as they are inside the matrix.
    const Index row = block_row * k + (i + at % k) % k;
    const Index col = block_col * k + i;
    if (row >= s.rows || col >= s.cols) continue;
    for (Index n = 0; n < problem.n; ++n) {
      sum += static_cast<double>(problem.dy[static_cast<std::size_t>(n * s.rows + row)]) *
             static_cast<double>(problem.x[static_cast<std::size_t>(n * s.cols + col)]);
    }
  }
  return sum;
}

}  // namespace ernn::compute
