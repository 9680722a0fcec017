#include <fmt/format.h>

#include <algorithm>

#include "base/options.h"
#include "explore/estimate.h"
#include "explore/published_designs.h"
#include "explore/schedule_chart.h"
#include "train/report_style.h"
#include "train/svg_plot.h"

namespace ernn {

namespace {

std::string tiles(const Estimate& estimate) {
  std::string out = "<div class=\"tiles\">\n";
  out +=
      html_tile(fmt::format("{:.2f}&#8239;µs", estimate.microseconds(estimate.simulated.latency)),
                "latency of one stream, port to port");
  out += html_tile(
      fmt::format("{:.0f}k/s", estimate.frames_per_second(estimate.simulated.single) / 1e3),
      "frames of one stream");
  out += html_tile(
      fmt::format("{:.0f}k/s", estimate.frames_per_second(estimate.simulated.interleaved) / 1e3),
      fmt::format("frames of {} streams together", estimate.timing.streams));
  out += html_tile(fmt::format("{:.1f}&#8239;µJ", 1e6 * estimate.energy_interleaved.total()),
                   fmt::format("a frame with {} streams, assumed", estimate.timing.streams));
  return out + "</div>\n";
}

std::string resource_bars(const Estimate& estimate) {
  const Platform& device = estimate.platform;
  BarChart chart;
  chart.title = "Resources";
  chart.x_label = fmt::format("% of the device; {:.0f} % may be used", 100 * device.usable);
  const auto add = [&](const char* name, double used, double has) {
    chart.bars.push_back({name, 100 * used / has, fmt::format("{:.0f} of {:.0f}", used, has),
                          used > device.usable * has ? 1 : 0});
  };
  add("DSP", estimate.total.dsp, device.dsp);
  add("BRAM36", estimate.total.bram36, device.bram36);
  add("LUT", estimate.total.lut, device.lut);
  add("LUT as RAM", estimate.total.lutram, device.lut);
  add("FF", estimate.total.ff, device.ff);
  return render(chart);
}

std::string interval_bars(const Estimate& estimate) {
  BarChart chart;
  chart.title = "Clocks of a vector in each process";
  chart.x_label = "clocks";
  for (const StageTiming& stage : estimate.timing.stages) {
    chart.bars.push_back({stage.name, static_cast<double>(stage.interval()),
                          std::to_string(stage.interval()), std::max(0, stage.layer + 1)});
  }
  return render(chart);
}

std::string schedules(const Estimate& estimate) {
  ScheduleChart chart;
  chart.clock_mhz = estimate.platform.clock_mhz;
  chart.title = "One stream";
  chart.to =
      static_cast<std::int64_t>(estimate.simulated.latency + 1.6 * estimate.simulated.single);
  std::string out = html_figure(
      "One stream from the first clock on, a colour a frame: only input products run ahead",
      render_schedule(chart, estimate.network, estimate.single_trace));
  if (estimate.timing.streams < 2) return out;
  const double frame = estimate.simulated.interleaved * estimate.timing.streams;
  chart.title = "Interleaved streams";
  chart.by_stream = true;
  chart.from = static_cast<std::int64_t>(estimate.simulated.latency + 2.2 * frame);
  chart.to = chart.from + static_cast<std::int64_t>(
                              std::min(2.2 * frame, 1.2 * frame + 10 * estimate.timing.single));
  return out +
         html_figure(fmt::format("{} streams under way, a colour a stream, every other frame paler",
                                 estimate.timing.streams),
                     render_schedule(chart, estimate.network, estimate.interleaved_trace));
}

std::string times(const Estimate& estimate) {
  Table rows = {{"", "clocks by formula", "by simulation", "µs", "frames/s"}};
  const auto add = [&](const std::string& name, double formula, double simulated, bool rate) {
    const double clocks = simulated > 0 ? simulated : formula;
    rows.push_back({name, fmt::format("{:.1f}", formula),
                    simulated > 0 ? fmt::format("{:.1f}", simulated) : "–",
                    fmt::format("{:.2f}", estimate.microseconds(clocks)),
                    rate ? fmt::format("{:.0f}", estimate.frames_per_second(clocks)) : "–"});
  };
  for (const LayerTiming& layer : estimate.timing.layers) {
    add("latency of " + layer.name + ", nothing computed ahead", layer.latency, 0, false);
    if (layer.recurrence > 0) add("recurrence of " + layer.name, layer.recurrence, 0, true);
  }
  add("latency of the network, port to port", estimate.timing.latency, estimate.simulated.latency,
      false);
  add("interval, one stream", estimate.timing.single, estimate.simulated.single, true);
  add(fmt::format("interval, {} streams interleaved", estimate.timing.streams),
      estimate.timing.interleaved, estimate.simulated.interleaved, true);
  return html_table(rows, 1) +
         html_note(fmt::format("What sets the interval of {} streams: {}.", estimate.timing.streams,
                               escape_html(estimate.timing.bottleneck)));
}

std::string stage_table(const Estimate& estimate) {
  Table rows = {{"process", "beats", "depth", "clocks", "DSP", "BRAM36", "LUT", "FF",
                 "products a beat", "weight bits a clock"}};
  for (std::size_t i = 0; i < estimate.stages.size(); ++i) {
    const StageResources& stage = estimate.stages[i];
    const StageTiming& timing = estimate.timing.stages[i];
    rows.push_back({stage.name, std::to_string(timing.beats), std::to_string(timing.depth),
                    std::to_string(timing.interval()), fmt::format("{:.0f}", stage.total.dsp),
                    fmt::format("{:.1f}", stage.total.bram36),
                    fmt::format("{:.0f}", stage.total.lut), fmt::format("{:.0f}", stage.total.ff),
                    std::to_string(stage.multiplications), std::to_string(stage.weight_bandwidth)});
  }
  return html_table(rows, 1);
}

std::string datapath_table(const Estimate& estimate) {
  Table rows = {{"function", "widths", "source", "by", "k", "depth", "LUT", "FF", "DSP"}};
  for (const DatapathCost& cost : estimate.datapath) {
    std::string widths;
    for (const auto& [name, bits] : cost.widths)
      widths += fmt::format("{}{} {}", widths.empty() ? "" : ", ", name, bits);
    rows.push_back({cost.function, widths, name_of(cost.source), cost.tool, std::to_string(cost.k),
                    std::to_string(cost.depth), fmt::format("{:.0f}", cost.lut),
                    fmt::format("{:.0f}", cost.ff), std::to_string(cost.dsp)});
  }
  return html_table(rows, 4);
}

std::string published_table() {
  Table rows = {{"work", "network", "device", "latency", "throughput", "power", "how known"}};
  for (const PublishedDesign& design : published_designs()) {
    rows.push_back({design.work, design.network, design.device, design.latency, design.throughput,
                    design.power, design.how_known});
  }
  return html_table(rows, 7);
}

}  // namespace

std::string estimate_page(const Estimate& estimate) {
  std::string body = fmt::format(
      "<header>\n<h1>{}</h1>\n<p class=\"lead\">Estimate for {} ({}) at {:.0f} MHz, {} "
      "streams.</p>\n</header>\n",
      escape_html(estimate.title), escape_html(estimate.platform.name),
      escape_html(estimate.platform.device), estimate.platform.clock_mhz, estimate.timing.streams);
  body += tiles(estimate);
  body += html_section("Schedule", schedules(estimate));
  body += html_section("Time", times(estimate));
  body += html_section(
      "Resources and balance",
      "<div class=\"pair\">\n" + html_figure("Taken of the device", resource_bars(estimate)) +
          html_figure("Clocks of a vector in each process", interval_bars(estimate)) + "</div>\n" +
          stage_table(estimate));
  std::string notes = "<ul>\n";
  for (const std::string& note : estimate_notes(estimate))
    notes += "<li>" + escape_html(note) + "</li>\n";
  body += html_section("What this rests on", notes + "</ul>\n" + datapath_table(estimate));
  body += html_section("Published designs",
                       html_note("Latency and throughput are apart on purpose: throughput of a "
                                 "pipeline needs several streams.") +
                           published_table());
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
      "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\"/>\n<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n<main>\n{}"
      "</main>\n</body>\n</html>\n",
      escape_html(estimate.title), plot_style(), report_style(), body);
}

}  // namespace ernn
