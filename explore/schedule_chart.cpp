#include "explore/schedule_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "train/svg_plot.h"

namespace ernn {

namespace {

constexpr double kTop = 8, kRight = 14, kBottom = 44, kLeft = 216;
constexpr double kRow = 19, kGap = 9;

/// Tops of the rows, with a gap between layers.
std::vector<double> row_tops(const ProcessNetwork& network) {
  std::vector<double> tops;
  double at = kTop;
  for (std::size_t p = 0; p < network.processes.size(); ++p) {
    if (p > 0 && network.processes[p].layer != network.processes[p - 1].layer) at += kGap;
    tops.push_back(at);
    at += kRow;
  }
  return tops;
}

std::string bar(const ScheduleChart& chart, const Process& process, const ProcessRun& run,
                double x_from, double x_to, double top) {
  const int colour = chart.by_stream ? run.stream : run.frame;
  const std::string tooltip = fmt::format("{}: frame {}, stream {}, clocks {} to {}", process.name,
                                          run.frame, run.stream, run.first_issue, run.last_write);
  return fmt::format(
      "<g class=\"bar\" style=\"--c:var(--series-{})\"><rect x=\"{:.2f}\" y=\"{:.1f}\" "
      "width=\"{:.2f}\" height=\"{:.0f}\" rx=\"1.5\" fill-opacity=\"{}\"><title>{}</title></rect>"
      "</g>\n",
      colour % kPlotColours, x_from, top + 2, std::max(0.8, x_to - x_from - 0.6), kRow - 4,
      chart.by_stream && run.frame % 2 == 1 ? "0.55" : "0.95", escape_html(tooltip));
}

}  // namespace

std::string render_schedule(const ScheduleChart& chart, const ProcessNetwork& network,
                            const DataflowTrace& trace) {
  const std::vector<double> tops = row_tops(network);
  const double bottom = tops.back() + kRow + 4, height = bottom + kBottom;
  const double right = chart.width - kRight;
  const auto span = static_cast<double>(std::max<std::int64_t>(1, chart.to - chart.from));
  const auto x = [&](double clock) {
    return kLeft + (clock - static_cast<double>(chart.from)) / span * (right - kLeft);
  };
  std::string out = fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {} {:.0f}\" style=\"max-width:{}px\" role=\"img\" "
      "aria-label=\"{}\">\n",
      chart.width, height, chart.width, escape_html(chart.title));
  for (const double tick : nice_ticks(0, span, 9)) {
    const double at = x(static_cast<double>(chart.from) + tick);
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>\n", at,
        kTop, bottom);
    out += fmt::format(
        "<text class=\"tick\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", at,
        bottom + 16, tick_text(tick));
  }
  for (std::size_t p = 0; p < tops.size(); ++p) {
    out += fmt::format(
        "<text class=\"name\" text-anchor=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kLeft - 8,
        tops[p] + 14, escape_html(network.processes[p].name));
  }
  for (const ProcessRun& run : trace.runs) {
    if (run.last_write < chart.from || run.first_issue > chart.to) continue;
    const auto p = static_cast<std::size_t>(run.process);
    const double from = std::max(x(static_cast<double>(run.first_issue)), kLeft);
    const double to = std::min(x(static_cast<double>(run.last_write + 1)), right);
    out += bar(chart, network.processes[p], run, from, to, tops[p]);
  }
  out += fmt::format(
      "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\"/>\n", kLeft,
      kTop, bottom);
  out += fmt::format(
      "<text class=\"label\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">clocks ({:.4g} "
      "clocks "
      "are 1 µs)</text>\n",
      (kLeft + right) / 2, height - 8, chart.clock_mhz);
  return out + "</svg>\n";
}

}  // namespace ernn
