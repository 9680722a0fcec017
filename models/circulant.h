// The block-circulant operator on LibTorch tensors.
//
// A matrix [rows, cols] is cut into blocks of k x k; block (i, j) is defined by its first column,
// W_ij[r, s] = c_ij[(r - s) mod k], so that a block times a vector is a circular convolution. The
// first columns are one tensor c of [p, q, k] with p = ceil(rows / k), q = ceil(cols / k); what a
// block has beyond the matrix's rows and columns is never seen.
//
// Every function takes F32 or F64 on any device and is differentiable once.
#pragma once

#include <torch/types.h>

namespace ernn {

/// The matrix [rows, cols] of first columns c [p, q, k].
torch::Tensor dense_from_circulant(const torch::Tensor& c, int64_t rows, int64_t cols);

/// Whether CirculantSpectrum::matmul is the faster way to multiply many inputs by a rows x cols
/// matrix with LibTorch's operators on a CPU, against dense_from_circulant() and a dense product. A
/// rule of thumb; layers use these operators only where compute/ has no kernels.
bool spectral_is_faster(int64_t rows, int64_t cols);

/// The first columns [p, q, k] of the block-circulant matrix nearest to w [rows, cols] in the
/// Frobenius norm: each is the mean over its wrapped diagonal.
///
/// The norm is that of the real matrix. In a block that reaches beyond it, the mean goes over the
/// entries inside only (padding with zeros and averaging over k would pull those blocks towards
/// zero and would not be the nearest matrix); a diagonal with no entry inside gives 0.
torch::Tensor circulant_from_dense(const torch::Tensor& w, int64_t block);

/// Spectra of blocks, packed as k real numbers in the order [Re0, Re(k/2), Re1, Im1, Re2, ...]
/// along the last dimension, whose size must be one that networks have (is_block_size() of
/// models/options.h): an odd one has no bin k/2. Linear, real, unscaled (the inverse divides by k).
torch::Tensor packed_rfft(const torch::Tensor& blocks);
/// The inverse of packed_rfft.
torch::Tensor packed_irfft(const torch::Tensor& spectra);

/// First columns c [p, q, k] transformed once and reordered for products with many inputs: one
/// real matrix for each of the bins 0 and k/2, one complex matrix for each bin between. k as for
/// packed_rfft(); the dense matrices above take any.
class CirculantSpectrum {
 public:
  CirculantSpectrum(const torch::Tensor& c, int64_t rows, int64_t cols);

  /// x [n, cols] to x W^T [n, rows] in the frequency domain; W is never formed. Each input block is
  /// transformed once, products are accumulated over the block row, each output block is
  /// transformed back once. Gradients reach x and c.
  torch::Tensor matmul(const torch::Tensor& x) const;

 private:
  torch::Tensor chunk_matmul(const torch::Tensor& x) const;

  int64_t rows_;
  int64_t cols_;
  int64_t block_;
  int64_t block_rows_;
  int64_t block_cols_;
  torch::Tensor real_;     // shape: [min(k, 2), q, p], bins 0 and k/2
  torch::Tensor re_, im_;  // shape: [k/2 - 1, q, p], bins between
  torch::Tensor im_minus_re_, re_plus_im_;
};

}  // namespace ernn
