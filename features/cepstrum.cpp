#include "features/cepstrum.h"

#include <cmath>
#include <cstddef>

namespace ernn {

CepstralTransform::CepstralTransform(int bins, int cepstra, double lifter) {
  const double pi = std::acos(-1.0);
  for (int i = 0; i < cepstra; ++i) {
    const double scale = std::sqrt((i == 0 ? 1.0 : 2.0) / bins) *
                         (lifter > 0 ? 1 + 0.5 * lifter * std::sin(pi * i / lifter) : 1.0);
    std::vector<double> row;
    row.reserve(static_cast<std::size_t>(bins));
    for (int n = 0; n < bins; ++n) row.push_back(scale * std::cos(pi / bins * (n + 0.5) * i));
    rows_.push_back(std::move(row));
  }
}

void CepstralTransform::apply(const double* log_mel, double* out) const {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    out[i] = 0;
    for (std::size_t n = 0; n < rows_[i].size(); ++n) out[i] += rows_[i][n] * log_mel[n];
  }
}

}  // namespace ernn
