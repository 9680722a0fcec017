#include "train/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace ernn {

namespace {

constexpr double kTop = 14, kRight = 18, kBottom = 46, kLeft = 58;
constexpr double kCharacter = 6.4;  ///< mean width of a letter of axis text

const char* dash(LineStyle style, int colour) {
  if (style == LineStyle::dashed) return " stroke-dasharray=\"5 4\"";
  if (style == LineStyle::dotted) return " stroke-dasharray=\"1.5 4\"";
  return colour / kPlotColours % 2 == 1 ? " stroke-dasharray=\"9 3\"" : "";
}

std::string colour_style(int colour) {
  return fmt::format("--c:var(--series-{})", colour % kPlotColours);
}

/// From data to pixels along one axis.
class Axis {
 public:
  Axis(double low, double high, double from, double to, bool logarithmic)
      : logarithmic_(logarithmic), low_(map(low)), high_(map(high)), from_(from), to_(to) {}

  double operator()(double value) const {
    return from_ + (map(value) - low_) / (high_ - low_) * (to_ - from_);
  }

 private:
  double map(double value) const { return logarithmic_ ? std::log10(value) : value; }
  bool logarithmic_;
  double low_, high_, from_, to_;
};

struct Range {
  double low = HUGE_VAL, high = -HUGE_VAL;
  bool empty() const { return low > high; }
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

bool shown(const LinePlot& plot, const PlotSeries& series, std::size_t i) {
  return std::isfinite(series.x[i]) && std::isfinite(series.y[i]) &&
         (!plot.log_x || series.x[i] > 0) && (!plot.log_y || series.y[i] > 0);
}

/// Widens a range so that no point sits on the frame and it is never a single value.
Range padded(Range range, bool logarithmic, bool from_zero) {
  if (logarithmic) {
    const double factor = std::max(1.1, std::pow(range.high / range.low, 0.06));
    return {range.low / factor, range.high * factor};
  }
  if (from_zero) range.low = std::min(0.0, range.low);
  const double span = range.high - range.low;
  const double pad = span > 0 ? 0.06 * span : std::max(std::abs(range.high) * 0.1, 0.5);
  return {from_zero && range.low == 0 ? 0 : range.low - pad, range.high + pad};
}

std::string open_svg(const std::string& title, double width, double height) {
  return fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {:.0f} {:.0f}\" style=\"max-width:{:.0f}px\" "
      "role=\"img\" aria-label=\"{}\">\n",
      width, height, width, escape_html(title));
}

std::string text_at(double x, double y, const char* attributes, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", x, y, attributes,
                     escape_html(text));
}

std::string line_at(double x1, double y1, double x2, double y2, const char* kind) {
  return fmt::format(
      "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x1,
      y1, x2, y2);
}

std::string empty_plot(const std::string& title, double width, double height) {
  return open_svg(title, width, height) +
         text_at(width / 2, height / 2, " class=\"label\" text-anchor=\"middle\"",
                 "no values to show") +
         "</svg>\n";
}

std::string render_series(const LinePlot& plot, const PlotSeries& series, const Axis& x,
                          const Axis& y) {
  std::string path, points;
  bool pen_down = false;
  std::size_t last = series.x.size();
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!shown(plot, series, i)) {
      pen_down = false;
      continue;
    }
    const double px = x(series.x[i]), py = y(series.y[i]);
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", px, py);
    pen_down = true;
    last = i;
    const std::string tooltip =
        i < series.tooltips.size()
            ? series.tooltips[i]
            : fmt::format("{}: {:.4g} at {:.6g}", series.name, series.y[i], series.x[i]);
    points +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\"><title>{}</title></circle>", px,
                    py, escape_html(tooltip));
  }
  if (last == series.x.size()) return "";
  std::string out =
      fmt::format("<g class=\"series\" style=\"{}\"><path d=\"{}\"{}/>{}",
                  colour_style(series.colour), path, dash(series.style, series.colour), points);
  return out + "</g>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Control characters are not allowed in a page.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::vector<double> nice_ticks(double low, double high, int wanted) {
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high)) return {};
  const double raw = (high - low) / std::max(wanted, 1);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double share = raw / power;
  const double step = power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
  std::vector<double> ticks;
  const auto first = static_cast<long long>(std::ceil(low / step - 1e-9));
  const auto last = static_cast<long long>(std::floor(high / step + 1e-9));
  for (long long i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high) || !(0 < low && low < high)) return {};
  const double decades = std::log10(high / low);
  const std::vector<double> multiples = decades >= 3   ? std::vector<double>{1}
                                        : decades >= 1 ? std::vector<double>{1, 2, 5}
                                                       : std::vector<double>{1, 1.5, 2, 3, 5, 7};
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  // Ten decades and more: not every one of them fits.
  const int stride = std::max(1, (last - first) / 8);
  std::vector<double> ticks;
  for (int e = first; e <= last; ++e) {
    if ((e - first) % stride != 0) continue;
    for (const double multiple : multiples) {
      const double value = multiple * std::pow(10.0, e);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push_back(value);
    }
  }
  // In a narrow range even steps say more.
  return ticks.size() < 3 ? nice_ticks(low, high) : ticks;
}

