// Between LibTorch's tensors and the CPU kernels of compute/.
//
// The kernels need no other thread for one utterance, so work is divided by utterance (or rows):
// every thread runs its part of the batch through all frames, and nothing waits at a frame. Large
// products of BLAS are divided the same way where its own threads would spin (compute/blas.h).
#pragma once

#include <torch/types.h>

#include <functional>

#include "compute/structured_product.h"

namespace ernn::cpu {

/// Whether the CPU kernels can compute with x: on the CPU, in single or double precision.
bool supports(const torch::Tensor& x);

/// Whether a weight holds first columns of blocks, [block_rows, block_cols, block].
inline bool is_circulant(const torch::Tensor& weight) {
  return weight.dim() == 3;
}
/// Size of a matrix whose `weight` is [rows, cols] or [block_rows, block_cols, block].
compute::MatrixSize matrix_size(const torch::Tensor& weight, int64_t rows, int64_t cols);

/// Rows of a contiguous tensor, all but its last dimension flattened; no data for an undefined one.
template <class T>
compute::Rows<T> rows_of(const torch::Tensor& x) {
  if (!x.defined()) return {};
  return {x.data_ptr<T>(), x.size(-1)};
}

/// The first `width` columns behind `offset` of such rows.
template <class T>
compute::Rows<T> columns_from(const torch::Tensor& x, int64_t offset) {
  return {x.data_ptr<T>() + offset, x.size(-1)};
}

/// Number of parts that parallel_parts() makes of `count`: one for each of LibTorch's threads.
int64_t parts_of(int64_t count);
/// Calls work(part, begin, end) for parts of 0 ... count at the same time, each in its own thread.
/// Threads are started for each call, which a whole sequence's work does not notice.
void parallel_parts(int64_t count, const std::function<void(int64_t, int64_t, int64_t)>& work);

/// Every row of x [n, ...] times W^T (side forward) or W (side backward), plus `addend` when that
/// has data (its stride may be 0). Dense products are BLAS's: this is for many rows.
template <class T>
void multiply_all(const torch::Tensor& weight, compute::MatrixSize size,
                  typename compute::StructuredProduct<T>::Side side, compute::Rows<const T> x,
                  int64_t n, compute::Rows<const T> addend, compute::Rows<T> y);

/// The gradient of a dense `weight` for y = x W^T: sum of dy^T x over n rows.
template <class T>
torch::Tensor dense_gradient(const torch::Tensor& weight, compute::Rows<const T> x,
                             compute::Rows<const T> dy, int64_t n);

/// x W^T + bias for x [..., cols], differentiable once.
torch::Tensor linear(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                     int64_t rows);

/// Calls function(T()) for the type of a tensor that supports() accepts.
template <class Function>
auto with_type(const torch::Tensor& x, Function function) {
  return x.scalar_type() == torch::kFloat ? function(float{}) : function(double{});
}

}  // namespace ernn::cpu
