#include "train/sparse_matrices.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace ernn {

namespace {

std::int64_t kept_of(const torch::Tensor& weight, const MatrixShape& circulant,
                     const StageOptions& stage) {
  const SparsityOptions& sparsity = stage.sparsity;
  if (sparsity.density > 0)
    return kept_at(sparsity.density, weight.size(0), weight.size(1), sparsity.elements);
  const int entry_bits = sparsity.budget_bits + sparsity.index_bits;
  return kept_within(weight, sparsity.elements, sparsity.index_bits, entry_bits,
                     circulant.stored() * sparsity.budget_bits,
                     fmt::format("stage '{}': {}", stage.name, circulant.name));
}

}  // namespace

ModelOptions sparse_network(const ModelOptions& start, const StageOptions& stage) {
  bool blocks = false;
  for (const auto& shape : matrix_shapes(start)) {
    if (shape.block == 1) continue;
    throw UsageError(
        fmt::format("stage '{}': {} is circulant with k = {}, expected a dense model to make "
                    "sparse; set from",
                    stage.name, shape.name, shape.block));
  }
  for (const auto& shape : matrix_shapes(with_stage_blocks(start, stage)))
    blocks = blocks || shape.block > 1;
  if (blocks || stage.sparsity.density > 0) return start;
  throw UsageError(
      fmt::format("stage '{}': found neither sparsity.density nor a block size above 1, expected "
                  "one that says how much of the matrices stays",
                  stage.name));
}

std::vector<SparseMatrix> sparse_matrices(const AcousticModel& model, const StageOptions& stage) {
  const auto circulant = matrix_shapes(with_stage_blocks(model->options(), stage));
  const auto matrices = model->matrices();
  std::vector<SparseMatrix> result;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const bool wanted =
        stage.sparsity.density > 0 ? i + 1 < matrices.size() : circulant[i].block > 1;
    if (!wanted) continue;
    const torch::Tensor weight = matrices[i].weight;
    const std::int64_t kept = std::min(kept_of(weight.detach(), circulant[i], stage),
                                       largest_element(weight.detach(), stage.sparsity.elements));
    result.push_back({circulant[i].name, i, weight, kept});
  }
  return result;
}

ModelCost sparse_cost(const ModelCost& dense, const std::vector<torch::Tensor>& masks,
                      const SparsityOptions& sparsity) {
  ModelCost cost = dense;
  std::int64_t others = dense.parameters;
  std::int64_t stored = 0;
  for (const auto& mask : masks) {
    const std::int64_t entries = stored_entries(mask, sparsity.elements, sparsity.index_bits);
    others -= mask.numel();
    stored += entries;
    cost.parameters += mask.sum().item<std::int64_t>() - mask.numel();
    cost.multiplications += entries - mask.numel();
  }
  cost.stored_bits = others * dense.bits + stored * (dense.bits + sparsity.index_bits);
  return cost;
}

std::int64_t largest_element(const torch::Tensor& w, std::int64_t elements) {
  const torch::Tensor rows = (w != 0).sum(1);
  std::int64_t largest = 1;
  for (std::int64_t e = 0; e < std::min(elements, w.size(0)); ++e) {
    largest = std::max(largest, rows.slice(0, e, w.size(0), elements).sum().item<std::int64_t>());
  }
  return largest;
}

}  // namespace ernn
