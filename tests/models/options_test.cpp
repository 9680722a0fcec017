#include "models/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/options.h"

namespace ernn {
namespace {

/// Textbook counts of split-radix real transforms agree up to 16 points with what the kernel's
/// recursion spends, counted here independently of it.
TEST(Multiplications, OfTransforms) {
  EXPECT_EQ(transform_multiplications(1), 0);
  EXPECT_EQ(transform_multiplications(2), 0);
  EXPECT_EQ(transform_multiplications(4), 0);
  EXPECT_EQ(transform_multiplications(8), 2);
  EXPECT_EQ(transform_multiplications(16), 2 * 2 + 4 + 2 + 4);
  EXPECT_EQ(transform_multiplications(32), 2 * 14 + 2 + 6 * 4);
}

TEST(Multiplications, OfBlocks) {
  EXPECT_EQ(block_multiplications(1), 1);
  EXPECT_EQ(block_multiplications(2), 2);
  EXPECT_EQ(block_multiplications(8), 2 + 3 * 3);
  EXPECT_EQ(block_multiplications(16), 23);
}

TEST(Multiplications, OfAMatrixAreThoseOfBlocksAndTransforms) {
  EXPECT_EQ(multiplications(MatrixShape{"", 6, 5, 1}), 30);
  // 2 x 3 blocks, the last ones filled up: 6 products, 3 transforms forward and 2 back
  EXPECT_EQ(multiplications(MatrixShape{"", 16, 20, 8}), 6 * 11 + 5 * 2);
}

/// The papers' layer: 51,200 blocks of 8 or 12,800 of 16.
TEST(Multiplications, OfThePapersLayer) {
  ModelOptions options;
  options.inputs = 160;  // 153 filled up to whole blocks of 16
  options.outputs = 62;
  options.layers = {LayerOptions{}};
  options.layers[0].size = 1024;
  options.layers[0].projection = 512;
  const auto of_layer = [&](int k) {
    const ModelOptions blocked = with_blocks(options, {k, k, k}, 1);
    return multiplications(blocked) - 62 * 512;
  };
  EXPECT_EQ(of_layer(1), 4096LL * 160 + 4096LL * 512 + 512LL * 1024);
  const long long columns = 160 + 512 + 1024;
  const long long rows = 4096 + 4096 + 512;
  EXPECT_EQ(of_layer(8), 51200 * 11 + (columns + rows) / 8 * 2);
  EXPECT_EQ(of_layer(16), 12800 * 23 + (columns + rows) / 16 * 14);
}

ModelOptions tdnn(const std::vector<int>& offsets, LayerType type = LayerType::feedforward) {
  ModelOptions options;
  options.inputs = 10;
  options.outputs = 6;
  options.layers = {LayerOptions{}};
  options.layers[0].type = type;
  options.layers[0].offsets = offsets;
  return options;
}

TEST(Offsets, JoinedFramesAreColumns) {
  ModelOptions options = tdnn({-4, -2, 0});
  options.layers[0].size = 12;
  options.layers.push_back(options.layers[0]);
  options.layers[1].offsets = {-3};
  const auto shapes = matrix_shapes(options);
  EXPECT_EQ(shapes[0].cols, 30);
  EXPECT_EQ(shapes[1].cols, 12);
  EXPECT_EQ(shapes[2].cols, 12);
  EXPECT_EQ(parameter_count(options), 30 * 12 + 12 + 12 * 12 + 12 + 12 * 6 + 6);
  EXPECT_EQ(options.layers[0].reach(), 4);
  EXPECT_TRUE(options.layers[0].joins_frames());
  EXPECT_TRUE(options.layers[1].joins_frames()) << "a delay";
  EXPECT_FALSE(LayerOptions{}.joins_frames());
}

std::string refusal(const ModelOptions& options) {
  try {
    validate(options);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST(Offsets, WhatNoStreamCanDoIsRefusedByName) {
  EXPECT_EQ(refusal(tdnn({-1000, -2, 0})), "(accepted)");
  EXPECT_THAT(refusal(tdnn({-2, 0, 2})),
              testing::AllOf(testing::HasSubstr("model.layers.0.offsets: found 2"),
                             testing::HasSubstr("lower all offsets by 2 and raise "
                                                "context.label_delay by 2")));
  EXPECT_THAT(refusal(tdnn({0, -2})), testing::HasSubstr("found -2 behind 0"));
  EXPECT_THAT(refusal(tdnn({-2, -2})), testing::HasSubstr("found -2 behind -2"));
  EXPECT_THAT(refusal(tdnn({})), testing::HasSubstr("model.layers.0.offsets: found none"));
  EXPECT_THAT(refusal(tdnn({-1001, 0})), testing::HasSubstr("found -1001, expected -1000 or more"));
  EXPECT_THAT(refusal(tdnn({-1, 0}, LayerType::gru)),
              testing::HasSubstr("model.layers.0.offsets: only feedforward layers"));
}

ModelOptions with_layer(const std::string& yaml) {
  return read_options<ModelOptions>(
      ConfigNode::from_yaml_text("{inputs: 10, outputs: 6, layers: [" + yaml + "]}", "test.yaml"));
}

TEST(Validate, OptionsOfOtherTypesOfLayerAreRefusedByName) {
  const auto expect = [](const std::string& yaml, const std::string& key,
                         const std::string& owner) {
    EXPECT_THAT(refusal(with_layer(yaml)),
                testing::HasSubstr("model.layers.0." + key + ": only " + owner + " layers have it"))
        << yaml;
  };
  expect("{type: gru, cell_clip: 50}", "cell_clip", "lstm");
  expect("{type: gru, projection: 64}", "projection", "lstm");
  expect("{type: gru, activation: relu}", "activation", "feedforward");
  expect("{type: feedforward, cell_clip: 50}", "cell_clip", "lstm");
  expect("{type: feedforward, projection: 64}", "projection", "lstm");
  expect("{type: feedforward, reset: after}", "reset", "gru");
  expect("{type: lstm, reset: after}", "reset", "gru");
  expect("{type: lstm, activation: tanh}", "activation", "feedforward");
  expect("{type: lstm, offsets: [-1, 0]}", "offsets", "feedforward");
}

// Written options name every key of every type of layer.
TEST(Validate, WhatIsWrittenOfAValidModelIsValid) {
  for (const char* layer :
       {"{type: lstm, projection: 64, cell_clip: 50, peepholes: false}",
        "{type: gru, reset: after}", "{type: gru, peepholes: false}",
        "{type: feedforward, activation: relu, offsets: [-2, 0], peepholes: false}"}) {
    const ModelOptions options = with_blocks(with_layer(layer), {8, 8, 8}, 2);
    EXPECT_EQ(refusal(options), "(accepted)") << layer;
    const ConfigNode tree = write_options(options);
    for (const auto& again : {ConfigNode::from_yaml_text(tree.to_yaml(), "again"),
                              ConfigNode::from_json(tree.to_json(), "json")})
      EXPECT_EQ(refusal(read_options<ModelOptions>(again)), "(accepted)") << layer;
  }
}

TEST(Validate, SizesAreBounded) {
  EXPECT_EQ(refusal(with_layer("{type: lstm, size: 65536, projection: 65536}")), "(accepted)");
  // 4 x 600000000 rows are more than an int holds.
  EXPECT_EQ(refusal(with_layer("{type: lstm, size: 600000000}")),
            "model.layers.0.size: found 600000000, expected 65536 or less");
  EXPECT_THAT(refusal(with_layer("{type: lstm, projection: 65537}")),
              testing::HasSubstr("model.layers.0.projection: found 65537"));
  EXPECT_THAT(refusal(with_layer("{type: lstm, size: 0}")),
              testing::HasSubstr("model.layers.0.size: 0 is not positive"));
  EXPECT_THAT(refusal(with_layer("{type: lstm, projection: -1}")),
              testing::HasSubstr("model.layers.0.projection: -1 is negative"));
  ModelOptions options = with_layer("{type: gru}");
  options.inputs = 1 << 30;
  EXPECT_THAT(refusal(options), testing::HasSubstr("model.inputs: found 1073741824"));
  options.inputs = 10;
  options.outputs = 65537;
  EXPECT_THAT(refusal(options), testing::HasSubstr("model.outputs: found 65537"));
}

TEST(Validate, NanIsNoLimit) {
  ModelOptions options = with_layer("{type: lstm}");
  options.dropout = std::nan("");
  EXPECT_THAT(refusal(options), testing::HasSubstr("model.dropout"));
  options.dropout = 0;
  options.layers[0].cell_clip = std::nan("");
  EXPECT_THAT(refusal(options), testing::HasSubstr("model.layers.0.cell_clip"));
}

}  // namespace
}  // namespace ernn
