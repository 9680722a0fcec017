// Two ways to compute the same layers, on the same random utterances.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/options.h"

namespace ernn {

/// Features, lengths, and weights of a loss that looks at no frame beyond the ends, where what a
/// layer gives is not specified.
struct RandomBatch {
  RandomBatch(const ModelOptions& options, torch::ScalarType type, int64_t frames,
              const std::vector<int64_t>& ends) {
    torch::manual_seed(6);
    const auto batch = static_cast<int64_t>(ends.size());
    features = torch::randn({frames, batch, options.inputs}, type);
    lengths = torch::tensor(ends);
    const torch::Tensor inside = torch::arange(frames).unsqueeze(1) < lengths.unsqueeze(0);
    weights = torch::randn({frames, batch, options.outputs}, type) * inside.unsqueeze(2).to(type);
  }

  torch::Tensor features, lengths, weights;
};

/// Largest difference relative to the largest number of each tensor; fails for one that is NaN.
inline double largest_relative_difference(const std::vector<torch::Tensor>& expected,
                                          const std::vector<torch::Tensor>& found) {
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double size = std::max(1e-3, expected[i].abs().max().item<double>());
    const double difference = (expected[i] - found[i]).abs().max().item<double>();
    EXPECT_TRUE(std::isfinite(difference)) << "tensor " << i;  // std::max() would drop a nan
    largest = std::max(largest, difference / size);
  }
  return largest;
}

}  // namespace ernn
