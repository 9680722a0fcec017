#include "train/svg_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/markup.h"

namespace ernn {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Ticks, AreRoundAndInside) {
  EXPECT_THAT(nice_ticks(0, 10), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(nice_ticks(-0.3, 0.3, 6),
              Pointwise(DoubleNear(1e-12), {-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3}));
  EXPECT_THAT(nice_ticks(1234, 1236, 4), ElementsAre(1234, 1234.5, 1235, 1235.5, 1236));
  EXPECT_TRUE(nice_ticks(1, 1).empty());
  EXPECT_TRUE(nice_ticks(0, kNan).empty());
}

TEST(Ticks, OfLogarithmicAxesArePowersOfTen) {
  EXPECT_THAT(log_ticks(1e-4, 1), Pointwise(DoubleNear(1e-12), {1e-4, 1e-3, 1e-2, 1e-1, 1.0}));
  EXPECT_THAT(log_ticks(0.9, 21), Pointwise(DoubleNear(1e-12), {1.0, 2.0, 5.0, 10.0, 20.0}));
  EXPECT_THAT(log_ticks(9, 60), Pointwise(DoubleNear(1e-12), {10., 15., 20., 30., 50.}));
  EXPECT_GE(log_ticks(12.1, 12.9).size(), 3U);
  EXPECT_LT(log_ticks(1e-30, 1e30).size(), 12U);
  EXPECT_TRUE(log_ticks(0, 1).empty());
}

TEST(Ticks, ReadShort) {
  EXPECT_EQ(tick_text(0), "0");
  EXPECT_EQ(tick_text(-2.5), "-2.5");
  EXPECT_EQ(tick_text(20000), "20k");
  EXPECT_EQ(tick_text(1500000), "1.5M");
  EXPECT_EQ(tick_text(1e-4), "10⁻⁴");
  EXPECT_EQ(tick_text(5e-12), "5·10⁻¹²");
}

TEST(LinePlot, PutsPointsWhereTheAxisSays) {
  LinePlot plot;
  plot.series.push_back({"a", {0, 50, 100}, {1, 10, 100}, {}});
  plot.log_y = true;
  const std::string svg = render(plot);
  const auto y = numbers_of(svg, "cy");
  ASSERT_EQ(y.size(), 3U);
  EXPECT_NEAR(y[0] - y[1], y[1] - y[2], 0.11);  // equal ratios are equal steps
  EXPECT_GT(y[0], y[2]);                        // upwards is more
  const auto x = numbers_of(svg, "cx");
  EXPECT_NEAR(x[1] - x[0], x[2] - x[1], 0.11);
  plot.log_y = false;
  const auto linear = numbers_of(render(plot), "cy");
  EXPECT_NEAR((linear[0] - linear[1]) / (linear[0] - linear[2]), 9.0 / 99, 0.002);
}

TEST(LinePlot, ALogarithmicAxisTakesItsOwnTicks) {
  LinePlot plot;
  plot.series.push_back({"a", {2, 8, 32}, {1, 2, 3}, {}});
  plot.log_x = true;
  plot.x_ticks = {2, 4, 8, 16, 32};
  const std::string svg = render(plot);
  const auto x = numbers_of(svg, "cx");
  ASSERT_EQ(x.size(), 3U);
  EXPECT_NEAR(x[1] - x[0], x[2] - x[1], 0.11);
  for (const char* tick : {">2<", ">4<", ">8<", ">16<", ">32<"}) EXPECT_THAT(svg, HasSubstr(tick));
  plot.series[0].x[0] = 0;
  EXPECT_EQ(count(render(plot), "<circle"), 2) << "zero has no place on it";
}

TEST(LinePlot, LeavesOutWhatCannotBeDrawn) {
  LinePlot plot;
  plot.log_y = true;
  plot.series.push_back(
      {"a", {0, 1, 2, 3, 4}, {1, kNan, 0, -1, std::numeric_limits<double>::infinity()}, {}});
  const std::string svg = render(plot);
  EXPECT_EQ(count(svg, "<circle"), 1);
  expect_well_formed(svg);
  expect_finite(svg);
  plot.series[0].y = {kNan, kNan, kNan, kNan, kNan};
  EXPECT_THAT(render(plot), HasSubstr("no values"));
  plot.series.clear();
  EXPECT_THAT(render(plot), HasSubstr("no values"));
}

TEST(LinePlot, ASingleValueAndConstantsHaveARange) {
  for (const bool logarithmic : {false, true}) {
    LinePlot plot;
    plot.log_y = logarithmic;
    plot.series.push_back({"a", {0}, {3}, {}});
    expect_finite(render(plot));
    plot.series.push_back({"b", {5, 6}, {3, 3}, {}});
    expect_finite(render(plot));
    EXPECT_EQ(count(render(plot), "<circle"), 3);
  }
  LinePlot zero;
  zero.series.push_back({"a", {0}, {0}, {}});
  expect_finite(render(zero));
}

TEST(LinePlot, KeepsTextsAsTexts) {
  LinePlot plot;
  plot.title = "\"<title>\" & 'more'";
  plot.x_label = "<x>";
  plot.y_label = "y & z";
  plot.series.push_back({"<b>", {0, 1}, {0, 1}, {}});
  const std::string svg = render(plot);
  expect_well_formed(svg);
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, HasSubstr("y &amp; z"));
}

TEST(BarChart, LengthsAreProportional) {
  BarChart chart;
  chart.bars = {
      {"a", 10, "ten", 0}, {"b & c", 5, "five", 1}, {"c", kNan, "?", 2}, {"d", 0, "0", 3}};
  const std::string svg = render(chart);
  expect_well_formed(svg);
  expect_finite(svg);
  const auto widths = numbers_of(svg, "width");
  ASSERT_EQ(widths.size(), 3U);
  EXPECT_NEAR(widths[0] / widths[1], 2, 0.01);
  EXPECT_THAT(svg, HasSubstr("five"));
  EXPECT_THAT(render(BarChart{}), HasSubstr("no values"));
}

TEST(HeatMap, DrawsOnlyWhatIsThere) {
  HeatMap map;
  map.rows = {"a", "<b>"};
  map.columns = {"x", "y"};
  map.cells = {{0.5, true, "a is x"}, {0, false, ""}, {0.1, false, "b & x"}, {kNan, false, ""}};
  const std::string svg = render(map);
  expect_well_formed(svg);
  expect_finite(svg);
  EXPECT_EQ(count(svg, "<rect"), 2);
  EXPECT_THAT(svg, HasSubstr("<title>b &amp; x</title>"));
  const auto strength = numbers_of(svg, "fill-opacity");
  ASSERT_EQ(strength.size(), 2U);
  EXPECT_GT(strength[0], strength[1]);
}

TEST(Html, EscapesMarkupAndControlCharacters) {
  EXPECT_EQ(escape_html("a<b>&\"'\x01"), "a&lt;b&gt;&amp;&quot;&#39; ");
}

}  // namespace
}  // namespace ernn
