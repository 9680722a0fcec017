// The baselines that ADMM is compared with, on the toy corpus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <filesystem>

#include "admm/balanced_sparse.h"
#include "base/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/same_run.h"
#include "tests/train/toy.h"
#include "train/run.h"
#include "train/sparse_stage.h"
#include "train/stage_method.h"

namespace ernn {
namespace {

using testing::HasSubstr;

std::vector<SummaryRow> train(
    const std::string& stages, const std::filesystem::path& out, bool resume = false,
    std::function<bool()> stop = [] { return false; }) {
  RunOptions options;
  options.out = out;
  options.resume = resume;
  options.quiet = true;
  options.stop = std::move(stop);
  return run_training(toy::config(stages), options, [] { return toy::data(); });
}

std::string refusal(const std::string& stages) {
  const TemporaryFolder folder;
  try {
    train(stages, folder.path());
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(accepted)";
}

torch::Tensor weight_of(const std::filesystem::path& model, std::size_t index) {
  return load_model(model).model->matrices()[index].weight.detach();
}

std::vector<std::int64_t> entries_of_elements(const torch::Tensor& w, std::int64_t elements) {
  std::vector<std::int64_t> counts;
  for (std::int64_t e = 0; e < elements; ++e) {
    const torch::Tensor rows = w.slice(0, e, w.size(0), elements);
    counts.push_back((rows != 0).sum().item<std::int64_t>());
  }
  return counts;
}

constexpr const char* kSparse = R"(
stages:
  - {name: dense, epochs: 2}
  - {name: sparse, type: balanced-sparse, epochs: 4, block: {input: 4, recurrent: 4, projection: 4},
     sparsity: {elements: 4, ramp: 0.5, update_interval: 3}}
)";

TEST(BalancedSparse, EveryElementHasTheSameEntriesWithinTheCirculantBits) {
  const TemporaryFolder folder;
  const auto rows = train(kSparse, folder.path());
  const LoadedModel loaded = load_model(folder.path() / "sparse/model.safetensors");
  ModelOptions circulant = with_blocks(loaded.model->options(), {4, 4, 4}, 1);
  std::int64_t zeros = 0;
  std::int64_t not_stored = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const torch::Tensor w = loaded.model->matrices()[i].weight.detach();
    const auto counts = entries_of_elements(w, 4);
    EXPECT_THAT(counts, testing::Each(counts[0])) << i;
    // 12 bits of a weight and 4 of the zeros before it, against 12 of each circulant number
    EXPECT_LE(16 * stored_entries(w != 0, 4, 4), 12 * matrix_shapes(circulant)[i].stored()) << i;
    zeros += (w == 0).sum().item<std::int64_t>();
    not_stored += w.numel() - stored_entries(w != 0, 4, 4);
  }
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].stage, "balanced-sparse");
  EXPECT_EQ(rows[1].parameters, rows[0].parameters - zeros);
  EXPECT_LT(rows[1].stored_bits, rows[0].stored_bits / 2);
  EXPECT_EQ(rows[1].multiplications, rows[0].multiplications - not_stored);
  EXPECT_LE(not_stored, zeros);
}

TEST(BalancedSparse, HandsOnTheBestOfTheSparseEpochsOnly) {
  const TemporaryFolder folder;
  // Pruned to almost nothing: the dense epochs are better and must not come back.
  train(R"(
stages:
  - {name: dense, epochs: 6}
  - {name: sparse, type: balanced-sparse, epochs: 4, sparsity: {density: 0.02, elements: 4, ramp: 0.6}}
)",
        folder.path());
  const torch::Tensor w = weight_of(folder.path() / "sparse/model.safetensors", 0);
  EXPECT_THAT(entries_of_elements(w, 4), testing::Each(2));  // 64 x 6 entries, 0.02 of a quarter
}

TEST(BalancedSparse, DensityIsThatOfTheRowsThatThereAre) {
  const RunConfig config =
      toy::config("stages: [{type: balanced-sparse, sparsity: {density: 0.25, elements: 32}}]\n");
  AcousticModel model(complete_model(config));
  model->initialise(1);
  const auto matrices = sparse_matrices(model, config.stages[0]);
  ASSERT_EQ(matrices.size(), 3U);
  EXPECT_EQ(matrices[0].kept, 3);  // 64 x 6: two rows of 6 in each of 32 elements
  EXPECT_EQ(matrices[1].kept, 4);  // 64 x 8
  EXPECT_EQ(matrices[2].kept, 4);  // 8 x 16: a row of 16 in each of 8 elements
}

TEST(BalancedSparse, AdmmHandsOnAPatternThatStays) {
  const TemporaryFolder folder;
  train(R"(
stages:
  - {name: dense, epochs: 2}
  - {name: admm, type: admm, constraint: balanced_sparse, epochs: 4, schedule: {type: constant},
     admm: {rho: 1, rho_final: 100, update_interval: 3}, sparsity: {density: 0.25, elements: 4}}
  - {name: sparse, type: balanced-sparse, epochs: 2, sparsity: {density: 0.25, elements: 4}}
)",
        folder.path());
  for (std::size_t i = 0; i < 3; ++i) {
    const torch::Tensor before = weight_of(folder.path() / "admm/model.safetensors", i);
    const torch::Tensor after = weight_of(folder.path() / "sparse/model.safetensors", i);
    const auto counts = entries_of_elements(before, 4);
    EXPECT_THAT(counts, testing::Each(before.numel() / 16)) << i;
    EXPECT_TRUE(torch::equal(before != 0, after != 0)) << i;
    EXPECT_FALSE(torch::equal(before, after)) << i;
  }
}

