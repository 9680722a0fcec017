#include "explore/sensitivity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>

#include "models/circulant.h"
#include "tests/train/toy.h"

namespace ernn {
namespace {

/// An output layer alone: logits = W x + b.
AcousticModel linear_model(int inputs, int outputs, unsigned seed) {
  ModelOptions options;
  options.inputs = inputs;
  options.outputs = outputs;
  AcousticModel model(options);
  model->initialise(seed);
  return model;
}

torch::Tensor weight_of(const AcousticModel& model) {
  return model->matrices().at(0).weight;
}

AcousticModel with_projected(const AcousticModel& model, std::size_t matrix, int k) {
  AcousticModel changed = convert_blocks(model, model->options());
  const torch::NoGradGuard no_grad;
  NamedMatrix one = changed->matrices().at(matrix);
  one.matrix->assign(
      dense_from_circulant(circulant_from_dense(one.weight, k), one.shape.rows, one.shape.cols));
  return changed;
}

ModelContext context_of_toy() {
  ModelContext context;
  context.phones = PhoneInventory::timit39;
  return context;
}

/// Squared error, inputs orthogonal over the frames, the minimum at W: the Hessian is diagonal and
/// the loss quadratic, so that the prediction is the rise itself.
TEST(Sensitivity, IsExactForAQuadraticLossWithDiagonalCurvature) {
  const AcousticModel model = linear_model(4, 8, 11);
  const torch::Tensor x = torch::tensor({{1.F, 2.F, .5F, 3.F},
                                         {1.F, -2.F, .5F, -3.F},
                                         {1.F, 2.F, -.5F, -3.F},
                                         {1.F, -2.F, -.5F, 3.F}});
  const torch::Tensor length = torch::tensor({1}, torch::kInt64);
  SquaredGradients squares(model->matrices());
  for (int64_t t = 0; t < x.size(0); ++t) {
    // Residuals of unit variance: gradients of the squared error with a drawn target.
    const torch::Tensor signs = torch::tensor({1.F, -1.F, -1.F, 1.F, 1.F, 1.F, -1.F, 1.F});
    const torch::Tensor y = model->forward(x[t].view({1, 1, 4}), length);
    (y.flatten() * signs).sum().backward();
    squares.add();
  }
  const torch::Tensor curvature = squares.mean(x.size(0)).at(0);
  for (const int k : {2, 4, 8}) {
    const AcousticModel projected = with_projected(model, 0, k);
    const torch::NoGradGuard no_grad;
    const torch::Tensor change = torch::matmul(x, (weight_of(projected) - weight_of(model)).t());
    const double rise = 0.5 * change.square().sum(1).mean().item<double>();
    EXPECT_GT(rise, 1e-3);
    EXPECT_NEAR(predicted_increase(weight_of(model), curvature, k), rise, 1e-5 * rise) << k;
  }
}

TEST(Sensitivity, IsZeroForAMatrixThatIsCirculantAlready) {
  const AcousticModel model = with_projected(linear_model(8, 12, 3), 0, 4);
  const torch::Tensor curvature = torch::rand({12, 8}, torch::kDouble) + 0.5;
  EXPECT_NEAR(predicted_increase(weight_of(model), curvature, 4), 0, 1e-12);
  EXPECT_EQ(predicted_increase(weight_of(model), curvature, 1), 0);
  EXPECT_GT(predicted_increase(weight_of(model), curvature, 8), 1e-3);
}

/// Softmax outputs of one matrix have F_ij = mean_t p_ti (1 - p_ti) x_tj^2.
TEST(Sensitivity, CurvatureIsTheFisherDiagonalOfASoftmax) {
  const TrainingData data = toy::data();
  const int classes = data.classes;
  const AcousticModel model = linear_model(toy::kDims, classes, 5);
  torch::Tensor exact = torch::zeros({classes, toy::kDims}, torch::kDouble);
  long long frames = 0;
  for (std::size_t u = 0; u < data.train.size(); ++u) {
    const UtteranceFrames own = data.train.read(u);
    const torch::NoGradGuard no_grad;
    const torch::Tensor x = torch::tensor(own.features.data).view({own.features.rows, toy::kDims});
    const torch::Tensor p = torch::softmax(
        torch::matmul(x, weight_of(model).t()) + model->named_parameters()["output.bias"], 1);
    exact += torch::matmul((p * (1 - p)).t(), x.square()).to(torch::kDouble);
    frames += own.features.rows;
  }
  exact /= static_cast<double>(frames);
  torch::Tensor mean = torch::zeros_like(exact);
  constexpr int kSeeds = 40;
  for (int seed = 0; seed < kSeeds; ++seed) {
    SensitivityOptions options;
    options.batches = 100;
    options.batch = 2;
    options.seed = static_cast<std::uint64_t>(seed);
    const Curvature one = estimate_curvature(model, data, context_of_toy(), options);
    EXPECT_EQ(one.count, frames);
    mean += one.by_matrix.at(0) / kSeeds;
  }
  // 480 draws of a square of nearly normal numbers: each entry within 6.5 % (one sigma).
  EXPECT_NEAR((mean.sum() / exact.sum()).item<double>(), 1, 0.03);
  EXPECT_LT(((mean - exact).abs() / exact).max().item<double>(), 0.35);
}

/// Mean Kullback-Leibler divergence of the outputs, nats a frame: what the loss rises by when the
/// labels are the model's own.
double divergence(const AcousticModel& from, const AcousticModel& to, const TrainingData& data) {
  const torch::NoGradGuard no_grad;
  double sum = 0;
  long long frames = 0;
  for (std::size_t u = 0; u < data.train.size(); ++u) {
    const UtteranceFrames own = data.train.read(u);
    const torch::Tensor x =
        torch::tensor(own.features.data).view({own.features.rows, 1, toy::kDims});
    const torch::Tensor length = torch::tensor({own.features.rows}, torch::kInt64);
    const torch::Tensor p = torch::log_softmax(from->forward(x, length), -1);
    const torch::Tensor q = torch::log_softmax(to->forward(x, length), -1);
    sum += (p.exp() * (p - q)).sum().item<double>();
    frames += own.features.rows;
  }
  return sum / static_cast<double>(frames);
}

TEST(Sensitivity, RanksMatricesAndBlockSizesOfARecurrentNetwork) {
  const TrainingData data = toy::data();
  ModelOptions options;
  options.inputs = toy::kDims;
  options.outputs = data.classes;
  LayerOptions lstm;
  lstm.size = 16;
  lstm.projection = 8;
  options.layers = {lstm};
  AcousticModel model(options);
  model->initialise(9);
  model->eval();
  {
    // Matrices that matter to different degrees, all near circulant ones.
    const torch::NoGradGuard no_grad;
    const std::vector<double> near = {0.1, 0.4, 0.2, 0.3};
    const auto matrices = model->matrices();
    for (std::size_t m = 0; m < matrices.size(); ++m) {
      const torch::Tensor w = matrices[m].weight;
      const torch::Tensor c =
          dense_from_circulant(circulant_from_dense(w, 8), w.size(0), w.size(1));
      w.copy_(2 * (c + near[m] * (w - c)));
    }
  }
  SensitivityOptions sensitivity;
  sensitivity.batches = 100;
  sensitivity.batch = 1;
  const SensitivityTable table = measure_sensitivity(model, data, context_of_toy(), sensitivity);
  ASSERT_EQ(table.matrices.size(), 4U);
  EXPECT_EQ(table.curvature, "fisher");
  std::vector<std::pair<double, double>> cases;  // predicted, real
  for (std::size_t m = 0; m < table.matrices.size(); ++m) {
    const MatrixSensitivity& one = table.matrices[m];
    EXPECT_THAT(one.sizes, testing::ElementsAre(1, 2, 4, 8, 16, 32, 64));
    for (const std::size_t s : {1U, 2U, 3U}) {
      const double real = divergence(model, with_projected(model, m, one.sizes[s]), data);
      cases.emplace_back(one.loss[s], real);
      RecordProperty(one.matrix + "." + std::to_string(one.sizes[s]),
                     std::to_string(one.loss[s]) + " " + std::to_string(real));
    }
  }
  int compared = 0;
  for (const auto& [predicted, real] : cases) {
    for (const auto& [other_predicted, other_real] : cases) {
      if (real < 3 * other_real) continue;
      ++compared;
      EXPECT_GT(predicted, other_predicted) << real << " against " << other_real;
    }
  }
  EXPECT_GT(compared, 10);
}

TEST(Sensitivity, WorksWithCtcAndLeavesTheModelAsItWas) {
  const TrainingData data = toy::data();
  AcousticModel model = linear_model(toy::kDims, data.classes + 1, 5);
  model->train();
  ModelContext context = context_of_toy();
  context.criterion = Criterion::ctc;
  SensitivityOptions options;
  options.batches = 2;
  options.batch = 3;
  const SensitivityTable table = measure_sensitivity(model, data, context, options);
  EXPECT_EQ(table.batches, 6);
  EXPECT_EQ(table.curvature, "squared_gradients");
  EXPECT_GT(table.matrices.at(0).loss.at(2), 0);
  EXPECT_TRUE(model->is_training());
  for (const auto& parameter : model->parameters())
    EXPECT_FALSE(parameter.grad().defined() && parameter.grad().any().item<bool>());
}

}  // namespace
}  // namespace ernn
