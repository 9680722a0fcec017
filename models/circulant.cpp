#include "models/circulant.h"

#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/options.h"

namespace ernn {

namespace {

using torch::Tensor;

// Inputs that are transformed and multiplied at a time on a CPU: the spectra of more no longer stay
// in the cache between the steps, which costs up to a factor of two.
constexpr int64_t kChunk = 512;

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Constants are made where they are needed: a copy to a GPU would wait for all that runs there.
Tensor numbers_to(int64_t k, torch::Device device) {
  return torch::arange(k, torch::dtype(torch::kLong).device(device));
}

// Where entry (r, s) of a block lies in its first column; the block in row-major order.
Tensor column_of_entry(int64_t k, torch::Device device) {
  const Tensor r = numbers_to(k, device);
  return (r.unsqueeze(1) - r.unsqueeze(0)).remainder(k).reshape(-1);
}

// Where the k entries of each wrapped diagonal lie in a block in row-major order.
Tensor entries_of_column(int64_t k, torch::Device device) {
  const Tensor r = numbers_to(k, device);
  const Tensor s = (r.unsqueeze(0) - r.unsqueeze(1)).remainder(k);
  return (r.unsqueeze(0) * k + s).reshape(-1);
}

Tensor expand(const Tensor& c, int64_t rows, int64_t cols) {
  const int64_t p = c.size(0);
  const int64_t q = c.size(1);
  const int64_t k = c.size(2);
  const Tensor entries = c.reshape({p * q, k}).index_select(1, column_of_entry(k, c.device()));
  return entries.view({p, q, k, k})
      .transpose(1, 2)
      .reshape({p * k, q * k})
      .narrow(0, 0, rows)
      .narrow(1, 0, cols)
      .contiguous();
}

// Sums over the wrapped diagonals inside the matrix: the adjoint of expand().
Tensor sum_diagonals(const Tensor& w, int64_t k) {
  const int64_t p = ceil_div(w.size(0), k);
  const int64_t q = ceil_div(w.size(1), k);
  const Tensor padded = torch::constant_pad_nd(w, {0, q * k - w.size(1), 0, p * k - w.size(0)});
  const Tensor blocks = padded.view({p, k, q, k}).transpose(1, 2).reshape({p * q, k * k});
  return blocks.index_select(1, entries_of_column(k, w.device())).view({p, q, k, k}).sum(-1);
}

struct Expand : torch::autograd::Function<Expand> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& c, int64_t rows,
                        int64_t cols) {
    context->saved_data["block"] = c.size(2);
    return expand(c, rows, cols);
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               const torch::autograd::tensor_list& gradients) {
    const int64_t block = context->saved_data["block"].toInt();
    return {sum_diagonals(gradients[0], block), Tensor(), Tensor()};
  }
};

// Entries of each diagonal of a block of which only `rows` x `cols` are inside the matrix.
Tensor inside_counts(int64_t k, int64_t rows, int64_t cols) {
  std::vector<double> counts(static_cast<std::size_t>(k), 0);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t s = 0; s < cols; ++s) counts[static_cast<std::size_t>((r - s + k) % k)] += 1;
  }
  for (auto& count : counts) count = std::max(count, 1.0);
  return torch::tensor(counts, torch::kDouble);
}

// The packed transform of the last dimension of x as a matrix [k, k]: x . matrix = spectra.
Tensor forward_matrix(const Tensor& x) {
  const int64_t k = x.size(-1);
  TORCH_CHECK(is_block_size(k), "blocks of ", k,
              " numbers have no packed spectrum, expected 1, 2, 4, 8, 16, 32 or 64");
  const Tensor n = numbers_to(k, x.device());
  Tensor matrix = torch::ones({k, k}, x.options().dtype(torch::kDouble));
  if (k > 1) matrix.select(1, 1).sub_(n.remainder(2), 2);
  if (k > 2) {
    const Tensor bins = n.narrow(0, 1, k / 2 - 1);
    const Tensor turns = (n.unsqueeze(1) * bins.unsqueeze(0)).remainder(k);
    const Tensor angles = turns.to(torch::kDouble) * (2 * M_PI / static_cast<double>(k));
    matrix.narrow(1, 2, k - 2)
        .copy_(torch::stack({angles.cos(), angles.sin().neg()}, 2).flatten(1, 2));
  }
  return matrix.to(x.scalar_type());
}

// Its inverse. The columns of the forward matrix are orthogonal with squared norms k (real bins)
// and k/2, so this is its transpose with scaled rows.
Tensor inverse_matrix(const Tensor& x) {
  const int64_t k = x.size(-1);
  Tensor inverse = forward_matrix(x).t() * (2.0 / static_cast<double>(k));
  inverse.narrow(0, 0, std::min<int64_t>(k, 2)).mul_(0.5);
  return inverse;
}

