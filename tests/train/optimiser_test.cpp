#include "train/optimiser.h"

#include <gtest/gtest.h>
#include <torch/optim.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>
#include <memory>

#include "base/error.h"

namespace ernn {
namespace {

/// A curved toy loss whose gradient is never zero on both tensors.
torch::Tensor toy_loss(const std::vector<torch::Tensor>& w) {
  return (w[0].sin() * torch::arange(1, 7, torch::kFloat64).view({2, 3})).sum() +
         (w[1] * w[1]).sum() * 0.7 + w[1].sum() * w[0].sum();
}

std::vector<torch::Tensor> toy_parameters() {
  torch::manual_seed(1);
  return {torch::randn({2, 3}, torch::kFloat64).requires_grad_(true),
          torch::randn({4}, torch::kFloat64).requires_grad_(true)};
}

void expect_same_steps(const OptimiserOptions& options,
                       const std::function<std::unique_ptr<torch::optim::Optimizer>(
                           const std::vector<torch::Tensor>&)>& make) {
  const auto ours = toy_parameters();
  const auto theirs = toy_parameters();
  Optimiser optimiser(options, ours);
  const auto reference = make(theirs);
  for (int step = 0; step < 20; ++step) {
    optimiser.zero_grad();
    toy_loss(ours).backward();
    optimiser.step(options.learning_rate);
    reference->zero_grad();
    toy_loss(theirs).backward();
    reference->step();
  }
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_TRUE(torch::allclose(ours[i], theirs[i], 1e-12, 1e-12)) << ours[i] << theirs[i];
}

TEST(Optimiser, SgdEqualsLibTorch) {
  for (const bool nesterov : {false, true}) {
    OptimiserOptions options;
    options.type = OptimiserType::sgd;
    options.learning_rate = 0.02;
    options.nesterov = nesterov;
    options.weight_decay = 0.1;
    expect_same_steps(options, [&](const std::vector<torch::Tensor>& w) {
      return std::make_unique<torch::optim::SGD>(
          w, torch::optim::SGDOptions(0.02).momentum(0.9).nesterov(nesterov).weight_decay(0.1));
    });
  }
}

TEST(Optimiser, AdamEqualsLibTorch) {
  OptimiserOptions options;
  options.type = OptimiserType::adam;
  options.learning_rate = 0.05;
  options.beta2 = 0.99;
  options.weight_decay = 0.1;
  expect_same_steps(options, [](const std::vector<torch::Tensor>& w) {
    return std::make_unique<torch::optim::Adam>(
        w, torch::optim::AdamOptions(0.05).betas({0.9, 0.99}).weight_decay(0.1));
  });
}

TEST(Optimiser, AdamWEqualsLibTorch) {
  OptimiserOptions options;
  options.type = OptimiserType::adamw;
  options.learning_rate = 0.05;
  options.weight_decay = 0.3;
  expect_same_steps(options, [](const std::vector<torch::Tensor>& w) {
    return std::make_unique<torch::optim::AdamW>(
        w, torch::optim::AdamWOptions(0.05).weight_decay(0.3));
  });
}

TEST(Optimiser, RestoredStateGoesOnExactly) {
  for (const auto type : {OptimiserType::sgd, OptimiserType::adam}) {
    OptimiserOptions options;
    options.type = type;
    const auto straight = toy_parameters();
    Optimiser first(options, straight);
    const auto step = [](Optimiser& optimiser, const std::vector<torch::Tensor>& w) {
      optimiser.zero_grad();
      toy_loss(w).backward();
      optimiser.step(0.01);
    };
    for (int i = 0; i < 3; ++i) step(first, straight);
    std::vector<torch::Tensor> copied;
    for (const auto& w : straight) copied.push_back(w.detach().clone().requires_grad_(true));
    Optimiser second(options, copied);
    second.restore(first.state(), "file");
    for (int i = 0; i < 3; ++i) {
      step(first, straight);
      step(second, copied);
    }
    for (std::size_t i = 0; i < copied.size(); ++i)
      EXPECT_TRUE(torch::equal(straight[i], copied[i]));
    auto broken = first.state();
    broken.erase("first.1");
    EXPECT_THROW(second.restore(broken, "file"), DataError);
  }
}

TEST(ClipGradients, LimitsTheCommonNorm) {
  auto w = toy_parameters();
  toy_loss(w).backward();
  const double norm = clip_gradients(w, 0);
  const double before =
      std::sqrt(w[0].grad().pow(2).sum().item<double>() + w[1].grad().pow(2).sum().item<double>());
  EXPECT_NEAR(norm, before, 1e-12);
  EXPECT_NEAR(clip_gradients(w, 0.5), before, 1e-12);
  EXPECT_NEAR(clip_gradients(w, 0), 0.5, 1e-12);
  w[1].mutable_grad()[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(clip_gradients(w, 0.5)));
}

}  // namespace
}  // namespace ernn
