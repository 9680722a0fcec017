// The comparator has to find differences wherever they are, and must not pass when nothing was
// compared.
#include "hls/testbench/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ernn::testbench {
namespace {

using testing::HasSubstr;

TEST(Compare, EqualValuesPass) {
  Report report;
  report.add(compare_values("a", 2, {1, 2, 3, 4}, {1, 2, 3, 4}));
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.values(), 4U);
  EXPECT_THAT(report.text("title"), HasSubstr("equal: 0 mismatches in 4 values"));
}

TEST(Compare, LastElementIsCompared) {
  const Comparison result = compare_values("a", 2, {1, 2, 3, 5}, {1, 2, 3, 4});
  EXPECT_FALSE(result.equal());
  EXPECT_EQ(result.mismatches, 1U);
  EXPECT_EQ(result.frame, 1U);
  EXPECT_EQ(result.index, 1U);
  EXPECT_EQ(result.found, 5);
  EXPECT_EQ(result.expected, 4);
}

TEST(Compare, FirstDifferenceIsNamed) {
  Report report;
  report.add(compare_values("layers.0.cell", 3, {1, 2, 9, 9}, {1, 2, 3, 4}));
  EXPECT_THAT(report.text("title"), HasSubstr("first at frame 0 index 2: found 9, expected 3"));
  EXPECT_EQ(report.mismatches(), 2U);
}

TEST(Compare, TheEarliestFrameIsTheOrigin) {
  Report report;
  report.add(compare_values("recurrent", 2, {1, 2, 3, 9}, {1, 2, 3, 4}));
  report.add(compare_values("hidden", 2, {1, 9, 3, 4}, {1, 2, 3, 4}));
  EXPECT_THAT(report.text("title"), HasSubstr("starting at frame 0 in hidden"));
}

TEST(Compare, LengthsMustAgree) {
  EXPECT_FALSE(compare_values("a", 1, {1, 2}, {1, 2, 3}).equal());
  EXPECT_FALSE(compare_values("a", 1, {1, 2, 3}, {1, 2}).equal());
  const Comparison result = compare_values("a", 1, {1, 7}, {1, 2, 3});
  EXPECT_EQ(result.mismatches, 1U);
  EXPECT_THAT(result.problem, HasSubstr("found 2 values, expected 3"));
}

TEST(Compare, NothingComparedIsAFailure) {
  EXPECT_FALSE(Report().passed());
  EXPECT_FALSE(compare_values("a", 1, {}, {}).equal());
}

TEST(Compare, OneProblemFailsTheReport) {
  Report report;
  report.add(compare_values("a", 1, {1}, {1}));
  report.problem("b.npy", "EXTRA: no signal of the kernel");
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(report.text("title"), HasSubstr("b.npy"));
}

}  // namespace
}  // namespace ernn::testbench
