// The stage that pulls dense matrices onto the block-circulant set.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "admm/solver.h"
#include "export/format.h"
#include "train/sparse_matrices.h"
#include "train/stage_method.h"

namespace ernn {

/// Trains a dense network under ADMM's penalty (admm/solver.h) on every matrix whose block size is
/// above 1. What it hands on is the network with those matrices projected, in the circulant
/// parametrisation: its error rate is that of "ADMM, projected", not of the dense iterate. With the
/// constraint balanced_sparse the set is that of train/sparse_matrices.h, and what it hands on is a
/// dense network with zeros; with fixed_point the network keeps its blocks, and what it hands on
/// has weights that the exporter's formats of `quantisation` hold as they are.
class AdmmStage : public StageMethod {
 public:
  using StageMethod::StageMethod;

  ModelOptions network(const ModelOptions& start) const override;
  ModelOptions result(const ModelOptions& start) const override;
  void prepare(const AcousticModel& model, const ModelOptions& start,
               long long total_steps) override;
  void before_step() override;
  void after_step(double learning_rate) override;
  void end_of_epoch(EpochRecord& record) override;
  bool converged() const override;
  bool keeps_best() const override { return false; }
  bool may_be_averaged() const override { return false; }
  AcousticModel deployable(const AcousticModel& trained) const override;
  bool projects() const override { return true; }
  ModelCost cost(const AcousticModel& model) const override;
  void save(TensorFile& file, const std::string& prefix) const override;
  void load(const TensorFile& file, const std::string& prefix, const std::string& path) override;

 private:
  bool is_sparse() const { return stage().constraint == ConstraintKind::balanced_sparse; }
  bool is_fixed_point() const { return stage().constraint == ConstraintKind::fixed_point; }
  std::vector<ConstrainedMatrix> constrained_matrices(const AcousticModel& model) const;

  ModelOptions target_;               ///< with the block sizes of the sets
  std::vector<SparseMatrix> sparse_;  ///< constraint balanced_sparse
  std::vector<Format> grids_;         ///< constraint fixed_point: of each matrix
  std::unique_ptr<AdmmSolver> solver_;
};

}  // namespace ernn
