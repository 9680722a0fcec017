#include "models/structured_matrix.h"

#include <torch/utils.h>

#include <utility>

#include "models/circulant.h"

namespace ernn {

using torch::Tensor;

StructuredMatrixImpl::StructuredMatrixImpl(MatrixShape shape) : shape_(std::move(shape)) {
  const auto sizes = shape_.block == 1 ? std::vector<int64_t>{shape_.rows, shape_.cols}
                                       : std::vector<int64_t>{shape_.block_rows(),
                                                              shape_.block_cols(), shape_.block};
  weight = register_parameter("weight", torch::zeros(sizes));
}

Tensor StructuredMatrixImpl::forward(const Tensor& x, const Tensor& bias) const {
  const Tensor rows = x.reshape({-1, shape_.cols});
  auto sizes = x.sizes().vec();
  sizes.back() = shape_.rows;
  const bool spectral =
      shape_.block > 1 && !x.is_cuda() && spectral_is_faster(shape_.rows, shape_.cols);
  if (!spectral) return torch::linear(rows, dense(), bias).view(sizes);
  const Tensor product = CirculantSpectrum(weight, shape_.rows, shape_.cols).matmul(rows);
  return (bias.defined() ? product + bias : product).reshape(sizes);
}

Tensor StructuredMatrixImpl::dense() const {
  return shape_.block == 1 ? weight : dense_from_circulant(weight, shape_.rows, shape_.cols);
}

void StructuredMatrixImpl::initialise(double bound, const at::Generator& generator) {
  const torch::NoGradGuard no_gradient;
  weight.uniform_(-bound, bound, generator);
}

void StructuredMatrixImpl::assign(const Tensor& dense) {
  const torch::NoGradGuard no_gradient;
  weight.copy_(shape_.block == 1 ? dense : circulant_from_dense(dense, shape_.block));
}

}  // namespace ernn
