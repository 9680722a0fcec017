#include "explore/datapath.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "kernels.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

const MatrixWidths kWidths{12, 12, 16, 16, 16};

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

/// A measurement of forward_fft for blocks of 8, with `replaced` fields.
std::string measured_fft(const nlohmann::json& replaced = {}) {
  auto json = nlohmann::json::parse(R"({"name": "fft 8", "function": "forward_fft", "k": 8,
    "widths": {"input": 12, "spectrum": 16}, "depth": 2, "interval": 1, "lut": 340, "ff": 118,
    "dsp": 2, "period_ns": 5, "tool": "some tool", "source": "measured"})");
  if (replaced.is_object()) json.update(replaced);
  return json.dump();
}

class Measurements : public testing::Test {
 protected:
  DatapathTable read(const std::string& json, const Platform& platform = test_platform()) const {
    write_file(file(), json);
    DatapathTable table(platform);
    table.add_measurements(file());
    return table;
  }
  std::string error_of(const std::string& json) const {
    try {
      read(json);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  }
  std::filesystem::path file() const { return folder.path() / "rtl.json"; }

  TemporaryFolder folder;
};

TEST_F(Measurements, ReplaceAssumptions) {
  DatapathTable table = read("[" + measured_fft({{"mismatches", 0}, {"vectors", 1000}}) + "]");
  const DatapathCost measured = table.forward_fft(8, kWidths);
  EXPECT_EQ(measured.source, CostSource::measured);
  EXPECT_EQ(measured.depth, 2);
  EXPECT_EQ(measured.lut, 340);
  EXPECT_EQ(measured.ff, 118);
  EXPECT_EQ(measured.dsp, 2);
  EXPECT_EQ(measured.tool, "some tool");
  // Another size, another width, another clock: assumed.
  EXPECT_EQ(table.forward_fft(16, kWidths).source, CostSource::assumed);
  EXPECT_EQ(table.forward_fft(8, {11, 12, 16, 16, 16}).source, CostSource::assumed);
  EXPECT_EQ(table.used().size(), 3U);
  Platform other = test_platform();
  other.clock_mhz = 300;
  EXPECT_EQ(read(measured_fft(), other).forward_fft(8, kWidths).source, CostSource::assumed);
}

TEST_F(Measurements, WhatNeedsNoClockGetsOne) {
  EXPECT_EQ(read(measured_fft({{"depth", 0}})).forward_fft(8, kWidths).depth, 1);
}

TEST_F(Measurements, WholeModelsAreNoMeasurements) {
  DatapathTable table =
      read(R"([{"name": "lstm", "k": 8, "mismatches": 7, "depth": 0},)" + measured_fft() + "]");
  EXPECT_EQ(table.forward_fft(8, kWidths).source, CostSource::measured);
}

TEST_F(Measurements, WrongOnesAreNamed) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of(measured_fft({{"dept", 2}})), HasSubstr("'0.dept'"));
  EXPECT_THAT(error_of(measured_fft({{"depth", -1}})), HasSubstr("depth: found -1, expected 0"));
  EXPECT_THAT(error_of(measured_fft({{"interval", 2}})), HasSubstr("interval 2"));
  EXPECT_THAT(error_of(measured_fft({{"lut", nullptr}})), HasSubstr("'fft 8': lut is missing"));
  EXPECT_THAT(error_of(measured_fft({{"mismatches", 3}})),
              HasSubstr("'fft 8': 3 values differ from the emulator's"));
  EXPECT_THAT(error_of(measured_fft({{"function", "forward_ftt"}})),
              HasSubstr("did you mean 'forward_fft'"));
  EXPECT_THAT(error_of("[" + measured_fft() + "," + measured_fft({{"name", "again"}}) + "]"),
              HasSubstr("'again': forward_fft of this k"));
  EXPECT_THAT(error_of("{"), HasSubstr("no JSON"));
}

}  // namespace
}  // namespace ernn
