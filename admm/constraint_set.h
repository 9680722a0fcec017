// Sets of matrices that ADMM can pull a weight matrix onto.
//
// This folder uses the circulant projection of models/circulant.h, so the arrow between the two
// folders goes from admm to models; nothing in models may include anything from here.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

namespace ernn {

class ConstraintSet {
 public:
  ConstraintSet() = default;
  ConstraintSet(const ConstraintSet&) = default;
  ConstraintSet& operator=(const ConstraintSet&) = default;
  virtual ~ConstraintSet() = default;

  /// The nearest member of the set to `w` in the Frobenius norm, of the same shape.
  virtual torch::Tensor project(const torch::Tensor& w) const = 0;
  /// What the set is, for logs: "block-circulant, k = 8".
  virtual std::string text() const = 0;
};

/// Matrices whose k x k blocks are circulant; the last blocks may reach beyond the matrix
/// (models/circulant.h). A linear subspace, so the projection is linear and W - P(W) is orthogonal
/// to the set.
class BlockCirculantSet : public ConstraintSet {
 public:
  /// Throws UsageError for a block size below 1.
  explicit BlockCirculantSet(std::int64_t block);

  torch::Tensor project(const torch::Tensor& w) const override;
  std::string text() const override;

 private:
  std::int64_t block_;
};

}  // namespace ernn
