#include "explore/sensitivity.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/utils.h>

#include <algorithm>
#include <utility>

#include "models/circulant.h"
#include "train/batches.h"
#include "train/losses.h"

namespace ernn {

namespace {

constexpr int kLargestBlock = 64;

/// W - P_k(W), F64.
torch::Tensor projection_error(const torch::Tensor& weight, int k) {
  const torch::Tensor w = weight.detach().to(torch::kDouble);
  if (k == 1) return torch::zeros_like(w);
  return w - dense_from_circulant(circulant_from_dense(w, k), w.size(0), w.size(1));
}

/// The batch with labels drawn from the model's outputs in place of the true ones.
Batch with_drawn_labels(Batch batch, const torch::Tensor& logits, const at::Generator& generator) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor chances = torch::softmax(logits.detach().flatten(0, 1), -1);
  const torch::Tensor drawn = torch::multinomial(chances, 1, /*replacement=*/true, generator);
  batch.targets =
      torch::where(batch.targets >= 0, drawn.view(batch.targets.sizes()), batch.targets);
  return batch;
}

/// Batches of the training split in a random order, at most as many as asked for.
std::vector<std::vector<std::size_t>> pick_batches(const TrainingData& data, Criterion criterion,
                                                   const SensitivityOptions& options) {
  const bool single = criterion == Criterion::ctc;
  const auto plan = plan_batches(data.train, single ? 1 : options.batch);
  const std::size_t wanted = static_cast<std::size_t>(options.batches) *
                             static_cast<std::size_t>(single ? options.batch : 1);
  std::vector<std::vector<std::size_t>> picked;
  for (const std::size_t index : batch_order(plan.size(), options.seed, 0)) {
    if (picked.size() < wanted) picked.push_back(plan[index]);
  }
  return picked;
}

}  // namespace

SquaredGradients::SquaredGradients(const std::vector<NamedMatrix>& matrices) {
  for (const NamedMatrix& matrix : matrices) {
    weights_.push_back(matrix.weight);
    sums_.push_back(torch::zeros_like(matrix.weight.detach(), torch::kDouble));
  }
}

void SquaredGradients::add() {
  for (std::size_t m = 0; m < weights_.size(); ++m) {
    torch::Tensor& gradient = weights_[m].mutable_grad();
    if (!gradient.defined()) continue;
    sums_[m] += gradient.detach().to(torch::kDouble).square();
    gradient = torch::Tensor();
  }
}

std::vector<torch::Tensor> SquaredGradients::mean(long long count) const {
  std::vector<torch::Tensor> means;
  means.reserve(sums_.size());
  for (const torch::Tensor& sum : sums_) means.push_back(sum / static_cast<double>(count));
  return means;
}

Curvature estimate_curvature(const AcousticModel& model, const TrainingData& data,
                             const ModelContext& context, const SensitivityOptions& options) {
  const bool training = model->is_training();
  AcousticModel(model)->eval();
  const at::Generator generator = at::detail::createCPUGenerator(options.seed);
  SquaredGradients squares(model->matrices());
  Curvature curvature;
  for (const auto& members : pick_batches(data, context.criterion, options)) {
    const Batch batch = make_batch(data.train, members, context.label_delay);
    const torch::Tensor logits = model->forward(batch.features, batch.lengths);
    const LossSum loss = context.criterion == Criterion::frame
                             ? frame_loss(logits, with_drawn_labels(batch, logits, generator), 0)
                             : ctc_loss(logits, batch);
    loss.sum.backward();
    squares.add();
    curvature.count += loss.count;
    ++curvature.batches;
  }
  AcousticModel(model)->zero_grad();
  AcousticModel(model)->train(training);
  curvature.by_matrix = squares.mean(std::max(1LL, curvature.count));
  return curvature;
}

double predicted_increase(const torch::Tensor& weight, const torch::Tensor& curvature, int k) {
  return 0.5 * (curvature * projection_error(weight, k).square()).sum().item<double>();
}

SensitivityTable measure_sensitivity(const AcousticModel& model, const TrainingData& data,
                                     const ModelContext& context,
                                     const SensitivityOptions& options) {
  const Curvature curvature = estimate_curvature(model, data, context, options);
  SensitivityTable table;
  table.curvature = context.criterion == Criterion::frame ? "fisher" : "squared_gradients";
  table.batches = curvature.batches;
  table.count = curvature.count;
  const std::vector<NamedMatrix> matrices = model->matrices();
  for (std::size_t m = 0; m < matrices.size(); ++m) {
    const torch::Tensor& weight = matrices[m].weight;
    MatrixSensitivity& one = table.matrices.emplace_back();
    one.matrix = matrices[m].shape.name;
    const double norm = weight.detach().to(torch::kDouble).norm().item<double>();
    for (int k = 1; k <= kLargestBlock; k *= 2) {
      one.sizes.push_back(k);
      one.loss.push_back(predicted_increase(weight, curvature.by_matrix[m], k));
      one.distance.push_back(projection_error(weight, k).norm().item<double>() /
                             std::max(norm, 1e-300));
    }
  }
  return table;
}

}  // namespace ernn