TEST(BalancedSparse, RoundsTheFinishedModelsWeights) {
  const TemporaryFolder folder;
  const auto rows = train(R"(
stages:
  - {name: sparse, type: balanced-sparse, epochs: 2, sparsity: {density: 0.5, elements: 4, weight_bits: 6}}
)",
                          folder.path());
  EXPECT_EQ(rows[0].bits, 6);
  for (const auto& matrix :
       load_model(folder.path() / "sparse/model.safetensors").model->matrices()) {
    const torch::Tensor w = matrix.weight.detach();
    const double largest = w.abs().max().item<double>();
    EXPECT_TRUE(torch::equal(w, rounded(w, 6)));
    const double step = std::exp2(std::ceil(std::log2(largest)) - 5);
    EXPECT_EQ(torch::remainder(w, step).abs().max().item<double>(), 0);
  }
  const auto float_rows = train(R"(
stages:
  - {name: sparse, type: balanced-sparse, epochs: 2, sparsity: {density: 0.5, elements: 4}}
)",
                                folder.path() / "float");
  const std::int64_t others = 64 + 48 + 39 * 9;  // biases, peepholes, the dense output layer
  EXPECT_EQ(float_rows[0].bits, 32);
  const std::int64_t entries = (float_rows[0].stored_bits - 32 * others) / 36;
  EXPECT_EQ(rows[0].stored_bits, 6 * others + 10 * entries);
}

TEST(BalancedSparse, ResumesBitForBit) {
  const TemporaryFolder folder;
  train(kSparse, folder.path() / "whole");
  for (const int steps : {14, 20, 31}) {
    const auto out = folder.path() / std::to_string(steps);
    int left = steps;
    EXPECT_THROW(train(kSparse, out, false, [&] { return --left == 0; }), Error);
    train(kSparse, out, true);
    expect_same_run(folder.path() / "whole", out, {"dense", "sparse"});
  }
}

TEST(BalancedSparse, RefusesWhatItCannotDo) {
  EXPECT_THAT(refusal("stages: [{name: s, type: balanced-sparse}]\n"),
              HasSubstr("stage 's': found neither sparsity.density nor a block size above 1"));
  EXPECT_THAT(refusal(R"(
stages:
  - {name: c, type: direct, block: {recurrent: 4}}
  - {name: s, type: balanced-sparse, sparsity: {density: 0.1}}
)"),
              HasSubstr("layers.0.recurrent is circulant with k = 4, expected a dense model"));
  EXPECT_THAT(refusal("stages: [{name: s, type: balanced-sparse, sparsity: {density: 2}}]\n"),
              HasSubstr("stages.0.sparsity.density: found 2, expected 0 to 1"));
}

TEST(Direct, TrainsCirculantMatricesFromNothingAndFromADenseModel) {
  const TemporaryFolder folder;
  const auto rows = train(R"(
stages:
  - {name: dense, epochs: 2}
  - {name: projected, type: direct, epochs: 2, block: {input: 4, recurrent: 4}}
  - {name: fresh, type: direct, from: none, epochs: 2, block: {input: 4, recurrent: 4}}
)",
                          folder.path());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].stage, "direct");
  EXPECT_EQ(rows[1].block_size, 4);
  EXPECT_EQ(rows[1].parameters, rows[2].parameters);
  EXPECT_FALSE(torch::equal(weight_of(folder.path() / "projected/model.safetensors", 0),
                            weight_of(folder.path() / "fresh/model.safetensors", 0)));
}

TEST(Direct, RefusesACirculantStart) {
  EXPECT_THAT(refusal(R"(
stages:
  - {name: a, type: direct, block: {recurrent: 4}}
  - {name: b, type: direct, block: {recurrent: 2}}
)"),
              HasSubstr("stage 'b': 'a' is circulant already"));
}

TEST(DenseSmall, HasNoMoreParametersThanTheCirculantNetwork) {
  const TemporaryFolder folder;
  const auto rows = train(R"(
stages:
  - {name: circulant, type: direct, epochs: 1, block: {input: 4, recurrent: 4, projection: 4}}
  - {name: small, type: dense-small, from: none, epochs: 1, block: {input: 4, recurrent: 4, projection: 4}}
)",
                          folder.path());
  EXPECT_EQ(rows[1].stage, "dense-small");
  EXPECT_EQ(rows[1].block_size, 1);
  EXPECT_LE(rows[1].parameters, rows[0].parameters);
  const auto options = load_model(folder.path() / "small/model.safetensors").model->options();
  const int size = options.layers[0].size;
  EXPECT_EQ(options.layers[0].projection, (size + 1) / 2);
  ModelOptions larger = options;
  larger.layers[0].size = size + 1;
  larger.layers[0].projection = (size + 2) / 2;
  EXPECT_GT(parameter_count(larger), rows[0].parameters) << "the largest such network";
}

TEST(DenseSmall, RefusesAStartAndNoBlocks) {
  EXPECT_THAT(refusal(R"(
stages:
  - {name: dense, epochs: 1}
  - {name: small, type: dense-small, block: {recurrent: 4}}
)"),
              HasSubstr("stage 'small': from: found 'dense', expected none"));
  EXPECT_THAT(refusal("stages: [{name: small, type: dense-small}]\n"),
              HasSubstr("found no block size above 1"));
}

}  // namespace
}  // namespace ernn
