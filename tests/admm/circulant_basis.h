// The set of block-circulant matrices by its basis, as an independent reference.
#pragma once

#include <torch/types.h>

namespace ernn {

/// Column n is the n-th basis matrix, [rows, cols] flattened: 1 where W_ij[r, s] = c_ij[(r - s) mod
/// k] reads the n-th number of c. Basis matrices that lie outside the matrix are left out.
inline torch::Tensor circulant_basis(int64_t rows, int64_t cols, int64_t k) {
  const int64_t p = (rows + k - 1) / k;
  const int64_t q = (cols + k - 1) / k;
  std::vector<torch::Tensor> columns;
  for (int64_t n = 0; n < p * q * k; ++n) {
    const torch::Tensor member = torch::zeros({rows, cols}, torch::kDouble);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t s = 0; s < cols; ++s) {
        const int64_t read = ((r / k) * q + s / k) * k + (r % k - s % k + k) % k;
        if (read == n) member[r][s] = 1;
      }
    }
    if (member.any().item<bool>()) columns.push_back(member.view(-1));
  }
  return torch::stack(columns, 1);
}

}  // namespace ernn
