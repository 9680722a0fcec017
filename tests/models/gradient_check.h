// Hand-written gradients against finite differences, in double.
#pragma once

#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <functional>
#include <string>

namespace ernn {

/// Compares d loss / d x from autograd with central differences for every entry of `x`, a double
/// leaf tensor with requires_grad.
inline void check_gradient(const std::function<torch::Tensor()>& loss, const torch::Tensor& x,
                           const std::string& name, double tolerance = 1e-8) {
  const torch::Tensor analytic = torch::autograd::grad({loss()}, {x}, {}, {}, false, true)[0];
  ASSERT_TRUE(analytic.defined()) << name << " does not reach the loss";
  const torch::NoGradGuard no_gradient;
  const torch::Tensor numeric = torch::empty_like(x, torch::MemoryFormat::Contiguous);
  const torch::Tensor flat = x.view(-1);
  constexpr double kStep = 1e-5;
  for (int64_t n = 0; n < flat.numel(); ++n) {
    const double value = flat[n].item<double>();
    flat[n].fill_(value + kStep);
    const double above = loss().item<double>();
    flat[n].fill_(value - kStep);
    const double below = loss().item<double>();
    flat[n].fill_(value);
    numeric.view(-1)[n].fill_((above - below) / (2 * kStep));
  }
  const double scale = std::max(1.0, numeric.abs().max().item<double>());
  EXPECT_LT((analytic - numeric).abs().max().item<double>() / scale, tolerance) << name;
}

/// Every parameter of a module.
inline void check_gradients(const std::function<torch::Tensor()>& loss,
                            const torch::nn::Module& module) {
  for (const auto& parameter : module.named_parameters())
    check_gradient(loss, parameter.value(), parameter.key());
}

/// Fills every parameter with seeded normal values, so that none is zero or special.
inline void randomise(torch::nn::Module& module, double scale, std::uint64_t seed) {
  torch::manual_seed(seed);
  const torch::NoGradGuard no_gradient;
  for (auto& parameter : module.parameters()) parameter.normal_(0, scale);
}

/// A loss that weighs every output differently.
inline torch::Tensor weighted_sum(const torch::Tensor& y) {
  const torch::Tensor weights =
      torch::arange(y.numel(), y.options().requires_grad(false)).mul(0.7).sin().view(y.sizes());
  return (y * weights).sum();
}

inline double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace ernn
