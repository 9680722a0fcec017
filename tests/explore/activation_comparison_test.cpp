#include "explore/activation_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "explore/kernel_plan.h"
#include "kernels.h"
#include "tests/support/markup.h"

namespace ernn {
namespace {

using testing::HasSubstr;

double exact(Activation function, double x) {
  return function == Activation::tanh ? std::tanh(x) : 1 / (1 + std::exp(-x));
}

/// A plain table in floating point: the function at the middle of the codes of a segment, rounded,
/// and at the range's end beyond it; odd about the value at 0.
LookupError plain_by_hand(Activation function, int bits, int segments, double range) {
  const double unit = std::ldexp(1.0, bits - 1);
  const double step = 16.0 / std::ldexp(1.0, bits + 3);
  const double middle = function == Activation::tanh ? 0 : 0.5;
  LookupError error;
  double squares = 0;
  int count = 0;
  for (double x = -16; x < 16; x += step) {
    const double u = std::abs(x);
    const double width = range / segments;
    const double at = u < range ? std::floor(u / width) * width + (width - step) / 2 : range;
    const double t = std::floor(exact(function, at) * unit + 0.5) / unit;
    const double limit = (unit - 1) / unit;
    const double found = std::min(x < 0 ? 2 * middle - t : t, limit);
    const double off = unit * std::abs(found - std::min(exact(function, x), limit));
    error.largest = std::max(error.largest, off);
    if (u >= 8) continue;
    squares += off * off;
    ++count;
  }
  error.rms = std::sqrt(squares / count);
  return error;
}

TEST(ActivationComparison, PlainTablesAreMeasuredCodeByCode) {
  DatapathTable table(test_platform());
  for (const int bits : {8, 12}) {
    for (const int segments : {8, 64, 256}) {
      for (const Activation function : {Activation::sigmoid, Activation::tanh}) {
        const LookupError found =
            measure_lookup(LookupKind::plain, function, bits, segments, table).error;
        const LookupError expected =
            plain_by_hand(function, bits, segments, function == Activation::tanh ? 4 : 8);
        EXPECT_NEAR(found.largest, expected.largest, 1e-9) << bits << " " << segments;
        EXPECT_NEAR(found.rms, expected.rms, 1e-9) << bits << " " << segments;
      }
    }
  }
}

TEST(ActivationComparison, PiecesAreTheDeployedTables) {
  DatapathTable table(test_platform());
  for (const int segments : {16, 64}) {
    const LookupFigures pieces =
        measure_lookup(LookupKind::pieces, Activation::tanh, 12, segments, table);
    const Format preactivation = comparison_preactivation(12);
    const ActivationTable deployed = make_table(Activation::tanh, preactivation, {12, 1}, segments);
    EXPECT_NEAR(pieces.error.largest, table_error(deployed, preactivation, {12, 1}), 1e-9);
    EXPECT_GT(pieces.error.rms, 0.28);  // rounding alone is 0.289
    EXPECT_LT(pieces.error.rms, pieces.error.largest);
    const LookupFigures ends =
        measure_lookup(LookupKind::ends, Activation::tanh, 12, segments, table);
    EXPECT_EQ(ends.error.largest, pieces.error.largest);
  }
}

TEST(ActivationComparison, TheFewestSegmentsAreTheFewest) {
  DatapathTable table(test_platform());
  for (const LookupKind kind : {LookupKind::pieces, LookupKind::plain}) {
    for (const int bits : {8, 12}) {
      const LookupFigures fewest = measure_lookup(kind, Activation::sigmoid, bits, 0, table);
      EXPECT_LE(fewest.error.largest, 1);
      EXPECT_GT(
          measure_lookup(kind, Activation::sigmoid, bits, fewest.segments / 2, table).error.largest,
          1);
    }
  }
}

TEST(ActivationComparison, CostsAreCountedByHand) {
  const Platform platform = test_platform();
  DatapathTable table(platform);
  const auto lut = [&](LookupKind kind, int segments) {
    return measure_lookup(kind, Activation::tanh, 12, segments, table).cost.lut;
  };
  const double adder = platform.logic.lut_per_adder_bit;
  const double narrowed = platform.logic.lut_per_narrowed_bit;
  // Magnitude 16, sign 14, 12 bits limited; entries of 13 or 20 bits.
  const double ends = adder * (16 + 14) + narrowed * 12;
  EXPECT_DOUBLE_EQ(lut(LookupKind::plain, 16), ends + 13);
  EXPECT_DOUBLE_EQ(lut(LookupKind::plain, 256), ends + 4 * 13);
  EXPECT_DOUBLE_EQ(lut(LookupKind::pieces, 64), ends + adder * 36 + 2 * 20);
  EXPECT_DOUBLE_EQ(lut(LookupKind::pieces, 256), ends + adder * 36 + 2 * 4 * 20);
  EXPECT_DOUBLE_EQ(lut(LookupKind::ends, 256), ends + adder * (36 + 20 + 40) + 2 * 2 * 20);
  const auto dsp = [&](LookupKind kind) {
    return measure_lookup(kind, Activation::tanh, 12, 64, table).cost.dsp;
  };
  EXPECT_EQ(dsp(LookupKind::plain), 0);
  EXPECT_EQ(dsp(LookupKind::pieces), 1);
}

TEST(ActivationComparison, TablesHaveARowForEachSegmentCount) {
  DatapathTable table(test_platform());
  const std::string text = unpadded(activation_comparison({8, 10}, {8, 16}, table));
  EXPECT_THAT(text, HasSubstr("sigmoid: largest error"));
  EXPECT_THAT(text, HasSubstr("\n| 16 |"));
  EXPECT_THAT(text, HasSubstr("| 10 | tanh | plain |"));
}

}  // namespace
}  // namespace ernn
