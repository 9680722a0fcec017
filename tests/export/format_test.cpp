#include "export/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "base/error.h"

namespace ernn {
namespace {

__extension__ using Wide = __int128;

/// floor(value * 2^(to - from) + 1/2), limited, in 128 bits.
std::int64_t exact_narrow(std::int64_t value, int from, const Format& to, bool& limited) {
  Wide code = value;
  const int right = from - to.fraction();
  if (right > 0) {
    const Wide divisor = Wide{2} << right;  // floor((2 v + 2^right) / 2^(right+1))
    const Wide numerator = 2 * code + (Wide{1} << right);
    code = numerator / divisor;
    if (numerator % divisor < 0) --code;
  } else {
    code *= Wide{1} << -right;
  }
  limited = code > to.largest() || code < to.smallest();
  if (code > to.largest()) code = to.largest();
  if (code < to.smallest()) code = to.smallest();
  return static_cast<std::int64_t>(code);
}

std::vector<std::int64_t> interesting_values() {
  constexpr auto low = std::numeric_limits<std::int64_t>::min();
  constexpr auto high = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> values = {0, low, low + 1, high, high - 1};
  for (int bit = 0; bit < 63; ++bit) {
    const std::int64_t power = std::int64_t{1} << bit;
    for (const std::int64_t offset : {-1, 0, 1}) {
      values.push_back(power + offset);
      values.push_back(-power + offset);
      values.push_back(power / 2 * 3 + offset);  // ties
      values.push_back(-(power / 2 * 3) + offset);
    }
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i)
    values.push_back(static_cast<std::int64_t>(random()) >> (random() % 63));
  return values;
}

TEST(Format, NarrowEqualsExactArithmeticEverywhere) {
  const std::vector<std::int64_t> values = interesting_values();
  for (const Format& to : {Format{12, 4}, Format{1, 1}, Format{2, 30}, Format{16, -5},
                           Format{20, 1}, Format{24, 24}, Format{63, 63}, Format{48, 10}}) {
    for (int right = -60; right <= 63; ++right) {
      for (const std::int64_t value : values) {
        bool limited = false;
        std::int64_t saturations = 0;
        const std::int64_t expected = exact_narrow(value, to.fraction() + right, to, limited);
        ASSERT_EQ(narrow(value, to.fraction() + right, to, saturations), expected)
            << value << " shifted right by " << right << " to " << to.text();
        ASSERT_EQ(saturations, limited ? 1 : 0);
      }
    }
  }
}

TEST(Format, NarrowTiesGoUp) {
  const Format to{8, 8};
  std::int64_t saturations = 0;
  EXPECT_EQ(narrow(3, 1, to, saturations), 2);    // 1.5
  EXPECT_EQ(narrow(-3, 1, to, saturations), -1);  // -1.5
  EXPECT_EQ(narrow(-1, 1, to, saturations), 0);   // -0.5
  EXPECT_EQ(saturations, 0);
  EXPECT_EQ(narrow(255, 1, to, saturations), 127);  // 127.5 rounds to 128
  EXPECT_EQ(saturations, 1);
  EXPECT_EQ(narrow(-257, 1, to, saturations), -128);
  EXPECT_EQ(saturations, 1);
  EXPECT_EQ(narrow(-258, 1, to, saturations), -128);
  EXPECT_EQ(saturations, 2);
}

TEST(Format, NarrowBeyondTheWord) {
  std::int64_t saturations = 0;
  EXPECT_EQ(narrow(std::numeric_limits<std::int64_t>::min(), 100, {8, 4}, saturations), 0);
  EXPECT_EQ(narrow(std::numeric_limits<std::int64_t>::max(), 70, {8, 4}, saturations), 0);
  EXPECT_EQ(narrow(0, -200, {8, 4}, saturations), 0);
  EXPECT_EQ(saturations, 0);
  EXPECT_EQ(narrow(1, -200, {8, 4}, saturations), 127);
  EXPECT_EQ(narrow(-1, -200, {8, 4}, saturations), -128);
  EXPECT_EQ(saturations, 2);
}

// A double below 2^53 times a power of two is an integer ratio, so narrow() is the reference.
TEST(Format, QuantiseEqualsNarrowOfTheExactRatio) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 200000; ++i) {
    const auto mantissa = (static_cast<std::int64_t>(random()) >> 11) >> (random() % 50);
    const int fraction = static_cast<int>(random() % 60);
    const Format to{static_cast<int>(4 + random() % 20), static_cast<int>(random() % 20) - 6};
    std::int64_t expected_limits = 0;
    std::int64_t limits = 0;
    ASSERT_EQ(quantise(std::ldexp(static_cast<double>(mantissa), -fraction), to, limits),
              narrow(mantissa, fraction, to, expected_limits));
    ASSERT_EQ(limits, expected_limits);
  }
}

TEST(Format, QuantiseEdges) {
  std::int64_t saturations = 0;
  const Format to{8, 8};
  EXPECT_EQ(quantise(0.5, to, saturations), 1);
  EXPECT_EQ(quantise(-0.5, to, saturations), 0);
  EXPECT_EQ(quantise(0.49999999999999994, to, saturations), 0);  // + 0.5 would round to 1
  EXPECT_EQ(quantise(127.49, to, saturations), 127);
  EXPECT_EQ(saturations, 0);
  EXPECT_EQ(quantise(127.5, to, saturations), 127);
  EXPECT_EQ(quantise(1e300, to, saturations), 127);
  EXPECT_EQ(quantise(-std::numeric_limits<double>::infinity(), to, saturations), -128);
  EXPECT_EQ(saturations, 3);
  EXPECT_THROW(quantise(std::nan(""), to, saturations), DataError);
}

TEST(Format, FewestIntegerBitsThatHold) {
  for (const double magnitude : {1e-6, 0.3, 0.5, 0.999, 0.9999999, 1.0, 1.5, 7.99, 8.0, 1e5}) {
    for (const int width : {8, 12, 20}) {
      const Format format = format_for(width, magnitude);
      std::int64_t saturations = 0;
      quantise(magnitude, format, saturations);
      quantise(-magnitude, format, saturations);
      EXPECT_EQ(saturations, 0) << magnitude << " in " << format.text();
      const Format smaller{width, format.integer - 1};
      quantise(magnitude, smaller, saturations);
      EXPECT_EQ(saturations, 1) << magnitude << " would fit " << smaller.text();
    }
  }
  EXPECT_EQ(format_for(12, 0), (Format{12, 1}));
  EXPECT_THROW(format_for(12, std::nan("")), DataError);
  EXPECT_EQ((Format{12, 4}).text(), "<12,4>");
  EXPECT_DOUBLE_EQ(dequantise(-3, {12, 4}), -3.0 / 256);
}

}  // namespace
}  // namespace ernn