std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 1e6) return fmt::format("{:.4g}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:.4g}k", value / 1e3);
  if (size >= 1e-3) return fmt::format("{:.6g}", value);
  const int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-9));
  const double factor = value / std::pow(10.0, exponent);
  static const std::array<const char*, 10> digits = {"⁰", "¹", "²", "³", "⁴",
                                                     "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string power = exponent < 0 ? "10⁻" : "10";
  for (const char c : std::to_string(std::abs(exponent)))
    power += digits.at(static_cast<std::size_t>(c - '0'));
  return std::abs(factor - 1) < 1e-6 ? power : fmt::format("{:.3g}·{}", factor, power);
}

std::string render(const LinePlot& plot) {
  Range xs, ys;
  for (const auto& series : plot.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!shown(plot, series, i)) continue;
      xs.add(series.x[i]);
      ys.add(series.y[i]);
    }
  }
  if (xs.empty()) return empty_plot(plot.title, plot.width, plot.height);
  xs = padded(xs, plot.log_x, false);
  xs.low = std::max(xs.low, 0.0);
  if (!(xs.low < xs.high)) xs.high = xs.low + 1;
  ys = padded(ys, plot.log_y, plot.y_from_zero);
  const double right = plot.width - kRight, bottom = plot.height - kBottom;
  const Axis x(xs.low, xs.high, kLeft, right, plot.log_x);
  const Axis y(ys.low, ys.high, bottom, kTop, plot.log_y);

  std::string out = open_svg(plot.title, plot.width, plot.height);
  for (const double tick : plot.log_y ? log_ticks(ys.low, ys.high) : nice_ticks(ys.low, ys.high)) {
    out += line_at(kLeft, y(tick), right, y(tick), "grid");
    out += text_at(kLeft - 8, y(tick) + 4, " class=\"tick\" text-anchor=\"end\"", tick_text(tick));
  }
  std::vector<double> x_ticks = plot.x_ticks;
  if (x_ticks.empty())
    x_ticks = plot.log_x ? log_ticks(xs.low, xs.high) : nice_ticks(xs.low, xs.high, 6);
  for (const double tick : x_ticks) {
    out += line_at(x(tick), bottom, x(tick), bottom + 4, "axis");
    out += text_at(x(tick), bottom + 18, " class=\"tick\" text-anchor=\"middle\"", tick_text(tick));
  }
  out += line_at(kLeft, bottom, right, bottom, "axis");
  out += text_at((kLeft + right) / 2, plot.height - 8, " class=\"label\" text-anchor=\"middle\"",
                 plot.x_label);
  out += fmt::format(
      "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(14 {:.1f}) "
      "rotate(-90)\">{}</text>\n",
      (kTop + bottom) / 2, escape_html(plot.y_label));
  for (const auto& series : plot.series) out += render_series(plot, series, x, y);
  return out + "</svg>\n";
}

std::string render_legend(const std::vector<LegendEntry>& entries) {
  std::string out = "<div class=\"legend\">";
  for (const auto& entry : entries) {
    out += fmt::format(
        "<span><svg width=\"26\" height=\"10\" aria-hidden=\"true\"><g class=\"series\" "
        "style=\"{}\"><path d=\"M1 5L25 5\"{}/></g></svg>{}</span>",
        colour_style(entry.colour), dash(entry.style, entry.colour), escape_html(entry.name));
  }
  return out + "</div>\n";
}

