// Parameters whose stored numbers are codes: what quantisation leaves as it is.
#pragma once

#include <torch/types.h>

#include <string>

#include "admm/constraint_set.h"

namespace ernn {

/// Tensors that lie on the grid of a format of `width` bits with `integer` of them before the
/// point, multiples of 2^(integer - width) of a magnitude below 2^(integer-1): a dense matrix
/// [rows, cols] with every entry, first columns c [p, q, k], k > 1, with every number of the packed
/// spectra of c / k (docs/arithmetic.md), which are what is stored of them. The lowest code of the
/// format, -2^(integer-1), is left out: for that magnitude the exporter takes a format with a bit
/// more before the point (format_for()), so a matrix with it would be moved to a coarser grid.
///
/// The set is not convex, so ADMM is a heuristic on it; the projection is exact all the same. The
/// packed real numbers s of the spectrum of c / k are coordinates with
///   ||c||^2 = k (s_0^2 + s_1^2) + 2 k (s_2^2 + s_3^2 + ...)
/// (Parseval; the first two are the bins 0 and k/2), so that the distance is a sum over coordinates
/// with positive weights, and is smallest when each is rounded and limited by itself.
class FixedPointGridSet : public ConstraintSet {
 public:
  /// Throws UsageError for a width outside 2 to 24.
  FixedPointGridSet(int width, int integer);

  torch::Tensor project(const torch::Tensor& w) const override;
  std::string text() const override;

 private:
  torch::Tensor rounded(const torch::Tensor& values) const;

  int width_;
  int integer_;
};

}  // namespace ernn
