// Balanced sparse matrices, ESE's: what is kept of a matrix, and what storing it takes.
//
// Row r belongs to processing element r mod `elements`. An element's entries are read column by
// column, within a column from its first row to its last.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

#include "admm/constraint_set.h"

namespace ernn {

/// Matrices with at most `kept` entries other than zero in the rows of each processing element.
class BalancedSparseSet : public ConstraintSet {
 public:
  /// Throws UsageError for numbers below 1.
  BalancedSparseSet(std::int64_t kept, std::int64_t elements);

  /// Which entries of w stay, as a boolean [rows, cols]: in each element `kept` of the largest
  /// magnitude, or all where it has fewer.
  torch::Tensor mask(const torch::Tensor& w) const;
  /// w where the mask is, 0 elsewhere: the nearest member, since what is lost is the sum of squares
  /// of what is taken away.
  torch::Tensor project(const torch::Tensor& w) const override;
  std::string text() const override;

 private:
  std::int64_t kept_;
  std::int64_t elements_;
};

/// The number that each element keeps so that `density` of a matrix of `rows` x `cols` is kept, up
/// to rounding and at least 1. Elements whose rows have fewer entries keep all of them, those
/// without rows none, and the others that much more.
std::int64_t kept_at(double density, std::int64_t rows, std::int64_t cols, std::int64_t elements);

/// Entries that are stored for a matrix whose `mask` [rows, cols] says which are kept: those, and
/// the zeros between them. An entry carries the number of zeros before it in its element, at most
/// 2^index_bits - 1; where there are more, a zero is stored as an entry. The count of zeros runs on
/// from column to column, so that nothing else has to be stored.
std::int64_t stored_entries(const torch::Tensor& mask, std::int64_t elements, int index_bits);

/// The largest number of entries an element can keep of `w` so that what is stored of them, each in
/// `entry_bits`, is not more than `bits`. Throws UsageError beginning with `what` when not even one
/// fits.
std::int64_t kept_within(const torch::Tensor& w, std::int64_t elements, int index_bits,
                         int entry_bits, std::int64_t bits, const std::string& what);

}  // namespace ernn
