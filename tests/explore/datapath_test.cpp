#include "explore/datapath.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "kernels.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

const MatrixWidths kWidths{12, 12, 16, 16, 16};

/// Textbook counts of split-radix real transforms agree up to 16 points with what the kernel's
/// recursion spends, counted here independently of it.
TEST(Datapath, MultiplicationsOfTransforms) {
  EXPECT_EQ(transform_multiplications(1), 0);
  EXPECT_EQ(transform_multiplications(2), 0);
  EXPECT_EQ(transform_multiplications(4), 0);
  EXPECT_EQ(transform_multiplications(8), 2);
  EXPECT_EQ(transform_multiplications(16), 2 * 2 + 4 + 2 + 4);
  EXPECT_EQ(transform_multiplications(32), 2 * 14 + 2 + 6 * 4);
}

TEST(Datapath, MultiplicationsOfBlocks) {
  EXPECT_EQ(block_multiplications(1), 1);
  EXPECT_EQ(block_multiplications(2), 2);
  EXPECT_EQ(block_multiplications(8), 2 + 3 * 3);
  EXPECT_EQ(block_multiplications(16), 23);
}

TEST(Datapath, DspBlocksFollowTheMultiplier) {
  Platform platform = test_platform();
  EXPECT_EQ(platform.multiplier_blocks(18, 27), 1);
  EXPECT_EQ(platform.multiplier_blocks(27, 18), 1);
  EXPECT_EQ(platform.multiplier_blocks(19, 27), 2);
  EXPECT_EQ(platform.multiplier_blocks(19, 28), 2);  // the wide side cut into 18 and 10
  EXPECT_EQ(platform.multiplier_blocks(28, 28), 4);
  platform.multiplier_b = 25;
  EXPECT_EQ(platform.multiplier_blocks(18, 26), 2);
  DatapathTable table(test_platform());
  EXPECT_EQ(table.block_product(16, kWidths, 32).dsp, 23);
  EXPECT_EQ(table.forward_fft(16, kWidths).dsp, 14);
  EXPECT_EQ(table.inverse_fft(8, kWidths).dsp, 2);
}

TEST(Datapath, DepthGrowsWithTheClock) {
  Platform slow = test_platform(), fast = test_platform();
  slow.clock_mhz = 100;
  fast.clock_mhz = 400;
  const int at_100 = DatapathTable(slow).forward_fft(16, kWidths).depth;
  const int at_400 = DatapathTable(fast).forward_fft(16, kWidths).depth;
  EXPECT_GE(at_400, 3 * at_100);
  EXPECT_GE(at_100, 1);
}

TEST(Datapath, MeasurementsReplaceAssumptions) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "datapath.json";
  write_file(file, R"([{"name": "forward_fft", "k": 8, "widths": {"input": 12, "spectrum": 16},
    "depth": 2, "interval": 1, "lut": 340, "ff": 118, "dsp": 2, "period_ns": 5,
    "tool": "some tool", "source": "measured"}])");
  DatapathTable table(test_platform());
  table.add_measurements(file);
  const DatapathCost measured = table.forward_fft(8, kWidths);
  EXPECT_EQ(measured.source, CostSource::measured);
  EXPECT_EQ(measured.depth, 2);
  EXPECT_EQ(measured.lut, 340);
  // Another size, another width, another clock: assumed.
  EXPECT_EQ(table.forward_fft(16, kWidths).source, CostSource::assumed);
  EXPECT_EQ(table.forward_fft(8, {11, 12, 16, 16, 16}).source, CostSource::assumed);
  Platform other = test_platform();
  other.clock_mhz = 300;
  DatapathTable faster(other);
  faster.add_measurements(file);
  EXPECT_EQ(faster.forward_fft(8, kWidths).source, CostSource::assumed);
  EXPECT_EQ(table.used().size(), 3U);
}

TEST(Datapath, WrongMeasurementsAreNamed) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "datapath.json";
  DatapathTable table(test_platform());
  write_file(file, R"([{"name": "forward_fft", "dept": 2}])");
  EXPECT_THAT([&] { table.add_measurements(file); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("'0.dept'")));
  write_file(file, R"([{"name": "forward_fft", "depth": 0}])");
  EXPECT_THAT([&] { table.add_measurements(file); },
              testing::ThrowsMessage<DataError>(testing::HasSubstr("depth 0")));
  write_file(file, "{");
  EXPECT_THROW(table.add_measurements(file), DataError);
}

}  // namespace
}  // namespace ernn
