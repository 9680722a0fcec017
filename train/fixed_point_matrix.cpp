#include "train/fixed_point_matrix.h"

#include <torch/utils.h>

#include <utility>
#include <vector>

#include "export/quantise.h"
#include "models/circulant.h"

namespace ernn::fixed_point {

namespace {

using torch::Tensor;

/// Packed spectra of c / k by the exporter's own transform, since another one's last bit could
/// round to another code.
Tensor exported_spectra(const Tensor& c, const MatrixShape& shape) {
  const Tensor in = c.detach().contiguous();
  FloatMatrix matrix{shape, {}};
  matrix.weights.assign(in.data_ptr<double>(), in.data_ptr<double>() + in.numel());
  const std::vector<double> values = stored_values(matrix);
  return torch::tensor(values, torch::kDouble).view(c.sizes());
}

}  // namespace

Matrix::Matrix(const QuantisedMatrix& formats, const Format& input, Tensor weight)
    : shape_(formats.shape),
      weight_format_(formats.weight),
      spectrum_(formats.spectrum),
      sum_(formats.sum),
      product_(formats.product),
      input_(input),
      weight_(std::move(weight)) {
  if (shape_.block > 1) transform_.emplace(shape_.block);
}

Matrix::Weights Matrix::weights() const {
  const Tensor parameter = value_of(weight_);
  const int64_t k = shape_.block;
  if (k == 1) return {narrow(parameter, weight_format_), {}, {}};
  const Tensor exact = straight_through(parameter, exported_spectra(parameter, shape_), [&] {
    return packed_rfft(parameter) / static_cast<double>(k);
  });
  // shape: [k, q, p]
  const Tensor spectra = narrow(exact, weight_format_).permute({2, 1, 0});
  Weights weights;
  weights.real = spectra.narrow(0, 0, 2).contiguous();
  if (k == 2) return weights;
  const Tensor pairs = spectra.narrow(0, 2, k - 2).unflatten(0, {k / 2 - 1, 2});
  const Tensor re = pairs.select(1, 0);
  const Tensor im = pairs.select(1, 1);
  weights.between = torch::cat({torch::cat({re, im}, 2), torch::cat({-im, re}, 2)}, 1);
  return weights;
}

Tensor Matrix::multiply(const Tensor& x, const Weights& weights) const {
  if (shape_.block == 1) return narrow(x.matmul(weights.dense.t()), product_);
  const int64_t k = shape_.block;
  const int64_t q = shape_.block_cols();
  const Tensor padded = torch::constant_pad_nd(x, {0, q * k - shape_.cols});
  const Tensor spectrum =
      narrow(transform_->forward(padded.view({-1, q, k}), input_.fraction()), spectrum_);
  const Tensor sum = narrow(accumulate(spectrum, weights), sum_);
  const Tensor rows = transform_->inverse(sum, sum_.fraction()).flatten(1);
  return narrow(rows.narrow(1, 0, shape_.rows), product_);
}

/// spectrum [n, q, k] to the sums over the block rows [n, p, k]. Complex products by four real
/// ones: the three of CirculantSpectrum would need more bits.
Tensor Matrix::accumulate(const Tensor& spectrum, const Weights& weights) const {
  const int64_t n = spectrum.size(0);
  const int64_t k = shape_.block;
  const int64_t q = shape_.block_cols();
  const int64_t p = shape_.block_rows();
  const Tensor bins = spectrum.permute({2, 0, 1});  // shape: [k, n, q]
  const Tensor real = bins.narrow(0, 0, 2).bmm(weights.real).permute({1, 2, 0});
  if (k == 2) return real;
  // shape: [k/2 - 1, n, 2 q]
  const Tensor pairs = bins.narrow(0, 2, k - 2)
                           .unflatten(0, {k / 2 - 1, 2})
                           .permute({0, 2, 1, 3})
                           .reshape({k / 2 - 1, n, 2 * q});
  const Tensor products = pairs.bmm(weights.between).view({k / 2 - 1, n, 2, p});
  return torch::cat({real, products.permute({1, 3, 0, 2}).reshape({n, p, k - 2})}, 2);
}

}  // namespace ernn::fixed_point
