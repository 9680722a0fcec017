// Small plots as SVG, to stand inside an HTML page or as a file: lines, bars, heat maps.
//
// Colours are CSS variables, so one drawing serves a light page, a dark page and paper;
// plot_style() defines them. Values that are not finite, and values that a logarithmic axis cannot
// show, are left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ernn {

/// Text with & < > and quotes replaced, for HTML content and attributes.
std::string escape_html(std::string_view text);

/// Number of colours of the palette (Okabe & Ito 2008, told apart by colour-blind readers); colour
/// numbers beyond it start again with another dash.
inline constexpr int kPlotColours = 7;

/// Multiples of 1, 2 or 5 times a power of ten that lie in [low, high], about `wanted` of them.
std::vector<double> nice_ticks(double low, double high, int wanted = 5);
/// Powers of ten in [low, high]; below three decades also some of their multiples, and nice_ticks()
/// where that leaves fewer than three.
std::vector<double> log_ticks(double low, double high);
/// Short text of a tick: "1.5", "20k", "10⁻⁴".
std::string tick_text(double value);

enum class LineStyle { solid, dashed, dotted };

struct PlotSeries {
  std::string name;
  std::vector<double> x, y;
  std::vector<std::string> tooltips;  ///< one a point, or none
  int colour = 0;
  LineStyle style = LineStyle::solid;
};

struct LinePlot {
  std::string title;  ///< for readers that cannot see
  std::string x_label, y_label;
  std::vector<double> x_ticks;  ///< where the axis is marked; empty: at round numbers
  bool log_x = false, log_y = false;
  bool y_from_zero = false;
  std::vector<PlotSeries> series;
  int width = 560, height = 320;
};
std::string render(const LinePlot& plot);
/// A file of its own: the drawing with its colours, a background and a key below.
std::string render_file(const LinePlot& plot);

/// A key of colours, one entry a name, as HTML that wraps on narrow pages.
struct LegendEntry {
  std::string name;
  int colour = 0;
  LineStyle style = LineStyle::solid;
};
std::string render_legend(const std::vector<LegendEntry>& entries);

struct Bar {
  std::string label;
  double value = 0;
  std::string text;  ///< written behind the bar
  int colour = 0;
};

/// Horizontal bars from zero.
struct BarChart {
  std::string title;
  std::string x_label;
  std::vector<Bar> bars;
  int width = 560;
};
std::string render(const BarChart& chart);

/// One cell; `share` in [0, 1] sets how strong its colour is, `match` which of the two colours.
struct HeatCell {
  double share = 0;
  bool match = false;
  std::string tooltip;
};

struct HeatMap {
  std::string title;
  std::string row_title, column_title;
  std::vector<std::string> rows, columns;
  std::vector<HeatCell> cells;  ///< [rows, columns]
};
std::string render(const HeatMap& map);
/// The colour scale of heat maps.
std::string render_heat_legend(const std::string& match, const std::string& other);

/// The CSS that the drawings need.
std::string plot_style();

}  // namespace ernn
