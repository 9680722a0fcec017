#include "train/admm_stage.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "admm/fixed_point_grid.h"
#include "base/error.h"
#include "export/quantise.h"
#include "train/qat_stage.h"

namespace ernn {

ModelOptions AdmmStage::network(const ModelOptions& start) const {
  return is_fixed_point() ? result(start) : with_blocks(result(start), BlockSizes{}, 1);
}

ModelOptions AdmmStage::result(const ModelOptions& start) const {
  if (is_sparse()) return sparse_network(start, stage());
  if (is_fixed_point()) return fixed_point_network(start, stage());
  ModelOptions target = with_stage_blocks(start, stage());
  for (const auto& shape : matrix_shapes(target)) {
    if (shape.block > 1) return target;
  }
  throw UsageError(fmt::format(
      "stage '{}': no matrix has a block size above 1; set block in a stage of type admm",
      stage().name));
}

void AdmmStage::prepare(const AcousticModel& model, const ModelOptions& start,
                        long long total_steps) {
  target_ = result(start);
  if (is_sparse()) sparse_ = sparse_matrices(model, stage());
  if (is_fixed_point()) {
    for (const FloatLayer& layer : float_network(model).layers) {
      for (const FloatMatrix& matrix : layer.matrices)
        grids_.push_back(weight_format(matrix, stage().quantisation));
    }
  }
  AdmmOptions options = stage().admm;
  if (options.rho_updates == 0)
    options.rho_updates = std::max<long long>(1, total_steps / options.update_interval);
  solver_ = std::make_unique<AdmmSolver>(constrained_matrices(model), options);
}

std::vector<ConstrainedMatrix> AdmmStage::constrained_matrices(const AcousticModel& model) const {
  std::vector<ConstrainedMatrix> constrained;
  for (const auto& matrix : sparse_) {
    constrained.push_back(
        {matrix.name, matrix.weight,
         std::make_shared<BalancedSparseSet>(matrix.kept, stage().sparsity.elements)});
  }
  const auto shapes = matrix_shapes(target_);
  const auto matrices = model->matrices();
  for (std::size_t i = 0; i < grids_.size(); ++i) {
    constrained.push_back(
        {shapes[i].name, matrices[i].weight,
         std::make_shared<FixedPointGridSet>(grids_[i].width, grids_[i].integer)});
  }
  for (std::size_t i = 0; i < shapes.size() && grids_.empty(); ++i) {
    if (shapes[i].block == 1) continue;
    constrained.push_back(
        {shapes[i].name, matrices[i].weight, std::make_shared<BlockCirculantSet>(shapes[i].block)});
  }
  return constrained;
}

void AdmmStage::before_step() {
  solver_->add_penalty_gradients();
}

void AdmmStage::after_step(double learning_rate) {
  solver_->after_step(learning_rate);
}

void AdmmStage::end_of_epoch(EpochRecord& record) {
  for (const auto& residual : solver_->residuals()) {
    record.admm.push_back(
        {residual.name, residual.rho, residual.primal, residual.dual, residual.distance});
  }
}

bool AdmmStage::converged() const {
  return solver_->converged();
}

AcousticModel AdmmStage::deployable(const AcousticModel& trained) const {
  AcousticModel result = convert_blocks(trained, target_);
  const torch::NoGradGuard no_gradient;
  const auto matrices = result->matrices();
  for (const auto& sparse : sparse_) {
    const BalancedSparseSet set(sparse.kept, stage().sparsity.elements);
    matrices[sparse.index].weight.copy_(set.project(matrices[sparse.index].weight));
  }
  for (std::size_t i = 0; i < grids_.size(); ++i) {
    const FixedPointGridSet set(grids_[i].width, grids_[i].integer);
    matrices[i].weight.copy_(set.project(matrices[i].weight));
  }
  return result;
}

ModelCost AdmmStage::cost(const AcousticModel& model) const {
  if (is_fixed_point()) {
    ModelCost cost = StageMethod::cost(model);
    const int real = std::exchange(cost.bits, 0);
    const auto shapes = matrix_shapes(model->options());
    for (std::size_t i = 0; i < grids_.size(); ++i) {
      cost.bits = std::max(cost.bits, grids_[i].width);
      cost.stored_bits += shapes[i].stored() * (grids_[i].width - real);
    }
    return cost;
  }
  if (!is_sparse()) return StageMethod::cost(model);
  std::vector<torch::Tensor> masks;
  for (const auto& sparse : sparse_) masks.push_back(model->matrices()[sparse.index].weight != 0);
  return sparse_cost(StageMethod::cost(model), masks, stage().sparsity);
}

void AdmmStage::save(TensorFile& file, const std::string& prefix) const {
  solver_->save(file, prefix);
}

void AdmmStage::load(const TensorFile& file, const std::string& prefix, const std::string& path) {
  solver_->load(file, prefix, path);
}

}  // namespace ernn
