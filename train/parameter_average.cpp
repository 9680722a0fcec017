#include "train/parameter_average.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>

#include "base/error.h"

namespace ernn {

namespace {

constexpr const char* kSteps = "steps";

}  // namespace

ParameterAverage::ParameterAverage(const AcousticModel& model, double decay) : decay_(decay) {
  for (const auto& parameter : model->named_parameters()) {
    entries_.push_back({parameter.key(), parameter.value(), parameter.value().detach().clone()});
  }
}

void ParameterAverage::update() {
  const torch::NoGradGuard no_gradient;
  const auto t = static_cast<double>(steps_++);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (auto& entry : entries_) entry.average.lerp_(entry.parameter, 1 - decay);
}

void ParameterAverage::swap() {
  const torch::NoGradGuard no_gradient;
  for (auto& entry : entries_) {
    const torch::Tensor own = entry.parameter.detach().clone();
    entry.parameter.copy_(entry.average);
    entry.average.copy_(own);
  }
}

void ParameterAverage::reset() {
  const torch::NoGradGuard no_gradient;
  steps_ = 0;
  for (auto& entry : entries_) entry.average.copy_(entry.parameter);
}

std::map<std::string, torch::Tensor> ParameterAverage::state() const {
  std::map<std::string, torch::Tensor> state = {{kSteps, torch::tensor({steps_}, torch::kLong)}};
  for (const auto& entry : entries_) state[entry.name] = entry.average.clone();
  return state;
}

void ParameterAverage::restore(const std::map<std::string, torch::Tensor>& state,
                               const std::string& path) {
  const auto find = [&](const std::string& name, at::IntArrayRef sizes) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != sizes) {
      throw DataError(fmt::format(
          "{}: tensor 'average.{}' is missing or has another shape than the model's", path, name));
    }
    return found->second;
  };
  steps_ = find(kSteps, {1}).item<std::int64_t>();
  for (auto& entry : entries_) entry.average.copy_(find(entry.name, entry.average.sizes()));
}

}  // namespace ernn
