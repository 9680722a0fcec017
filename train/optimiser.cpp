#include "train/optimiser.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <cmath>
#include <utility>

#include "base/error.h"

namespace ernn {

Optimiser::Optimiser(const OptimiserOptions& options, std::vector<torch::Tensor> parameters)
    : options_(options), parameters_(std::move(parameters)) {
  for (const auto& parameter : parameters_) {
    first_.push_back(torch::zeros_like(parameter).detach());
    if (options_.type != OptimiserType::sgd)
      second_.push_back(torch::zeros_like(parameter).detach());
  }
}

void Optimiser::zero_grad() {
  for (auto& parameter : parameters_) {
    if (parameter.grad().defined()) parameter.mutable_grad().zero_();
  }
}

void Optimiser::reset() {
  for (auto& tensor : first_) tensor.zero_();
  for (auto& tensor : second_) tensor.zero_();
  steps_ = 0;
}

void Optimiser::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  if (options_.type == OptimiserType::sgd) {
    step_sgd(learning_rate);
  } else {
    step_adam(learning_rate);
  }
}

void Optimiser::step_sgd(double learning_rate) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    torch::Tensor& parameter = parameters_[i];
    if (!parameter.grad().defined()) continue;
    torch::Tensor gradient = parameter.grad();
    if (options_.weight_decay != 0) gradient = gradient.add(parameter, options_.weight_decay);
    if (options_.momentum != 0) {
      first_[i].mul_(options_.momentum).add_(gradient);
      gradient = options_.nesterov ? gradient.add(first_[i], options_.momentum) : first_[i];
    }
    parameter.add_(gradient, -learning_rate);
  }
}

void Optimiser::step_adam(double learning_rate) {
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    torch::Tensor& parameter = parameters_[i];
    if (!parameter.grad().defined()) continue;
    torch::Tensor gradient = parameter.grad();
    if (options_.weight_decay != 0 && options_.type == OptimiserType::adamw) {
      parameter.mul_(1 - learning_rate * options_.weight_decay);
    } else if (options_.weight_decay != 0) {
      gradient = gradient.add(parameter, options_.weight_decay);
    }
    first_[i].mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
    second_[i].mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    const torch::Tensor scale =
        second_[i].sqrt().div_(std::sqrt(correction2)).add_(options_.epsilon);
    parameter.addcdiv_(first_[i], scale, -learning_rate / correction1);
  }
}

std::map<std::string, torch::Tensor> Optimiser::state() const {
  std::map<std::string, torch::Tensor> state;
  state["steps"] = torch::tensor({static_cast<std::int64_t>(steps_)}, torch::kInt64);
  for (std::size_t i = 0; i < first_.size(); ++i) state[fmt::format("first.{}", i)] = first_[i];
  for (std::size_t i = 0; i < second_.size(); ++i) state[fmt::format("second.{}", i)] = second_[i];
  return state;
}

void Optimiser::restore(const std::map<std::string, torch::Tensor>& state,
                        const std::string& file) {
  for (const auto& [name, tensor] : this->state()) {
    const auto found = state.find(name);
    if (found == state.end())
      throw DataError(fmt::format("{}: optimiser state '{}' is missing", file, name));
    if (found->second.sizes() != tensor.sizes()) {
      throw DataError(
          fmt::format("{}: optimiser state '{}' has another shape than its parameter", file, name));
    }
    if (name != "steps") torch::Tensor(tensor).copy_(found->second);
  }
  steps_ = state.at("steps").item<std::int64_t>();
}

double clip_gradients(const std::vector<torch::Tensor>& parameters, double limit) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> norms;
  for (const auto& parameter : parameters) {
    if (parameter.grad().defined()) norms.push_back(parameter.grad().norm());
  }
  if (norms.empty()) return 0;
  // Asked for together: a GPU is waited for once.
  const torch::Tensor all = torch::stack(norms).to(torch::kCPU, torch::kDouble);
  double squares = 0;
  for (std::int64_t i = 0; i < all.size(0); ++i)
    squares += all.data_ptr<double>()[i] * all.data_ptr<double>()[i];
  const double norm = std::sqrt(squares);
  if (limit > 0 && norm > limit) {
    for (const auto& parameter : parameters) {
      if (parameter.grad().defined()) torch::Tensor(parameter.grad()).mul_(limit / norm);
    }
  }
  return norm;
}

}  // namespace ernn
