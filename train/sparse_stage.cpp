#include "train/sparse_stage.h"

#include <torch/utils.h>

#include <cmath>

#include "base/error.h"
#include "export/format.h"
#include "models/torch_tensors.h"

namespace ernn {

ModelOptions BalancedSparseStage::network(const ModelOptions& start) const {
  return sparse_network(start, stage());
}

void BalancedSparseStage::prepare(const AcousticModel& model, const ModelOptions& /*start*/,
                                  long long total_steps) {
  ramp_steps_ = std::llround(stage().sparsity.ramp * static_cast<double>(total_steps));
  const torch::NoGradGuard no_gradient;
  bool surplus = false;
  for (const auto& matrix : sparse_matrices(model, stage())) {
    const std::int64_t start = largest_element(matrix.weight, stage().sparsity.elements);
    pruned_.push_back({matrix, start, {}});
    surplus = surplus || start > matrix.kept;
  }
  if (!surplus) ramp_steps_ = 0;
  for (auto& pruned : pruned_) choose(pruned);
}

void BalancedSparseStage::choose(Pruned& pruned) const {
  const double left =
      settled() ? 0 : 1 - static_cast<double>(steps_) / static_cast<double>(ramp_steps_);
  const std::int64_t surplus = pruned.start - pruned.matrix.kept;
  const std::int64_t kept =
      pruned.matrix.kept + std::llround(static_cast<double>(surplus) * left * left * left);
  pruned.mask = BalancedSparseSet(kept, stage().sparsity.elements).mask(pruned.matrix.weight);
  pruned.matrix.weight.mul_(pruned.mask);
}

void BalancedSparseStage::after_step(double /*learning_rate*/) {
  const torch::NoGradGuard no_gradient;
  ++steps_;
  const bool due =
      steps_ < ramp_steps_ ? steps_ % stage().sparsity.update_interval == 0 : steps_ == ramp_steps_;
  for (auto& pruned : pruned_) {
    if (due) {
      choose(pruned);
    } else {
      pruned.matrix.weight.mul_(pruned.mask);
    }
  }
}

AcousticModel BalancedSparseStage::deployable(const AcousticModel& trained) const {
  if (!projects()) return trained;
  const torch::NoGradGuard no_gradient;
  AcousticModel result = convert_blocks(trained, trained->options());
  for (auto& matrix : result->matrices())
    matrix.weight.copy_(rounded(matrix.weight, stage().sparsity.weight_bits));
  return result;
}

ModelCost BalancedSparseStage::cost(const AcousticModel& model) const {
  ModelCost cost = StageMethod::cost(model);
  if (projects()) cost.bits = stage().sparsity.weight_bits;
  std::vector<torch::Tensor> masks;
  for (const auto& pruned : pruned_) masks.push_back(pruned.mask);
  return sparse_cost(cost, masks, stage().sparsity);
}

void BalancedSparseStage::save(TensorFile& file, const std::string& prefix) const {
  file.tensors[prefix + "steps"] =
      to_raw(torch::tensor({static_cast<std::int64_t>(steps_)}, torch::kLong));
  for (const auto& pruned : pruned_)
    file.tensors[prefix + pruned.matrix.name + ".mask"] = to_raw(pruned.mask.to(torch::kUInt8));
}

void BalancedSparseStage::load(const TensorFile& file, const std::string& prefix,
                               const std::string& path) {
  const auto read = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    const std::string full = prefix + name;
    return from_raw(file.get(full, shape, path), path + ": tensor '" + full + "'");
  };
  steps_ = read("steps", {1}).item<std::int64_t>();
  for (auto& pruned : pruned_) {
    pruned.mask = read(pruned.matrix.name + ".mask", pruned.mask.sizes().vec())
                      .to(pruned.mask.device(), torch::kBool);
  }
}

torch::Tensor rounded(const torch::Tensor& weight, int bits) {
  const Format format = format_for(bits, weight.abs().max().item<double>());
  const double scale = std::ldexp(1.0, format.fraction());
  return torch::floor(weight * scale + 0.5)
             .clamp(static_cast<double>(format.smallest()), static_cast<double>(format.largest())) /
         scale;
}

}  // namespace ernn
