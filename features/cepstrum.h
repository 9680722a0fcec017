// From log-mel energies to cepstral coefficients.
#pragma once

#include <vector>

namespace ernn {

/// The first `cepstra` rows of the orthonormal DCT-II over `bins` values, times the lifter
/// 1 + Q/2 sin(pi i / Q) (no lifter when Q is 0).
class CepstralTransform {
 public:
  CepstralTransform(int bins, int cepstra, double lifter);
  /// `log_mel` holds `bins` values, `out` takes `cepstra`.
  void apply(const double* log_mel, double* out) const;

 private:
  std::vector<std::vector<double>> rows_;
};

}  // namespace ernn
