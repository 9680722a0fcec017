#include "admm/constraint_set.h"

#include <fmt/format.h>

#include "base/error.h"
#include "models/circulant.h"

namespace ernn {

BlockCirculantSet::BlockCirculantSet(std::int64_t block) : block_(block) {
  if (block < 1) throw UsageError(fmt::format("block size {} is not positive", block));
}

torch::Tensor BlockCirculantSet::project(const torch::Tensor& w) const {
  if (block_ == 1) return w.clone();
  return dense_from_circulant(circulant_from_dense(w, block_), w.size(0), w.size(1));
}

std::string BlockCirculantSet::text() const {
  return fmt::format("block-circulant, k = {}", block_);
}

}  // namespace ernn