std::string render_file(const LinePlot& plot) {
  constexpr int kLine = 18;
  const int height = plot.height + kLine * static_cast<int>(plot.series.size()) + 10;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\"><style>{2}</style>\n"
      "<rect width=\"{0}\" height=\"{1}\" style=\"fill:var(--plot-paper)\"/>\n"
      "<svg width=\"{0}\" height=\"{3}\">{4}</svg>\n<g class=\"plot\">",
      plot.width, height, plot_style(), plot.height, render(plot));
  int y = plot.height;
  for (const auto& series : plot.series) {
    y += kLine;
    svg += fmt::format(
        "<g class=\"series\" style=\"{}\"><path d=\"M60 {}L86 {}\"{}/></g>"
        "<text x=\"94\" y=\"{}\">{}</text>\n",
        colour_style(series.colour), y - 4, y - 4, dash(series.style, series.colour), y,
        escape_html(series.name));
  }
  return svg + "</g></svg>\n";
}

std::string render(const BarChart& chart) {
  constexpr double kRow = 27;
  Range values;
  std::size_t longest = 0, longest_text = 0;
  for (const auto& bar : chart.bars) {
    if (std::isfinite(bar.value)) values.add(bar.value);
    longest = std::max(longest, bar.label.size());
    longest_text = std::max(longest_text, bar.text.size());
  }
  const double height = kTop + kRow * static_cast<double>(chart.bars.size()) + kBottom;
  if (values.empty()) return empty_plot(chart.title, chart.width, 120);
  const double left = std::min(20 + kCharacter * static_cast<double>(longest), 0.45 * chart.width);
  const double right = chart.width - 14 - 1.15 * kCharacter * static_cast<double>(longest_text);
  const double high = values.high > 0 ? values.high : 1;
  const Axis x(0, high, left, right, false);
  const double bottom = height - kBottom;

  std::string out = open_svg(chart.title, chart.width, height);
  for (const double tick : nice_ticks(0, high, static_cast<int>((right - left) / 48))) {
    out += line_at(x(tick), kTop, x(tick), bottom, "grid");
    out += text_at(x(tick), bottom + 18, " class=\"tick\" text-anchor=\"middle\"", tick_text(tick));
  }
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const double top = kTop + kRow * static_cast<double>(i) + 4;
    out += text_at(left - 8, top + 14, " class=\"name\" text-anchor=\"end\"", bar.label);
    if (!std::isfinite(bar.value)) continue;
    const double end = std::max(x(std::max(bar.value, 0.0)), left + 1);
    out += fmt::format(
        "<g class=\"bar\" style=\"{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.0f}\" rx=\"2\"><title>{}</title></rect></g>\n",
        colour_style(bar.colour), left, top, end - left, kRow - 8,
        escape_html(bar.label + ": " + bar.text));
    out += text_at(end + 7, top + 14, " class=\"value\"", bar.text);
  }
  out += line_at(left, kTop, left, bottom, "axis");
  out += text_at((left + right) / 2, height - 8, " class=\"label\" text-anchor=\"middle\"",
                 chart.x_label);
  return out + "</svg>\n";
}

namespace {

/// Small shares must show: the square root, full strength from a half on.
double strength(double share) {
  return std::isfinite(share) ? std::sqrt(std::clamp(share / 0.5, 0.0, 1.0)) : 0;
}

}  // namespace

