// Mean and variance normalisation with constants of the training set.
#pragma once

#include <vector>

#include "base/frame_matrix.h"

namespace ernn {

/// x -> (x - mean) * inverse_std, per column.
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> inverse_std;

  void apply(FrameMatrix& features) const;
};

/// Accumulates population mean and variance in double precision (Kaldi's global CMVN).
class NormalisationEstimator {
 public:
  void add(const FrameMatrix& features);
  /// Throws DataError when no frame was seen. Variances are floored at 1e-20 as Kaldi does.
  Normalisation finish() const;

 private:
  std::vector<double> sum_, sum_squares_;
  long long frames_ = 0;
};

}  // namespace ernn