Tensor times_constant(const Tensor& x, const Tensor& matrix) {
  const int64_t k = x.size(-1);
  return x.reshape({-1, k}).matmul(matrix).view(x.sizes());
}

}  // namespace

Tensor dense_from_circulant(const Tensor& c, int64_t rows, int64_t cols) {
  TORCH_CHECK(c.dim() == 3 && c.size(0) == ceil_div(rows, c.size(2)) &&
                  c.size(1) == ceil_div(cols, c.size(2)),
              "first columns of shape ", c.sizes(), " do not make a ", rows, " x ", cols,
              " matrix");
  return Expand::apply(c, rows, cols);
}

bool spectral_is_faster(int64_t rows, int64_t cols) {
  return rows * cols >= 128 * 1024;
}

Tensor circulant_from_dense(const Tensor& w, int64_t block) {
  TORCH_CHECK(w.dim() == 2 && block >= 1, "a matrix and a positive block size are needed");
  const int64_t last_rows = w.size(0) - (ceil_div(w.size(0), block) - 1) * block;
  const int64_t last_cols = w.size(1) - (ceil_div(w.size(1), block) - 1) * block;
  const Tensor sums = sum_diagonals(w, block);
  if (last_rows == block && last_cols == block) return sums / static_cast<double>(block);
  const int64_t p = sums.size(0);
  const int64_t q = sums.size(1);
  Tensor counts = torch::full({p, q, block}, static_cast<double>(block), torch::kDouble);
  counts.select(1, q - 1).copy_(inside_counts(block, block, last_cols));
  counts.select(0, p - 1).copy_(inside_counts(block, last_rows, block));
  counts.select(0, p - 1).select(0, q - 1).copy_(inside_counts(block, last_rows, last_cols));
  return sums / counts.to(w.options());
}

Tensor packed_rfft(const Tensor& blocks) {
  return times_constant(blocks, forward_matrix(blocks));
}

Tensor packed_irfft(const Tensor& spectra) {
  return times_constant(spectra, inverse_matrix(spectra));
}

CirculantSpectrum::CirculantSpectrum(const Tensor& c, int64_t rows, int64_t cols)
    : rows_(rows), cols_(cols), block_(c.size(2)), block_rows_(c.size(0)), block_cols_(c.size(1)) {
  const Tensor spectrum = packed_rfft(c).permute({2, 1, 0}).contiguous();
  const int64_t real_bins = std::min<int64_t>(block_, 2);
  real_ = spectrum.narrow(0, 0, real_bins);
  if (block_ <= 2) return;
  const Tensor pairs = spectrum.narrow(0, 2, block_ - 2).unflatten(0, {block_ / 2 - 1, 2});
  re_ = pairs.select(1, 0);
  im_ = pairs.select(1, 1);
  im_minus_re_ = im_ - re_;
  re_plus_im_ = re_ + im_;
}

Tensor CirculantSpectrum::matmul(const Tensor& x) const {
  if (x.size(0) <= kChunk || !x.is_cpu()) return chunk_matmul(x);
  std::vector<Tensor> results;
  for (const auto& chunk : x.split(kChunk)) results.push_back(chunk_matmul(chunk));
  return torch::cat(results);
}

Tensor CirculantSpectrum::chunk_matmul(const Tensor& x) const {
  const int64_t n = x.size(0);
  const int64_t k = block_;
  const Tensor padded = torch::constant_pad_nd(x, {0, block_cols_ * k - cols_});
  // shape: [k, n, q]
  const Tensor spectrum = packed_rfft(padded.view({n, block_cols_, k})).permute({2, 0, 1});
  Tensor product = spectrum.narrow(0, 0, std::min<int64_t>(k, 2)).contiguous().bmm(real_);
  if (k > 2) {
    const Tensor pairs = spectrum.narrow(0, 2, k - 2).unflatten(0, {k / 2 - 1, 2});
    const Tensor a = pairs.select(1, 0).contiguous();
    const Tensor b = pairs.select(1, 1).contiguous();
    // (a + jb)(re + j im) with three products instead of four
    const Tensor common = (a + b).bmm(re_);
    const Tensor real = common - b.bmm(re_plus_im_);
    const Tensor imaginary = common + a.bmm(im_minus_re_);
    product = torch::cat({product, torch::stack({real, imaginary}, 1).flatten(0, 1)}, 0);
  }
  // shape: [k, n, p] to [n, p, k]
  return packed_irfft(product.permute({1, 2, 0}).contiguous())
      .view({n, block_rows_ * k})
      .narrow(1, 0, rows_);
}

}  // namespace ernn
