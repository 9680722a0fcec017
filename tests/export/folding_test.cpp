// Folds of a kernel: what suits a model, what is refused, and the order of block rows.
#include "export/folding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/export/random_network.h"

namespace ernn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ModelOptions model() {
  ModelOptions options;
  options.inputs = 10;
  options.outputs = 7;
  options.layers = {lstm_layer(32, 12, {8, 4, 4}), gru_layer(16, GruReset::before, {4, 8, 1}),
                    feedforward_layer(24, Activation::relu, 8)};
  return options;
}

TEST(Folding, OfNothingIsOneAtATime) {
  const Folding folding = resolve({}, model());
  ASSERT_EQ(folding.layers.size(), 4U);
  EXPECT_EQ(folding.streams, 1);
  EXPECT_EQ(folding.layers[0].matrices.size(), 3U);
  EXPECT_EQ(folding.layers[1].matrices.size(), 3U);
  EXPECT_EQ(folding.layers[2].matrices.size(), 1U);
  EXPECT_EQ(folding.layers[3].matrices.size(), 1U);
  EXPECT_EQ(folding.layers[0].unit_group, 8);
  EXPECT_EQ(folding.layers[1].unit_group, 8);
  EXPECT_EQ(folding.layers[2].unit_group, 0);
  for (const LayerFolding& layer : folding.layers) {
    EXPECT_EQ(layer.units_parallel, 1);
    for (const MatrixFolding& matrix : layer.matrices) {
      EXPECT_EQ(matrix.rows_parallel, 1);
      EXPECT_EQ(matrix.cols_parallel, 1);
      EXPECT_EQ(matrix.inverses_parallel, 1);
    }
  }
}

TEST(Folding, GatesOfAGroupFollowEachOther) {
  const MatrixShape shape{"layers.0.recurrent", 32, 12, 4};  // 8 units in blocks of 4, 4 gates
  EXPECT_THAT(row_order(shape, 4, 4), ElementsAre(0, 2, 4, 6, 1, 3, 5, 7));
  EXPECT_THAT(row_order(shape, 4, 8), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(row_order({"output.input", 9, 12, 4}, 1, 0), ElementsAre(0, 1, 2));
}

TEST(Folding, OrderIsAPermutationForEveryMatrixOfEveryModel) {
  for (const NamedModel& named : every_kind_of_model()) {
    const Folding folding = resolve({}, named.options);
    const std::vector<MatrixShape> shapes = matrix_shapes(named.options);
    auto shape = shapes.begin();
    for (std::size_t l = 0; l < folding.layers.size(); ++l) {
      for (std::size_t m = 0; m < folding.layers[l].matrices.size(); ++m, ++shape) {
        const bool output = l == named.options.layers.size();
        const int gates = output ? 1 : gates_of(named.options.layers[l], static_cast<int>(m));
        std::vector<int> order = row_order(*shape, gates, folding.layers[l].unit_group);
        std::sort(order.begin(), order.end());
        std::vector<int> all(static_cast<std::size_t>(shape->block_rows()));
        std::iota(all.begin(), all.end(), 0);
        EXPECT_EQ(order, all) << named.name << ' ' << shape->name;
      }
    }
  }
}

TEST(Folding, RowsNeedNotDivide) {
  for (int rows = 1; rows <= 32; ++rows) {
    Folding folding = unfolded(model());
    folding.layers[0].matrices[1].rows_parallel = rows;
    EXPECT_EQ(resolve(folding, model()).layers[0].matrices[1].rows_parallel, rows);
  }
}

void expect_refused(const std::function<void(Folding&)>& change, const std::string& message) {
  Folding folding = unfolded(model());
  change(folding);
  EXPECT_THAT([&] { resolve(folding, model()); },
              testing::ThrowsMessage<UsageError>(HasSubstr(message)));
}

TEST(Folding, WhatDoesNotSuitIsNamed) {
  expect_refused(
      [](Folding& f) { f.layers[0].matrices[1].rows_parallel = 33; },
      "layers.0.recurrent.rows_parallel: found 33, expected 1 to 32, the number of block rows");
  expect_refused(
      [](Folding& f) { f.layers[0].matrices[1].rows_parallel = 0; },
      "layers.0.recurrent.rows_parallel: found 0, expected 1 to 32, the number of block rows");
  expect_refused([](Folding& f) { f.layers[0].matrices[2].cols_parallel = 0; },
                 "layers.0.projection.cols_parallel: 0 does not divide");
  expect_refused([](Folding& f) { f.layers[3].matrices[0].inverses_parallel = 2; },
                 "output.input.inverses_parallel: 2 does not divide rows_parallel, 1");
  expect_refused(
      [](Folding& f) {
        f.layers[0].matrices[2].rows_parallel = 2;  // three block rows
        f.layers[0].matrices[2].inverses_parallel = 2;
      },
      "layers.0.projection.inverses_parallel: 2 does not divide the number of block rows, 3 "
      "(divisors: 1, 3)");
  expect_refused(
      [](Folding& f) {
        f.layers[2].matrices[0].rows_parallel = 3;
        f.layers[2].matrices[0].inverses_parallel = 3;
      },
      "layers.2.input.inverses_parallel: 3 is no power of two");
  expect_refused(
      [](Folding& f) {
        f.layers[1].matrices[2].rows_parallel = 2;  // the candidate: one block row in a group
        f.layers[1].matrices[2].inverses_parallel = 2;
      },
      "layers.1.candidate.inverses_parallel: 2 does not divide the block rows of a unit group, 1");
  expect_refused([](Folding& f) { f.layers[0].unit_group = 4; },
                 "layers.0.unit_group: found 4, expected a power of two from 8");
  expect_refused([](Folding& f) { f.layers[0].unit_group = 64; },
                 "layers.0.unit_group: 64 does not divide the layer's size, 32");
  expect_refused([](Folding& f) { f.layers[0].units_parallel = 3; },
                 "layers.0.units_parallel: 3 does not divide unit_group, 8");
  expect_refused([](Folding& f) { f.streams = 33; }, "folding.streams: found 33, expected 1 to 32");
  expect_refused([](Folding& f) { f.layers.pop_back(); },
                 "folding.layers: found 3, expected 4, one a layer and the output");
  expect_refused([](Folding& f) { f.layers[0].matrices.pop_back(); },
                 "layers.0.matrices: found 2, expected 3");
}

}  // namespace
}  // namespace ernn
