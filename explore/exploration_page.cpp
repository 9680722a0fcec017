#include <fmt/format.h>

#include <cmath>

#include "base/options.h"
#include "base/text.h"
#include "explore/exploration.h"
#include "explore/exploration_tables.h"
#include "train/report_style.h"
#include "train/svg_plot.h"

namespace ernn {

namespace {

std::string note(const std::string& text) {
  return html_note(escape_html(text));
}

bool trained(const ExploredTrial& trial) {
  return trial.record.state != TrialState::open;
}

/// A point by itself.
PlotSeries point(const std::string& tooltip, double x, double y, int colour) {
  PlotSeries series;
  series.name = tooltip;
  series.x = {x};
  series.y = {y};
  series.tooltips = {tooltip};
  series.colour = colour;
  return series;
}

int colour_of(const Exploration& exploration, const ExploredTrial& trial) {
  return static_cast<int>(&trial - exploration.trials.data()) % (kPlotColours - 1);
}

constexpr int kDenseColour = 6;

std::string trial_legend(const Exploration& exploration, bool designed, bool dense) {
  std::vector<LegendEntry> legend;
  if (dense) legend.push_back({"dense", kDenseColour, LineStyle::solid});
  for (const ExploredTrial& trial : exploration.trials) {
    if (!trained(trial) || (designed && !trial.dropped.empty())) continue;
    legend.push_back({numbered(exploration, trial), colour_of(exploration, trial)});
  }
  return render_legend(legend);
}

std::string tiles(const Exploration& exploration) {
  std::string out = "<div class=\"tiles\">\n";
  const TrialRecord& dense = exploration.cells.front().dense;
  out += html_tile(fmt::format("{:.2f}&#8239;%", dense.dev_per), "dev PER of the dense network");
  out +=
      html_tile(fmt::format("{:.2f}&#8239;%", exploration.limit), "dev PER that designs may have");
  for (const ExploredPlatform& platform : exploration.platforms) {
    if (platform.chosen.empty()) {
      out += html_tile("no design", platform.label);
      continue;
    }
    const HardwareDesign& design = *find_design(platform, platform.chosen);
    out +=
        html_tile(fmt::format("{:.2f}&#8239;µs", design.latency_us), platform.label + ": latency");
    out += html_tile(
        fmt::format("{:.0f}k/s", design.interleaved_fps / 1e3),
        fmt::format("{}: frames, {} streams", platform.label, exploration.options.streams));
    out +=
        html_tile(fmt::format("{:.2f}&#8239;%", platform.test_per), platform.label + ": test PER");
  }
  return out + "</div>\n";
}

std::string bounds_section(const ExploredCell& cell) {
  Table rows = {
      {"platform", "smallest kernel", "k", "multiplications", "numbers", "DSP", "BRAM36", "LUT"}};
  std::string text;
  for (const BlockBounds& bounds : cell.bounds) {
    for (const UniformCost& cost : bounds.costs) {
      rows.push_back({bounds.platform, cost.shortage.empty() ? "fits" : cost.shortage,
                      std::to_string(cost.k), std::to_string(cost.multiplications),
                      std::to_string(cost.numbers), fmt::format("{:.0f}", cost.resources.dsp),
                      fmt::format("{:.1f}", cost.resources.bram36),
                      fmt::format("{:.0f}", cost.resources.lut)});
    }
    text += note(bounds.lower == 0 || bounds.upper == 0
                     ? fmt::format("{}: fits with no block size worth training.", bounds.platform)
                     : fmt::format("{}: k = {} to {}; multiplications shrink up to k = {}.",
                                   bounds.platform, bounds.lower, bounds.upper, bounds.arithmetic));
  }
  return text + html_table(rows, 2);
}

/// Predicted rise of the loss, or the relative distance, of each matrix over k.
std::string sensitivity_chart(const ExploredCell& cell, bool loss) {
  LinePlot plot;
  plot.title = loss ? "Predicted increase of the loss" : "Distance to the nearest circulant matrix";
  plot.x_label = "log₂ of the block size k";
  plot.y_label = loss ? "nats" : "||W − P(W)|| / ||W||";
  plot.log_y = loss;
  plot.y_from_zero = !loss;
  std::vector<LegendEntry> legend;
  int colour = 0;
  for (const MatrixSensitivity& matrix : cell.sensitivity.matrices) {
    PlotSeries series;
    series.name = matrix.matrix;
    series.colour = colour++;
    for (std::size_t s = 0; s < matrix.sizes.size(); ++s) {
      if (matrix.sizes[s] == 1) continue;
      const double value = loss ? matrix.loss[s] : matrix.distance[s];
      series.x.push_back(std::log2(matrix.sizes[s]));
      series.y.push_back(value);
      series.tooltips.push_back(
          fmt::format("{}, k = {}: {:.4g}", matrix.matrix, matrix.sizes[s], value));
    }
    legend.push_back({matrix.matrix, series.colour});
    plot.series.push_back(std::move(series));
  }
  return html_figure(plot.title, render(plot) + render_legend(legend));
}

std::string sensitivity_section(const ExploredCell& cell) {
  const bool fisher = cell.sensitivity.curvature == "fisher";
  Table rows = {{"place", "block sizes worth choosing"}};
  for (const BlockPlace& place : cell.places) {
    std::vector<std::string> sizes;
    for (const int k : place.sizes) sizes.push_back(std::to_string(k));
    rows.push_back({place.name, join(sizes, ", ")});
  }
  return note(fmt::format(
             "From the dense network alone: half the sum of curvature times squared projection "
             "error, curvature by {} over {} {}. A prediction without retraining, so it ranks; it "
             "does not say what a trained network will lose.",
             fisher ? "the Fisher diagonal (labels drawn from the outputs)" : "squared gradients",
             cell.sensitivity.count, fisher ? "frames" : "phones")) +
         "<div class=\"pair\">\n" + sensitivity_chart(cell, true) + sensitivity_chart(cell, false) +
         "</div>\n" + html_table(rows, 2);
}

std::string accuracy_chart(const Exploration& exploration) {
  LinePlot plot;
  plot.title = "Dev PER over stored numbers";
  plot.x_label = "stored numbers, thousands";
  plot.y_label = "dev PER %";
  PlotSeries limit;
  limit.name = "budget";
  limit.colour = kDenseColour;
  limit.style = LineStyle::dashed;
  const auto add = [&](const TrialRecord& record, int colour) {
    const double size = static_cast<double>(record.numbers) / 1e3;
    plot.series.push_back(point(
        fmt::format("{}: {:.2f} % dev PER, {:.1f}k numbers", record.name, record.dev_per, size),
        size, record.dev_per, colour));
    limit.x.push_back(size);
    limit.y.push_back(exploration.limit);
  };
  for (const ExploredCell& cell : exploration.cells) add(cell.dense, kDenseColour);
  for (const ExploredTrial& trial : exploration.trials) {
    if (trained(trial)) add(trial.record, colour_of(exploration, trial));
  }
  plot.series.push_back(limit);
  return html_figure("Accuracy against size; dashed: the budget",
                     render(plot) + trial_legend(exploration, false, true));
}

std::string prediction_chart(const Exploration& exploration) {
  LinePlot plot;
  plot.title = "Dev PER over predicted loss";
  plot.x_label = "predicted increase of the loss before retraining, nats";
  plot.y_label = "dev PER %";
  for (const ExploredTrial& trial : exploration.trials) {
    if (!trained(trial)) continue;
    const double loss = trial.proposal.assignment.loss;
    plot.series.push_back(point(fmt::format("{}: predicted {:.4g} nats, trained {:.2f} % dev PER",
                                            trial.record.name, loss, trial.record.dev_per),
                                loss, trial.record.dev_per, colour_of(exploration, trial)));
  }
  return html_figure("What was predicted and what training came to",
                     render(plot) + trial_legend(exploration, false, false));
}

/// Why trials were dropped, and what could not be proposed.
std::string reasons(const Exploration& exploration) {
  std::string items;
  for (const std::string& reason : trial_reasons(exploration))
    items += fmt::format("<li>{}</li>\n", escape_html(reason));
  return items.empty() ? "" : "<ul>\n" + items + "</ul>\n";
}

std::string trials_section(const Exploration& exploration) {
  return "<div class=\"pair\">\n" + accuracy_chart(exploration) + prediction_chart(exploration) +
         "</div>\n" + html_table(trial_table(exploration), 3) + reasons(exploration) +
         note(trial_note(exploration));
}

std::string widths_section(const Exploration& exploration) {
  Table rows = {{"trial", "kind", "kept", "value", "dev PER %", "change"}};
  for (const ExploredTrial& trial : exploration.trials) {
    for (const WidthTrial& width : trial.widths.trials) {
      const bool measured = width.refusal.empty();
      rows.push_back({numbered(exploration, trial), width.kind,
                      width.kept ? "yes" : (measured ? "no" : "no: " + width.refusal),
                      std::to_string(width.value),
                      measured ? fmt::format("{:.2f}", width.per) : "-",
                      measured ? fmt::format("{:+.2f}", width.per - trial.record.dev_per) : "-"});
    }
  }
  if (rows.size() == 1) return "";
  return html_section(
      "Widths", note("Measured in the deployed integer arithmetic, one kind after the other from "
                     "wide to narrow.") +
                    html_table(rows, 3));
}

std::string hardware_chart(const Exploration& exploration, const ExploredPlatform& platform,
                           bool latency) {
  LinePlot plot;
  plot.title = latency ? "Latency over DSP blocks" : "Throughput over DSP blocks";
  plot.x_label = fmt::format("DSP blocks of {}", platform.platform.dsp);
  plot.y_label = latency ? "latency, µs" : "thousand frames/s";
  plot.y_from_zero = true;
  for (const HardwareDesign& design : platform.designs) {
    if (!design.fits()) continue;
    const ExploredTrial& trial = *find_trial(exploration, design.name);
    const double value = latency ? design.latency_us : design.interleaved_fps / 1e3;
    plot.series.push_back(point(
        fmt::format("{}: {:.4g}, {:.0f} DSP blocks", design.name, value, design.resources.dsp),
        design.resources.dsp, value, colour_of(exploration, trial)));
  }
  return html_figure(plot.title, render(plot) + trial_legend(exploration, true, false));
}

std::string hardware_section(const Exploration& exploration, const ExploredPlatform& platform) {
  std::string text = platform.designs.empty()
                         ? note("No trial is within the budget, so no kernel was designed.")
                         : "<div class=\"pair\">\n" + hardware_chart(exploration, platform, true) +
                               hardware_chart(exploration, platform, false) + "</div>\n" +
                               html_table(design_table(exploration, platform), 2);
  if (!platform.chosen.empty()) text += note(choice_note(exploration, platform));
  return html_section(escape_html(title_of(platform)), text);
}

}  // namespace

std::string exploration_page(const Exploration& exploration) {
  const ExploreOptions& options = exploration.options;
  std::string body = fmt::format(
      "<header>\n<h1>{}</h1>\n<p class=\"lead\">Design exploration: block sizes, widths and folds "
      "for the best {}, at most {:.2f} points of PER above the dense network, {} "
      "trainings.</p>\n</header>\n",
      escape_html(exploration.name), name_of(options.objective), options.per_budget,
      exploration.cells.size() + exploration.trials.size());
  body += tiles(exploration);
  for (const ExploredPlatform& platform : exploration.platforms)
    body += hardware_section(exploration, platform);
  body += html_section("Trials", trials_section(exploration));
  body += widths_section(exploration);
  for (const ExploredCell& cell : exploration.cells) {
    const std::string name = to_upper(name_of(cell.cell));
    body += html_section("Sensitivity of " + name + " matrices", sensitivity_section(cell));
    body += html_section("Bounds of block sizes, " + name, bounds_section(cell));
  }
  return html_page(exploration.name, body);
}

}  // namespace ernn
