// The CPU kernels' layers against LibTorch's operators: the same layer with and without them.
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "models/acoustic_model.h"
#include "tests/models/layer_comparison.h"
#include "tests/models/layer_kinds.h"

namespace ernn {
namespace {

using torch::Tensor;

std::vector<Tensor> values_and_gradients(AcousticModel model, const Tensor& x,
                                         const Tensor& lengths, const Tensor& weights, bool plain) {
  model->set_plain(plain);
  model->zero_grad();
  const Tensor features = x.detach().clone().requires_grad_();
  const Tensor y = model->forward(features, lengths) * weights;
  y.sum().backward();
  std::vector<Tensor> result = {y.detach(), features.grad()};
  for (const auto& parameter : model->parameters()) result.push_back(parameter.grad().clone());
  return result;
}

double compare(const ModelOptions& options, torch::ScalarType type, int64_t frames,
               const std::vector<int64_t>& lengths) {
  AcousticModel model(options);
  model->initialise(5);
  model->to(type);
  const RandomBatch batch(options, type, frames, lengths);
  return largest_relative_difference(
      values_and_gradients(model, batch.features, batch.lengths, batch.weights, true),
      values_and_gradients(model, batch.features, batch.lengths, batch.weights, false));
}

class CpuLayers : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, CpuLayers, testing::ValuesIn(kinds()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(CpuLayers, EqualLibTorchForEveryBlockSize) {
  for (const int block : {1, 2, 4, 8, 16, 32, 64}) {
    const int size = std::max(block, 24 / block * block);
    const ModelOptions options = network(layer_of(GetParam(), block, size), 37, 11);
    EXPECT_LT(compare(options, torch::kDouble, 5, {5, 5, 5}), 1e-12) << "block " << block;
    EXPECT_LT(compare(options, torch::kFloat, 5, {5, 5, 5}), 2e-5) << "block " << block;
  }
}

TEST_P(CpuLayers, EqualLibTorchForBatchesOfAnySizeAndLength) {
  const ModelOptions options = network(layer_of(GetParam(), 4, 20), 13, 7);
  EXPECT_LT(compare(options, torch::kFloat, 1, {1}), 2e-5);
  EXPECT_LT(compare(options, torch::kFloat, 9, {9}), 2e-5);
  EXPECT_LT(compare(options, torch::kFloat, 1, std::vector<int64_t>(19, 1)), 2e-5);
  EXPECT_LT(compare(options, torch::kDouble, 9, {9, 7, 7, 4, 1}), 1e-12);
  EXPECT_LT(compare(options, torch::kDouble, 9, {4, 9, 1}), 1e-12);  // not sorted
  EXPECT_LT(compare(options, torch::kDouble, 9, {6, 6, 2}), 1e-12);  // none as long as the batch
}

// Each matrix has a block size of its own, dense ones among them: derivatives are transformed once
// for those that share it.
TEST_P(CpuLayers, EqualLibTorchForMixedBlockSizes) {
  for (const BlockSizes& block :
       {BlockSizes{8, 4, 2}, {1, 8, 4}, {4, 1, 8}, {8, 8, 1}, {1, 1, 8}, {16, 16, 16}}) {
    LayerOptions layer = layer_of(GetParam(), 1, 48);
    layer.block = block;
    if (GetParam().type == LayerType::feedforward) layer.block.recurrent = 1;
    if (layer.projection == 0) layer.block.projection = 1;
    const ModelOptions options = network(layer, 13, 7);
    EXPECT_LT(compare(options, torch::kDouble, 9, {9, 7, 7, 4, 1}), 1e-12)
        << block.input << ", " << block.recurrent << ", " << block.projection;
  }
}

// Rows come in chunks of 64: frames that do not fill them, and more rows in a frame than that.
TEST_P(CpuLayers, EqualLibTorchForManyRows) {
  const ModelOptions options = network(layer_of(GetParam(), 8, 16), 9, 7);
  std::vector<int64_t> lengths(23, 11);
  lengths.back() = 2;
  EXPECT_LT(compare(options, torch::kDouble, 11, lengths), 1e-12);
  EXPECT_LT(compare(options, torch::kDouble, 11, std::vector<int64_t>(32, 11)), 1e-12);
  EXPECT_LT(compare(options, torch::kDouble, 3, std::vector<int64_t>(131, 3)), 1e-12);
}

TEST_P(CpuLayers, EqualLibTorchWithSeveralThreads) {
  const int before = torch::get_num_threads();
  for (const int threads : {2, 3}) {
    torch::set_num_threads(threads);
    for (const int block : {1, 8}) {
      const ModelOptions options = network(layer_of(GetParam(), block, 80), 13, 7);
      EXPECT_LT(compare(options, torch::kDouble, 9, {9, 7, 7, 4, 1}), 1e-12) << block;
      EXPECT_LT(compare(options, torch::kDouble, 15, std::vector<int64_t>(32, 15)), 1e-12);
      EXPECT_LT(compare(options, torch::kDouble, 2, {2}), 1e-12);
    }
  }
  torch::set_num_threads(before);
}

// Work is divided by utterance, whose numbers do not depend on the others.
TEST_P(CpuLayers, ValuesDoNotDependOnTheNumberOfThreads) {
  ModelOptions options = network(layer_of(GetParam(), 8, 24), 13, 7);
  options.output_block = 8;  // a dense matrix is multiplied by BLAS, whose sums may depend on them
  AcousticModel model(options);
  model->initialise(5);
  torch::manual_seed(6);
  const Tensor x = torch::randn({6, 5, 13});
  const Tensor lengths = torch::tensor({6, 6, 5, 3, 2});
  const int before = torch::get_num_threads();
  torch::set_num_threads(1);
  const Tensor weights = torch::ones({1});
  const auto one = values_and_gradients(model, x, lengths, weights, false);
  torch::set_num_threads(3);
  const auto three = values_and_gradients(model, x, lengths, weights, false);
  torch::set_num_threads(before);
  EXPECT_TRUE(torch::equal(one[0], three[0]));
  for (std::size_t i = 1; i < one.size(); ++i)
    EXPECT_TRUE(torch::allclose(one[i], three[i], 1e-4, 1e-6));
}

}  // namespace
}  // namespace ernn
