#include "admm/solver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/optim.h>
#include <torch/utils.h>

#include "base/error.h"
#include "models/torch_tensors.h"
#include "tests/admm/circulant_basis.h"

namespace ernn {
namespace {

using testing::HasSubstr;
using torch::Tensor;

constexpr int64_t kRows = 8;
constexpr int64_t kCols = 6;  // not a multiple of the block size
constexpr int64_t kBlock = 4;

// Least squares, ||X W^T - Y||^2 / (2 n): convex, with a closed form on the circulant set.
struct LeastSquares {
  Tensor x, y;

  // noise 0: the minimum over all matrices is circulant.
  explicit LeastSquares(double noise) {
    torch::manual_seed(9);
    x = torch::randn({40, kCols}, torch::kDouble);
    const Tensor planted =
        BlockCirculantSet(kBlock).project(torch::randn({kRows, kCols}, torch::kDouble));
    y = x.mm(planted.t()) + noise * torch::randn({40, kRows}, torch::kDouble);
  }

  Tensor loss(const Tensor& w) const { return (x.mm(w.t()) - y).square().sum() / 80; }

  // The minimum over the circulant matrices, from the normal equations of their coordinates.
  Tensor circulant_minimum() const {
    const Tensor basis = circulant_basis(kRows, kCols, kBlock);
    std::vector<Tensor> columns;
    for (int64_t n = 0; n < basis.size(1); ++n)
      columns.push_back(x.mm(basis.select(1, n).view({kRows, kCols}).t()).view(-1));
    const Tensor design = torch::stack(columns, 1);
    const Tensor c = torch::linalg_solve(design.t().mm(design), design.t().mv(y.view(-1)));
    return basis.mv(c).view({kRows, kCols});
  }
};

Tensor start() {
  torch::manual_seed(10);
  return torch::randn({kRows, kCols}, torch::kDouble).requires_grad_();
}

ConstrainedMatrix constrained(const Tensor& w, const std::string& name = "w") {
  return {name, w, std::make_shared<BlockCirculantSet>(kBlock)};
}

double distance(const Tensor& a, const Tensor& b) {
  return (a - b).norm().item<double>();
}

AdmmOptions constant(double rho, Coupling coupling) {
  AdmmOptions options;
  options.rho = rho;
  options.schedule = RhoSchedule::constant;
  options.coupling = coupling;
  options.dual_step = 1;
  return options;
}

// Full-batch steps; the rate decays to `last` so that Adam settles.
void train(const LeastSquares& problem, const Tensor& w, torch::optim::Optimizer& optimiser,
           AdmmSolver& solver, int steps, double first, double last) {
  for (int step = 0; step < steps; ++step) {
    const double rate = first * std::pow(last / first, static_cast<double>(step) / steps);
    optimiser.param_groups()[0].options().set_lr(rate);
    optimiser.zero_grad();
    problem.loss(w).backward();
    solver.add_penalty_gradients();
    optimiser.step();
    solver.after_step(rate);
  }
}

class Couplings : public testing::TestWithParam<Coupling> {};
INSTANTIATE_TEST_SUITE_P(Both, Couplings, testing::Values(Coupling::gradient, Coupling::proximal),
                         [](const auto& info) {
                           return info.param == Coupling::gradient ? "gradient" : "proximal";
                         });

TEST_P(Couplings, SgdReachesTheConstrainedMinimum) {
  const LeastSquares problem(1.0);
  const Tensor w = start();
  AdmmSolver solver({constrained(w)}, constant(1, GetParam()));
  torch::optim::SGD optimiser({w}, 0.3);
  const Tensor expected = problem.circulant_minimum();
  ASSERT_GT(distance(BlockCirculantSet(kBlock).project(w.detach()), expected), 1);
  train(problem, w, optimiser, solver, 2000, 0.3, 0.3);
  const auto residual = solver.residuals()[0];
  EXPECT_LT(residual.primal, 1e-8);
  EXPECT_LT(residual.dual, 1e-8);
  EXPECT_LT(residual.change, 1e-8);
  EXPECT_LT(residual.distance, 1e-8);
  EXPECT_TRUE(solver.converged());
  EXPECT_LT(distance(w, expected), 1e-7);
}

TEST_P(Couplings, AdamRecoversAPlantedSolution) {
  const LeastSquares problem(0.0);
  const Tensor w = start();
  AdmmSolver solver({constrained(w)}, constant(1, GetParam()));
  torch::optim::Adam optimiser({w}, 0.05);
  train(problem, w, optimiser, solver, 3000, 0.05, 1e-5);
  EXPECT_LT(solver.residuals()[0].primal, 1e-4);
  EXPECT_LT(distance(w, problem.circulant_minimum()), 1e-3);
}

// What is left of W's first distance to the set, in its direction; negative beyond the set.
double farthest_swing(double dual_step) {
  const Tensor w = start();
  const Tensor first = w.detach() - BlockCirculantSet(kBlock).project(w.detach());
  AdmmOptions options = constant(1, Coupling::proximal);
  options.dual_step = dual_step;
  options.update_interval = 4;
  AdmmSolver solver({constrained(w)}, options);
  double lowest = 1;
  for (int step = 0; step < 8000; ++step) {
    solver.after_step(1e-3);
    const double left =
        (w.detach() * first).sum().item<double>() / first.square().sum().item<double>();
    lowest = std::min(lowest, left);
  }
  return lowest;
}

TEST(AdmmSolver, TheChosenDualStepDoesNotOvershoot) {
  EXPECT_LT(farthest_swing(1), -0.8);
  EXPECT_GT(farthest_swing(0), -0.2);
}

TEST(AdmmSolver, AdamWithPenaltyInItsGradientReachesTheConstrainedMinimum) {
  const LeastSquares problem(1.0);
  const Tensor w = start();
  AdmmSolver solver({constrained(w)}, constant(1, Coupling::gradient));
  torch::optim::Adam optimiser({w}, 0.05);
  train(problem, w, optimiser, solver, 4000, 0.05, 1e-5);
  EXPECT_LT(distance(w, problem.circulant_minimum()), 1e-3);
}

TEST_P(Couplings, EverySchedulePullsWOntoTheSet) {
  const LeastSquares problem(1.0);
  for (const auto schedule :
       {RhoSchedule::constant, RhoSchedule::geometric, RhoSchedule::residual_balancing}) {
    const Tensor w = start();
    AdmmOptions options = constant(0.05, GetParam());
    options.schedule = schedule;
    options.rho_final = 2;
    options.rho_updates = 60;
    AdmmSolver solver({constrained(w)}, options);
    torch::optim::SGD optimiser({w}, 0.3);
    const double before = solver.residuals()[0].distance;
    train(problem, w, optimiser, solver, 1500, 0.3, 0.3);
    EXPECT_GT(before, 0.5);
    EXPECT_LT(solver.residuals()[0].distance, schedule == RhoSchedule::constant ? 0.05 : 1e-4);
    if (schedule == RhoSchedule::geometric) {
      EXPECT_NEAR(solver.residuals()[0].rho, 2, 1e-12);
    }
    EXPECT_LE(solver.residuals()[0].rho, schedule == RhoSchedule::constant ? 0.05 : 2 + 1e-12);
  }
}

TEST(AdmmSolver, PenaltyGradientIsThatOfThePenalty) {
  const Tensor w = start();
  AdmmSolver solver({constrained(w)}, constant(0.7, Coupling::gradient));
  {
    const torch::NoGradGuard no_gradient;
    for (int step = 0; step < 10; ++step) {  // makes U other than zero
      w.add_(0.1);
      w.select(0, 1).mul_(1.1);
      solver.after_step(0.1);
    }
    w.select(1, 2).add_(0.5);
  }
  TensorFile state;
  solver.save(state, "");
  const Tensor z = from_raw(state.tensors.at("w.z"), "z");
  const Tensor u = from_raw(state.tensors.at("w.u"), "u");
  ASSERT_GT(u.norm().item<double>(), 0.1);
  const Tensor penalty = 0.35 * (w - z + u).square().sum();
  const Tensor expected = torch::autograd::grad({penalty}, {w})[0];
  w.mutable_grad() = torch::ones_like(w);
  solver.add_penalty_gradients();
  EXPECT_LT(distance(w.grad(), expected + 1), 1e-13);
}

TEST(AdmmSolver, ProximalMoveMinimisesThePenaltyPlusTheWay) {
  const Tensor w = start();
  AdmmSolver solver({constrained(w)}, constant(3, Coupling::proximal));
  const Tensor z = BlockCirculantSet(kBlock).project(w.detach());
  const Tensor from = w.detach().clone();
  w.mutable_grad() = torch::zeros_like(w);
  solver.add_penalty_gradients();
  EXPECT_EQ(w.grad().abs().sum().item<double>(), 0);
  solver.after_step(0.1);
  // gradient of (rho/2) ||w - z||^2 + ||w - from||^2 / (2 lr) at the new w
  EXPECT_LT((3 * (w - z) + (w - from) / 0.1).norm().item<double>(), 1e-12);
  EXPECT_GT(distance(w, from), 0.1);
}

struct Snapshot {
  double rho;
  Tensor u;
  explicit Snapshot(const AdmmSolver& solver) {
    TensorFile file;
    solver.save(file, "");
    u = from_raw(file.tensors.at("w.u"), "u");
    rho = from_raw(file.tensors.at("w.state"), "state")[0].item<double>();
  }
};

// A change of rho must not change rho U, the dual itself.
TEST(AdmmSolver, RhoChangesRescaleU) {
  AdmmOptions options = constant(2, Coupling::gradient);
  options.update_interval = 1;
  Tensor a = start();
  AdmmSolver unchanged({constrained(a)}, options);
  unchanged.after_step(0.1);
  const Snapshot expected(unchanged);

  options.schedule = RhoSchedule::geometric;
  options.rho_final = 200;
  options.rho_updates = 2;
  Tensor b = start();
  AdmmSolver grown({constrained(b)}, options);
  grown.after_step(0.1);
  const Snapshot growth(grown);
  EXPECT_NEAR(growth.rho, 20, 1e-12);
  EXPECT_LT(distance(growth.rho * growth.u, expected.rho * expected.u), 1e-12);

  options.schedule = RhoSchedule::residual_balancing;
  Tensor c = start();
  AdmmSolver balanced({constrained(c)}, options);
  balanced.after_step(0.1);  // Z has not moved, so the primal residual dominates
  const Snapshot balance(balanced);
  EXPECT_EQ(balance.rho, 4);
  EXPECT_LT(distance(balance.rho * balance.u, expected.rho * expected.u), 1e-12);
}

TEST(AdmmSolver, BalancingLowersRhoWhenTheDualResidualDominates) {
  AdmmOptions options = constant(2, Coupling::gradient);
  options.schedule = RhoSchedule::residual_balancing;
  options.update_interval = 1;
  Tensor w = start();
  AdmmSolver solver({constrained(w)}, options);
  {
    const torch::NoGradGuard no_gradient;
    w.copy_(5 * BlockCirculantSet(kBlock).project(w));
  }
  solver.after_step(0.1);
  EXPECT_EQ(solver.residuals()[0].rho, 1);
}

TEST(AdmmSolver, ResumedRunContinuesBitForBit) {
  const LeastSquares problem(1.0);
  AdmmOptions options = constant(0.5, Coupling::proximal);
  options.schedule = RhoSchedule::residual_balancing;
  options.update_interval = 7;
  const auto run = [&](AdmmSolver& solver, const Tensor& w, int steps) {
    torch::optim::SGD optimiser({w}, 0.2);
    train(problem, w, optimiser, solver, steps, 0.2, 0.2);
  };
  const Tensor straight = start();
  AdmmSolver whole({constrained(straight)}, options);
  run(whole, straight, 60);

  const Tensor first = start();
  AdmmSolver part({constrained(first)}, options);
  run(part, first, 25);
  TensorFile file;
  part.save(file, "admm.");
  const Tensor second = first.detach().clone().requires_grad_();
  AdmmSolver resumed({constrained(second)}, options);
  resumed.load(file, "admm.", "checkpoint");
  EXPECT_EQ(resumed.steps(), 25);
  EXPECT_EQ(resumed.updates(), 3);
  EXPECT_EQ(resumed.converged(), part.converged());
  run(resumed, second, 35);
  EXPECT_TRUE(torch::equal(second, straight));
  TensorFile a;
  TensorFile b;
  whole.save(a, "");
  resumed.save(b, "");
  for (const auto& [name, tensor] : a.tensors)
    EXPECT_EQ(tensor.bytes, b.tensors.at(name).bytes) << name;
}

TEST(AdmmSolver, StateOfAnotherModelIsRefusedByTensor) {
  const auto refusal = [](const TensorFile& file, AdmmSolver& solver) -> std::string {
    try {
      solver.load(file, "admm.", "c.safetensors");
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  const AdmmOptions options = constant(1, Coupling::proximal);
  const Tensor w = start();
  TensorFile file;
  AdmmSolver({constrained(w)}, options).save(file, "admm.");
  AdmmSolver renamed({constrained(w, "v")}, options);
  EXPECT_EQ(refusal(file, renamed), "c.safetensors: tensor 'admm.v.z' is missing");
  const Tensor larger = torch::randn({kRows, 2 * kCols}, torch::kDouble);
  AdmmSolver other({constrained(larger)}, options);
  EXPECT_EQ(refusal(file, other),
            "c.safetensors: tensor 'admm.w.z' has shape [8, 6], expected [8, 12]");
  const Tensor single = w.detach().to(torch::kFloat);
  AdmmSolver narrow({constrained(single)}, options);
  EXPECT_THAT(refusal(file, narrow), HasSubstr("tensor 'admm.w.z' has type Double"));
}

TEST(AdmmSolver, ConvergedNeedsBothResidualsOfEveryMatrix) {
  AdmmOptions options = constant(1, Coupling::gradient);
  options.update_interval = 1;
  const BlockCirculantSet set(kBlock);
  Tensor on_set = set.project(start().detach());
  Tensor off_set = start().detach();
  AdmmSolver both({constrained(on_set, "a"), constrained(off_set, "b")}, options);
  both.after_step(0.1);
  EXPECT_FALSE(both.converged());

  AdmmSolver one({constrained(on_set)}, options);
  EXPECT_FALSE(one.converged()) << "no update has been made";
  one.after_step(0.1);
  EXPECT_TRUE(one.converged());
  on_set.mul_(2);  // stays on the set, but Z moves
  one.after_step(0.1);
  EXPECT_FALSE(one.converged());
}

TEST(AdmmSolver, UpdatesComeEveryIntervalSteps) {
  AdmmOptions options = constant(1, Coupling::gradient);
  options.update_interval = 4;
  Tensor w = start();
  AdmmSolver solver({constrained(w)}, options);
  for (int step = 1; step <= 9; ++step) {
    solver.after_step(0.1);
    EXPECT_EQ(solver.updates(), step / 4);
  }
}

TEST(AdmmSolver, RhoScalingMeasuresTheFirstGradient) {
  AdmmOptions options = constant(3, Coupling::gradient);
  options.rho_scaling = RhoScaling::gradient;
  Tensor w = start();
  AdmmSolver solver({constrained(w)}, options);
  w.mutable_grad() = 2 * w.detach();
  solver.add_penalty_gradients();
  EXPECT_NEAR(solver.residuals()[0].rho, 6, 1e-12);
  w.mutable_grad() = 100 * w.detach();
  solver.add_penalty_gradients();
  EXPECT_NEAR(solver.residuals()[0].rho, 6, 1e-12);
}

TEST(AdmmSolver, GeometricScheduleNeedsItsLength) {
  Tensor w = start();
  EXPECT_THROW(AdmmSolver({constrained(w)}, AdmmOptions{}), UsageError);
}

}  // namespace
}  // namespace ernn
