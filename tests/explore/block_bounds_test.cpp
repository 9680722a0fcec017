#include "explore/block_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels.h"

namespace ernn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// An output layer alone.
ModelOptions one_matrix(int rows, int cols) {
  return model_of(cols, rows, 1, {});
}

/// 32 x 64. k = 1: 2048; 2: 16 x 32 x 2 = 1024; 4: 8 x 16 x 5 = 640; 8: 4 x 8 x 11 + 12 x 2 = 376;
/// 16: 2 x 4 x 23 + 6 x 14 = 268; 32: 2 x 47 + 3 x 54 = 256; 64: 95 + 2 x 166 = 427.
/// Each doubling divides them by 2, 1.6, 1.70, 1.40, 1.05 and 0.6.
TEST(BlockPlaces, SizesGrowWhileTheyArithmeticallyPay) {
  const ModelOptions model = one_matrix(32, 64);
  const auto sizes = [&](double gain) { return block_places(model, gain).at(0).sizes; };
  EXPECT_THAT(sizes(1.0), ElementsAre(1, 2, 4, 8, 16, 32));
  EXPECT_THAT(sizes(1.15), ElementsAre(1, 2, 4, 8, 16));
  EXPECT_THAT(sizes(1.65), ElementsAre(1, 2));
}

TEST(BlockPlaces, FollowTheNetwork) {
  const ModelOptions model = model_of(16, 10, 1,
                                      {lstm_layer(24, 64, 1), gru_layer(48, GruReset::before, 1),
                                       feedforward_layer(20, 1), lstm_layer(16, 0, 1)});
  const auto places = block_places(model, 1.0);
  std::vector<std::string> names;
  names.reserve(places.size());
  for (const BlockPlace& place : places) names.push_back(place.name);
  EXPECT_THAT(names, ElementsAre("layers.0.input", "layers.0.recurrent", "layers.0.projection",
                                 "layers.1.input", "layers.1.recurrent", "layers.2.input",
                                 "layers.3.input", "layers.3.recurrent", "output.input"));
  // Sizes of gates divide the layer's 24 and 48; a GRU's candidate goes with the recurrent matrix.
  EXPECT_EQ(places[0].sizes.back(), 8);
  EXPECT_EQ(places[1].sizes.back(), 8);
  EXPECT_GT(places[2].sizes.back(), 8);
  EXPECT_EQ(places[4].sizes.back(), 16);
  EXPECT_THAT(places[4].matrices, ElementsAre(4, 5));
  EXPECT_THAT(places[5].matrices, ElementsAre(6));

  // Every choice is one that networks accept, and reaches the matrices of its place.
  for (std::size_t p = 0; p < places.size(); ++p) {
    for (const int k : places[p].sizes) {
      std::vector<int> blocks(places.size(), 1);
      blocks[p] = k;
      const ModelOptions chosen = with_place_blocks(model, blocks);
      EXPECT_NO_THROW(validate(chosen));
      const auto shapes = matrix_shapes(chosen);
      for (std::size_t m = 0; m < shapes.size(); ++m) {
        const auto& own = places[p].matrices;
        const bool here = std::find(own.begin(), own.end(), m) != own.end();
        EXPECT_EQ(shapes[m].block, here ? k : 1) << shapes[m].name;
      }
    }
  }
}

Platform device(double bram36, int dsp) {
  Platform platform = test_platform();
  platform.bram36 = bram36;
  platform.dsp = dsp;
  platform.usable = 1;
  return platform;
}

BlockBounds bounds_of(const ModelOptions& model, const Platform& platform,
                      const QuantisationOptions& options = {}) {
  DatapathTable table(platform);
  return block_bounds(model, block_places(model, 1.15), 1.15, options, 1, table);
}

/// Weights of 256 x 512 at 12 bits, one block a clock. k = 2: 32768 words of 24 bits are 24 BRAM36;
/// 4: 8192 x 48 are 12; 8: 2048 x 96 are 5.5. Spectra and biases take 1 to 2.5 more.
TEST(BlockBounds, LowerBoundIsWhatFitsTheMemory) {
  const ModelOptions model = one_matrix(256, 512);
  EXPECT_EQ(bounds_of(model, device(27, 1000)).lower, 2);
  EXPECT_EQ(bounds_of(model, device(23, 1000)).lower, 4);
  EXPECT_EQ(bounds_of(model, device(11, 1000)).lower, 8);
  // Words of the largest blocks are so few that they lie in LUTs, of which there must be enough.
  Platform tiny = device(1, 1000);
  tiny.lut = 2000;
  const BlockBounds none = bounds_of(model, tiny);
  EXPECT_EQ(none.lower, 0);
  EXPECT_THAT(none.costs[1].shortage, HasSubstr("BRAM36 are needed and 1 may be used"));
  EXPECT_THAT([&] { require_room(none); }, testing::ThrowsMessage<UsageError>(testing::AllOf(
                                               HasSubstr("test device"), HasSubstr("k = 2: "))));
}

/// The same words of k = 2 are half as wide with weights of 6 bits: 12 BRAM36.
TEST(BlockBounds, AreAtTheWidthsOfTheExport) {
  QuantisationOptions options;
  options.widths["weight"] = 6;
  EXPECT_EQ(bounds_of(one_matrix(256, 512), device(23, 1000), options).lower, 2);
}

/// A block product takes 2 + 3 (k/2 - 1) multipliers: 11 at k = 8, 23 at k = 16.
TEST(BlockBounds, UpperBoundIsWhatPaysAndFits) {
  const ModelOptions model = one_matrix(256, 512);
  const BlockBounds roomy = bounds_of(model, device(1000, 1000));
  EXPECT_EQ(roomy.arithmetic, 64);
  EXPECT_EQ(roomy.upper, 64);
  const BlockBounds tight = bounds_of(model, device(1000, 22));
  EXPECT_EQ(tight.arithmetic, 64);
  EXPECT_EQ(tight.upper, 8);
  EXPECT_THAT(tight.costs[4].shortage, HasSubstr("DSP blocks are needed and 22 may be used"));

  const BlockBounds small = bounds_of(one_matrix(32, 64), device(1000, 1000));
  EXPECT_EQ(small.arithmetic, 16);
  ASSERT_EQ(small.costs.size(), 7U);
  EXPECT_EQ(small.costs[3].multiplications, 376);
  EXPECT_EQ(small.costs[3].numbers, 4 * 8 * 8 + 32);
  // Coarser sizes are not worth it at any place, so that nothing changes beyond.
  EXPECT_EQ(small.costs[6].multiplications, 268);
}

}  // namespace
}  // namespace ernn
