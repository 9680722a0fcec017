// Which matrices of a network a stage makes balanced sparse, and how much of them stays.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "admm/balanced_sparse.h"
#include "models/acoustic_model.h"
#include "train/run_config.h"
#include "train/stage_method.h"

namespace ernn {

struct SparseMatrix {
  std::string name;
  std::size_t index = 0;  ///< in matrices()
  torch::Tensor weight;   ///< the parameter itself, [rows, cols]
  std::int64_t kept = 0;  ///< entries of each processing element
};

/// The network with dense matrices that a stage makes sparse. Throws UsageError when `start` has
/// circulant matrices, or the stage names neither a density nor blocks.
ModelOptions sparse_network(const ModelOptions& start, const StageOptions& stage);

/// With a density every matrix but the output layer's; without one those to which the stage gives a
/// block size above 1, with as many entries as fit into the bits of its circulant blocks. A matrix
/// that is sparse already keeps no more entries than it has. Throws UsageError (kept_within()).
std::vector<SparseMatrix> sparse_matrices(const AcousticModel& model, const StageOptions& stage);

/// Cost of a model from that of its dense matrices, `dense`, when only the entries of `masks` are
/// kept. An entry is stored in dense.bits + index_bits, and multiplied, zeros between entries
/// included.
ModelCost sparse_cost(const ModelCost& dense, const std::vector<torch::Tensor>& masks,
                      const SparsityOptions& sparsity);

/// The most entries other than zero that a processing element has in w.
std::int64_t largest_element(const torch::Tensor& w, std::int64_t elements);

}  // namespace ernn
