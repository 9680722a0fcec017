#include "admm/balanced_sparse.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ernn {

using torch::Tensor;

namespace {

/// w [rows, cols] by processing element: [elements, cols x rows of an element], in the order in
/// which an element reads them. The last rows are filled up with `filling`.
Tensor by_element(const Tensor& w, std::int64_t elements, double filling) {
  const std::int64_t missing = (elements - w.size(0) % elements) % elements;
  const Tensor full = torch::constant_pad_nd(w, {0, 0, 0, missing}, filling);
  return full.view({-1, elements, w.size(1)}).permute({1, 2, 0}).reshape({elements, -1});
}

/// The inverse of by_element.
Tensor by_row(const Tensor& x, std::int64_t rows, std::int64_t cols) {
  const std::int64_t elements = x.size(0);
  return x.view({elements, cols, -1}).permute({2, 0, 1}).reshape({-1, cols}).narrow(0, 0, rows);
}

std::int64_t rows_of_largest(const Tensor& w, std::int64_t elements) {
  return (w.size(0) + elements - 1) / elements;
}

}  // namespace

BalancedSparseSet::BalancedSparseSet(std::int64_t kept, std::int64_t elements)
    : kept_(kept), elements_(elements) {
  if (kept < 1 || elements < 1) {
    throw UsageError(
        fmt::format("{} entries kept in each of {} processing elements: expected at "
                    "least 1 of both",
                    kept, elements));
  }
}

Tensor BalancedSparseSet::mask(const Tensor& w) const {
  const torch::NoGradGuard no_gradient;
  const Tensor sizes = by_element(w.abs(), elements_, -1);
  const std::int64_t count = std::min(kept_, sizes.size(1));
  const Tensor chosen = std::get<1>(sizes.topk(count, 1, /*largest=*/true, /*sorted=*/false));
  const Tensor kept = torch::zeros_like(sizes, torch::kBool).scatter_(1, chosen, true);
  return by_row(kept, w.size(0), w.size(1)).contiguous();
}

Tensor BalancedSparseSet::project(const Tensor& w) const {
  return w * mask(w);
}

std::string BalancedSparseSet::text() const {
  return fmt::format("balanced sparse, {} entries in each of {} processing elements", kept_,
                     elements_);
}

std::int64_t kept_at(double density, std::int64_t rows, std::int64_t cols, std::int64_t elements) {
  const double wanted = density * static_cast<double>(rows * cols);
  double kept = wanted / static_cast<double>(elements);
  // The rows that are left over when all elements have as many go to the first elements.
  const std::int64_t longer = rows % elements;
  const std::int64_t all_of_shorter = rows / elements * cols;
  if (longer > 0 && kept > static_cast<double>(all_of_shorter)) {
    const std::int64_t of_shorter = (elements - longer) * all_of_shorter;
    kept = (wanted - static_cast<double>(of_shorter)) / static_cast<double>(longer);
  }
  return std::max<std::int64_t>(1, std::llround(kept));
}

std::int64_t stored_entries(const Tensor& mask, std::int64_t elements, int index_bits) {
  const std::int64_t reach = std::int64_t{1} << index_bits;
  // Filled-up rows are not there: an element without its last row is read without it.
  const Tensor kept = by_element(mask.to(torch::kCPU, torch::kUInt8), elements, 0).contiguous();
  const Tensor there =
      by_element(torch::ones_like(mask, torch::kUInt8).cpu(), elements, 0).contiguous();
  const auto* entry = kept.data_ptr<std::uint8_t>();
  const auto* exists = there.data_ptr<std::uint8_t>();
  std::int64_t stored = 0;
  for (std::int64_t e = 0; e < elements; ++e) {
    std::int64_t zeros = 0;
    for (std::int64_t i = 0; i < kept.size(1); ++i, ++entry, ++exists) {
      if (*exists == 0) continue;
      if (*entry == 0) {
        ++zeros;
        continue;
      }
      stored += 1 + zeros / reach;
      zeros = 0;
    }
  }
  return stored;
}

std::int64_t kept_within(const Tensor& w, std::int64_t elements, int index_bits, int entry_bits,
                         std::int64_t bits, const std::string& what) {
  const auto fits = [&](std::int64_t kept) {
    const Tensor mask = BalancedSparseSet(kept, elements).mask(w);
    return stored_entries(mask, elements, index_bits) * entry_bits <= bits;
  };
  if (!fits(1)) {
    throw UsageError(
        fmt::format("{}: not one entry in each of {} processing elements fits into {} bits with "
                    "index_bits {}; set sparsity.index_bits higher or sparsity.elements lower",
                    what, elements, bits, index_bits));
  }
  std::int64_t low = 1;
  std::int64_t high = rows_of_largest(w, elements) * w.size(1) + 1;
  while (high - low > 1) {
    const std::int64_t middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace ernn
