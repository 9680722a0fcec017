// Stages trained on a GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <cmath>
#include <memory>

#include "base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/same_run.h"
#include "tests/train/toy.h"
#include "train/run.h"

namespace ernn {
namespace {

using testing::HasSubstr;

const char* const kNoGpu = "LibTorch finds no GPU";

/// Every kind of stage that a GPU trains.
constexpr const char* kStages = R"(
stages:
  - {name: dense}
  - {name: admm, type: admm, block: {input: 4, recurrent: 4, projection: 4},
     admm: {rho: 1, rho_final: 30, update_interval: 3}}
  - {name: circulant, type: circulant, distillation: {teacher: dense}}
  - {name: pieces, type: circulant, truncate: 12}
  - {name: direct, type: direct, from: none, block: {input: 8, recurrent: 8, projection: 8}}
  - {name: sparse, type: balanced-sparse, from: dense, block: {input: 4, recurrent: 4, projection: 4},
     sparsity: {elements: 4}}
  - {name: sparse-admm, type: admm, from: dense, constraint: balanced_sparse, block: {input: 4, recurrent: 4, projection: 4},
     sparsity: {elements: 4}}
  - {name: grid, type: admm, from: circulant, constraint: fixed_point}
  - {name: small, type: dense-small, from: none, block: {input: 4, recurrent: 4, projection: 4}}
)";

std::vector<std::string> on(const char* device, std::vector<std::string> sets) {
  sets.insert(sets.end(), {std::string("training.device=") + device, "training.epochs=2"});
  return sets;
}

void train(
    const RunConfig& config, const std::filesystem::path& out, bool resume = false,
    std::function<bool()> stop = [] { return false; }) {
  RunOptions options;
  options.out = out;
  options.resume = resume;
  options.quiet = true;
  options.stop = std::move(stop);
  run_training(config, options, [] { return toy::data(); });
}

/// The losses of all epochs of the same run on both devices.
void expect_close_losses(const std::string& stages, const std::vector<std::string>& sets) {
  const TemporaryFolder folder;
  for (const char* device : {"cpu", "cuda"})
    train(toy::config(stages, on(device, sets)), folder.path() / device);
  const auto expected = metrics(folder.path() / "cpu");
  const auto found = metrics(folder.path() / "cuda");
  ASSERT_EQ(expected.size(), found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (const char* loss : {"train_loss", "dev_loss"}) {
      const double value = expected[i][loss];
      EXPECT_NEAR(found[i][loss], value, 1e-3 * std::abs(value))
          << expected[i]["stage"] << " epoch " << expected[i]["epoch"] << " " << loss;
    }
  }
}

TEST(CudaTraining, EveryStageGoesAsOnTheCpu) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << kNoGpu;
  // Without what is drawn, which differs between devices. SGD, because Adam's first steps follow
  // the signs of gradients that are nearly zero.
  expect_close_losses(kStages, {"model.dropout=0", "training.optimiser={type: sgd}",
                                "training.optimiser.learning_rate=0.05"});
}

TEST(CudaTraining, CtcGoesAsOnTheCpu) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << kNoGpu;
  expect_close_losses("",
                      {"model.dropout=0", "context.criterion=ctc", "decoder={type: ctc_greedy}",
                       "training.optimiser={type: sgd}", "training.optimiser.learning_rate=0.02"});
}

TEST(CudaTraining, ResumesToTheSameBits) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << kNoGpu;
  const TemporaryFolder folder;
  const RunConfig config = toy::config("", on("cuda", {"training.feature_noise=0.1"}));
  train(config, folder.path() / "whole");
  auto steps = std::make_shared<int>(8);
  EXPECT_THROW(train(config, folder.path() / "broken", false, [steps] { return --*steps == 0; }),
               Error);
  train(config, folder.path() / "broken", true);
  expect_same_run(folder.path() / "whole", folder.path() / "broken", {"dense"});
}

TEST(CudaTraining, IsRefusedByNameWhereThereIsNoGpu) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "LibTorch finds a GPU";
  const TemporaryFolder folder;
  try {
    train(toy::config("", on("cuda", {})), folder.path());
    FAIL() << "not refused";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("stage 'dense': device: found cuda, expected cpu: LibTorch "
                                        "finds no GPU"));
  }
}

TEST(CudaTraining, OfFixedPointIsRefusedByName) {
  const TemporaryFolder folder;
  try {
    train(
        toy::config("stages: [{name: dense, device: cpu}, {name: qat, type: qat}]", on("cuda", {})),
        folder.path());
    FAIL() << "not refused";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("stage 'qat': device: found cuda, expected cpu"));
  }
}

}  // namespace
}  // namespace ernn
