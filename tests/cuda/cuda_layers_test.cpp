// Layers on a GPU against the same layers on the CPU.
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "compute/gates.h"
#include "models/acoustic_model.h"
#include "models/circulant.h"
#include "tests/models/layer_comparison.h"
#include "tests/models/layer_kinds.h"

namespace ernn {
namespace {

using torch::Tensor;

const char* const kNoGpu = "LibTorch finds no GPU";

/// Outputs of two pieces, the second from the state behind the first, and gradients.
std::vector<Tensor> results(AcousticModel model, const Tensor& x, const Tensor& lengths,
                            const Tensor& weights) {
  model->zero_grad();
  const Tensor features = x.detach().clone().requires_grad_();
  ModelState state;
  const Tensor first = model->forward(features, lengths, &state) * weights;
  // The state behind a piece is that of the utterances that have its last frame.
  const Tensor going_on = (lengths == features.size(0)).to(features.device()).view({1, -1, 1});
  const Tensor second =
      torch::where(going_on, model->forward(features, lengths, &state), 0 * first) * weights;
  (first.sum() + second.sum()).backward();
  std::vector<Tensor> list = {first.detach(), second.detach(), features.grad()};
  for (const auto& parameter : model->parameters()) list.push_back(parameter.grad().clone());
  for (auto& tensor : list) tensor = tensor.cpu();
  return list;
}

double compare(const ModelOptions& options, torch::ScalarType type, int64_t frames,
               const std::vector<int64_t>& lengths, bool plain) {
  AcousticModel model(options);
  model->initialise(5);
  model->to(type);
  const RandomBatch batch(options, type, frames, lengths);
  const auto expected = results(model, batch.features, batch.lengths, batch.weights);
  model->to(torch::kCUDA);
  model->set_plain(plain);
  return largest_relative_difference(
      expected, results(model, batch.features.cuda(), batch.lengths, batch.weights.cuda()));
}

class CudaLayers : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (!torch::cuda::is_available()) GTEST_SKIP() << kNoGpu;
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, CudaLayers, testing::ValuesIn(kinds()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(CudaLayers, EqualTheCpusForEveryBlockSize) {
  for (const int block : {1, 2, 8, 64}) {
    const int size = std::max(block, 24 / block * block);
    const ModelOptions options = network(layer_of(GetParam(), block, size), 37, 11);
    for (const bool plain : {true, false}) {
      EXPECT_LT(compare(options, torch::kDouble, 5, {5, 5, 5}, plain), 1e-11) << block << plain;
      EXPECT_LT(compare(options, torch::kFloat, 5, {5, 5, 5}, plain), 1e-4) << block << plain;
    }
  }
}

TEST_P(CudaLayers, EqualTheCpusForBatchesOfAnySizeAndLength) {
  const ModelOptions options = network(layer_of(GetParam(), 4, 20), 13, 7);
  EXPECT_LT(compare(options, torch::kDouble, 1, {1}, false), 1e-11);
  EXPECT_LT(compare(options, torch::kDouble, 9, {9, 7, 7, 4, 1}, false), 1e-11);
  EXPECT_LT(compare(options, torch::kDouble, 3, std::vector<int64_t>(131, 3), false), 1e-11);
}

TEST_P(CudaLayers, EqualTheCpusForLargeMatrices) {
  for (const int block : {2, 8, 16}) {
    const ModelOptions options = network(layer_of(GetParam(), block, 512), 520, 7);
    EXPECT_LT(compare(options, torch::kDouble, 3, {3, 2}, false), 1e-11) << block;
  }
}

TEST(Cuda, ThisBuildHasTheStepsOfGates) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << kNoGpu;
  EXPECT_TRUE(compute::has_gpu_steps());
}

TEST(Cuda, ProjectionsEqualTheCpus) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << kNoGpu;
  torch::manual_seed(1);
  const Tensor w = torch::randn({37, 21}, torch::kDouble);
  for (const int64_t block : {2, 8, 16}) {
    const Tensor expected = circulant_from_dense(w, block);
    EXPECT_TRUE(torch::allclose(circulant_from_dense(w.cuda(), block).cpu(), expected)) << block;
  }
}

TEST(Cuda, ProductsInTheFrequencyDomainEqualTheCpus) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << kNoGpu;
  torch::manual_seed(2);
  for (const int64_t block : {1, 2, 8, 64}) {
    const Tensor c = torch::randn({3, 2, block}, torch::kDouble);
    const Tensor x = torch::randn({700, 2 * block}, torch::kDouble);
    const Tensor expected = CirculantSpectrum(c, 3 * block, 2 * block).matmul(x);
    const Tensor found = CirculantSpectrum(c.cuda(), 3 * block, 2 * block).matmul(x.cuda()).cpu();
    EXPECT_TRUE(torch::allclose(found, expected)) << block;
  }
}

}  // namespace
}  // namespace ernn