std::string render(const HeatMap& map) {
  constexpr double kCell = 16, kMargin = 52;
  const double width = kMargin + kCell * static_cast<double>(map.columns.size()) + 4;
  const double height = kMargin + kCell * static_cast<double>(map.rows.size()) + 4;
  std::string out = open_svg(map.title, width, height);
  out += text_at(kMargin + (width - kMargin) / 2, 12, " class=\"label\" text-anchor=\"middle\"",
                 map.column_title);
  out += fmt::format(
      "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(12 {:.1f}) "
      "rotate(-90)\">{}</text>\n",
      kMargin + (height - kMargin) / 2, escape_html(map.row_title));
  const auto x = [&](std::size_t column) { return kMargin + kCell * static_cast<double>(column); };
  for (std::size_t c = 0; c < map.columns.size(); ++c) {
    // Turned, so that neighbours never touch.
    out += fmt::format(
        "<text class=\"phone\" transform=\"translate({:.1f} {:.1f}) rotate(-60)\">{}</text>\n",
        x(c) + kCell / 2 + 3, kMargin - 5, escape_html(map.columns[c]));
  }
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    out += text_at(kMargin - 6, x(r) + kCell / 2 + 3.5, " class=\"phone\" text-anchor=\"end\"",
                   map.rows[r]);
    out += line_at(kMargin, x(r), width - 4, x(r), "grid");
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      const HeatCell& cell = map.cells[r * map.columns.size() + c];
      if (!(cell.share > 0)) continue;
      out += fmt::format(
          "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.0f}\" height=\"{:.0f}\" "
          "fill-opacity=\"{:.3f}\"><title>{}</title></rect>\n",
          cell.match ? "match" : "other", x(c) + 0.5, x(r) + 0.5, kCell - 1, kCell - 1,
          strength(cell.share), escape_html(cell.tooltip));
    }
  }
  return out + "</svg>\n";
}

std::string render_heat_legend(const std::string& match, const std::string& other) {
  std::string out = "<div class=\"legend\">";
  const auto swatches = [&](const char* kind, const std::string& name) {
    out += "<span>" + escape_html(name);
    for (const double share : {0.01, 0.05, 0.2, 0.5}) {
      out += fmt::format(
          " <svg class=\"plot\" width=\"14\" height=\"14\" style=\"width:14px\" "
          "aria-hidden=\"true\"><rect class=\"{}\" width=\"14\" height=\"14\" "
          "fill-opacity=\"{:.3f}\"/></svg>{:.0f}&#8239;%",
          kind, strength(share), 100 * share);
    }
    out += "+</span>";
  };
  swatches("match", match);
  swatches("other", other);
  return out + "</div>\n";
}

std::string plot_style() {
  return R"css(
:root {
  --plot-ink: #1b1f24; --plot-muted: #5b6570; --plot-grid: #e4e7eb; --plot-paper: #ffffff;
  --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73; --series-3: #b5568f;
  --series-4: #b97f00; --series-5: #3f9fd4; --series-6: #555b63;
}
@media (prefers-color-scheme: dark) {
  :root {
    --plot-ink: #e8eaed; --plot-muted: #a2abb5; --plot-grid: #31373e; --plot-paper: #1c2025;
    --series-0: #5aa9e6; --series-1: #f08a4b; --series-2: #3cc79c; --series-3: #e08fbd;
    --series-4: #e6b23c; --series-5: #8fd0f5; --series-6: #b4bbc3;
  }
}
.plot { display: block; width: 100%; height: auto; font-family: inherit; }
.plot text { fill: var(--plot-ink); font-size: 12px; }
.plot .tick { fill: var(--plot-muted); font-size: 11px; font-variant-numeric: tabular-nums; }
.plot .label { fill: var(--plot-muted); font-size: 12px; }
.plot .phone { fill: var(--plot-muted); font-size: 10.5px; }
.plot .value { font-weight: 600; font-size: 11.5px; paint-order: stroke;
  stroke: var(--plot-paper); stroke-width: 3px; font-variant-numeric: tabular-nums; }
.plot .grid { stroke: var(--plot-grid); stroke-width: 1; }
.plot .axis { stroke: var(--plot-muted); stroke-width: 1; }
.series path { fill: none; stroke: var(--c); stroke-width: 1.8; stroke-linejoin: round; }
.series circle { fill: var(--c); }
.series circle:hover { stroke: var(--plot-ink); stroke-width: 1.5; }
.plot:has(.series:hover) .series:not(:hover) { opacity: 0.2; }
.bar rect { fill: var(--c); }
.plot .match { fill: var(--series-0); }
.plot .other { fill: var(--series-1); }
.plot .match:hover, .plot .other:hover { stroke: var(--plot-ink); stroke-width: 1.5; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 12.5px;
  color: var(--plot-muted); margin: 4px 0 6px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
@media print {
  :root {
    --plot-ink: #000000; --plot-muted: #444444; --plot-grid: #dddddd; --plot-paper: #ffffff;
    --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73; --series-3: #b5568f;
    --series-4: #b97f00; --series-5: #3f9fd4; --series-6: #555b63;
  }
}
)css";
}

}  // namespace ernn
