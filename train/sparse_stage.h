// Gradual balanced pruning: ESE's way to a small network, a baseline.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/sparse_matrices.h"
#include "train/stage_method.h"

namespace ernn {

/// Takes entries away while it trains a dense network. During the first `ramp` of the steps the
/// entries that each processing element keeps fall with the cube of what is left of the ramp (Zhu
/// and Gupta 2017, equation 1) from what the start has to the target; then the pattern stays and
/// the rest is trained on. Behind an ADMM stage of constraint balanced_sparse the pattern is there
/// from the start.
class BalancedSparseStage : public StageMethod {
 public:
  using StageMethod::StageMethod;

  ModelOptions network(const ModelOptions& start) const override;
  void prepare(const AcousticModel& model, const ModelOptions& start,
               long long total_steps) override;
  void after_step(double learning_rate) override;
  bool may_be_averaged() const override { return false; }
  bool settled() const override { return steps_ >= ramp_steps_; }
  AcousticModel deployable(const AcousticModel& trained) const override;
  bool projects() const override { return stage().sparsity.weight_bits > 0; }
  ModelCost cost(const AcousticModel& model) const override;
  void save(TensorFile& file, const std::string& prefix) const override;
  void load(const TensorFile& file, const std::string& prefix, const std::string& path) override;

 private:
  struct Pruned {
    SparseMatrix matrix;
    std::int64_t start = 0;  ///< entries of an element before the first step
    torch::Tensor mask;
  };

  void choose(Pruned& pruned) const;

  std::vector<Pruned> pruned_;
  long long ramp_steps_ = 0;
  long long steps_ = 0;
};

/// The weight rounded to the grid of the format of `bits` that holds its largest entry.
torch::Tensor rounded(const torch::Tensor& weight, int bits);

}  // namespace ernn
