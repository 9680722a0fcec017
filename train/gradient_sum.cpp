#include "train/gradient_sum.h"

#include <torch/utils.h>

#include <algorithm>

namespace ernn {

namespace {
constexpr std::int64_t kTotals = 4;
}  // namespace

GradientSum::GradientSum(const std::vector<torch::Tensor>& parameters, const ProcessGroup& group)
    : group_(group) {
  std::int64_t elements = 0;
  for (const auto& parameter : parameters) elements += parameter.numel();
  buffer_ = torch::zeros({elements + kTotals}, parameters.front().options().requires_grad(false));
  std::int64_t begin = 0;
  for (torch::Tensor parameter : parameters) {
    parameter.mutable_grad() = buffer_.narrow(0, begin, parameter.numel()).view_as(parameter);
    begin += parameter.numel();
  }
}

StepTotals GradientSum::reduce(const StepTotals& own) {
  const torch::NoGradGuard no_grad;
  const std::int64_t elements = buffer_.numel() - kTotals;
  torch::Tensor tail = buffer_.narrow(0, elements, kTotals);
  // A batch has fewer than 2^24 labelled frames, so its count is exact in a float.
  tail.copy_(torch::tensor(
      {own.loss, static_cast<double>(own.count), own.stop ? 1.0 : 0.0, own.checkpoint ? 1.0 : 0.0},
      torch::kDouble));
  group_.sum(buffer_);
  const torch::Tensor sums = tail.to(torch::kCPU, torch::kDouble);
  const auto* const sum = sums.data_ptr<double>();
  const StepTotals totals{sum[0], static_cast<long long>(sum[1]), sum[2] > 0, sum[3] > 0};
  buffer_.narrow(0, 0, elements).div_(static_cast<double>(std::max<long long>(1, totals.count)));
  return totals;
}

}  // namespace ernn
