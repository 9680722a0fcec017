#include "train/report_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "train/report_style.h"
#include "train/svg_plot.h"

namespace ernn {

namespace {

/// Stage names in the order of their first epoch.
std::vector<std::string> stages_of(const std::vector<EpochProgress>& epochs) {
  std::vector<std::string> stages;
  for (const auto& epoch : epochs) {
    if (std::find(stages.begin(), stages.end(), epoch.stage) == stages.end())
      stages.push_back(epoch.stage);
  }
  return stages;
}

using Value = std::function<std::optional<double>(const EpochProgress&)>;

/// One stage's curve; empty when the stage has no such value.
PlotSeries curve(const RunData& run, const std::string& stage, const std::string& what,
                 const std::string& unit, int colour, LineStyle style, const Value& value) {
  PlotSeries series;
  series.name = stage;
  series.colour = colour;
  series.style = style;
  for (const auto& epoch : run.epochs) {
    const auto y = epoch.stage == stage ? value(epoch) : std::nullopt;
    if (!y) continue;
    series.x.push_back(epoch.step);
    series.y.push_back(*y);
    series.tooltips.push_back(fmt::format("{}, epoch {}, step {:.0f}: {} {:.4g}{}", stage,
                                          epoch.epoch, epoch.step, what, *y, unit));
  }
  return series;
}

void add(LinePlot& plot, PlotSeries series) {
  if (!series.x.empty()) plot.series.push_back(std::move(series));
}

std::string loss_unit(const RunData& run) {
  const ConfigNode* context = run.config.find("context");
  const ConfigNode* criterion = context != nullptr ? context->find("criterion") : nullptr;
  if (criterion == nullptr) return "loss (nats)";
  return criterion->text() == "ctc" ? "CTC loss (nats per phone)"
                                    : "cross-entropy (nats per frame)";
}

int stage_colour(const SummaryRow& row) {
  if (row.stage == "dense") return 6;
  if (row.stage == "admm") return 4;
  if (row.stage == "circulant") return 0;
  if (row.stage == "qat") return 3;
  return row.stage == "emulator" ? 2 : 1;
}

/// Legend of stages by colour, and of the two line styles.
std::vector<LegendEntry> stage_legend(const std::vector<std::string>& stages) {
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    legend.push_back({stages[i], static_cast<int>(i), LineStyle::solid});
  }
  return legend;
}

std::string loss_chart(const RunData& run, const std::vector<std::string>& stages) {
  LinePlot plot;
  plot.title = "Training and dev loss over optimiser steps, by stage";
  plot.x_label = "optimiser steps";
  plot.y_label = loss_unit(run) + ", log scale";
  plot.log_y = true;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const int colour = static_cast<int>(i);
    add(plot, curve(run, stages[i], "train loss", "", colour, LineStyle::dashed,
                    [](const EpochProgress& e) { return e.train_loss; }));
    add(plot, curve(run, stages[i], "dev loss", "", colour, LineStyle::solid,
                    [](const EpochProgress& e) { return e.dev_loss; }));
  }
  auto legend = stage_legend(stages);
  legend.push_back({"dev", 6, LineStyle::solid});
  legend.push_back({"train", 6, LineStyle::dashed});
  return html_figure("Loss", render_legend(legend) + render(plot));
}

std::string per_chart(const RunData& run, const std::vector<std::string>& stages) {
  LinePlot plot;
  plot.title = "Phone error rate on dev over optimiser steps, by stage";
  plot.x_label = "optimiser steps";
  plot.y_label = "dev PER (%), log scale";
  plot.log_y = true;
  bool projected = false;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const int colour = static_cast<int>(i);
    add(plot, curve(run, stages[i], "dev PER", " %", colour, LineStyle::solid,
                    [](const EpochProgress& e) { return e.dev_per; }));
    PlotSeries of_projection =
        curve(run, stages[i], "dev PER of the projected model", " %", colour, LineStyle::dotted,
              [](const EpochProgress& e) { return e.projected_dev_per; });
    projected = projected || !of_projection.x.empty();
    add(plot, std::move(of_projection));
  }
  auto legend = stage_legend(stages);
  for (const auto& series : plot.series) {
    if (series.style == LineStyle::solid) {
      legend[static_cast<std::size_t>(series.colour)].name +=
          fmt::format(": {:.1f} %", series.y.back());
    }
  }
  if (projected) {
    legend.push_back({"as trained", 6, LineStyle::solid});
    legend.push_back({"projected", 6, LineStyle::dotted});
  }
  return html_figure("Phone error rate on dev, with the last value of each stage",
                     render_legend(legend) + render(plot));
}

struct Residual {
  const char* caption;
  const char* y_label;
  std::optional<double> MatrixProgress::*value;
};

std::string residual_chart(const RunData& run, const std::string& stage, const Residual& residual,
                           const std::vector<std::string>& matrices) {
  LinePlot plot;
  plot.title = fmt::format("{} of stage {}", residual.caption, stage);
  plot.x_label = "optimiser steps";
  plot.y_label = residual.y_label;
  plot.log_y = true;
  plot.height = 260;
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    PlotSeries series;
    series.name = matrices[i];
    series.colour = static_cast<int>(i);
    for (const auto& epoch : run.epochs) {
      if (epoch.stage != stage) continue;
      for (const auto& matrix : epoch.matrices) {
        const auto value = matrix.*residual.value;
        if (matrix.matrix != matrices[i] || !value) continue;
        series.x.push_back(epoch.step);
        series.y.push_back(*value);
        series.tooltips.push_back(
            fmt::format("{}, epoch {}: {:.3g}", matrices[i], epoch.epoch, *value));
      }
    }
    add(plot, std::move(series));
  }
  return html_figure(residual.caption, render(plot));
}

constexpr Residual kResiduals[] = {
    {"Distance from the set", "‖W − P(W)‖ / ‖W‖", &MatrixProgress::distance},
    {"Primal residual", "‖W − Z‖ / ‖W‖", &MatrixProgress::primal},
    {"Dual residual", "ρ ‖ΔZ‖ / ‖W‖", &MatrixProgress::dual},
    {"Penalty ρ", "ρ", &MatrixProgress::rho}};

}  // namespace

std::string row_label(const SummaryRow& row) {
  if (row.stage == row.name || row.stage == "dense" || row.stage == "admm" ||
      row.stage == "circulant") {
    return row.name;
  }
  return fmt::format("{} {}, {} bit", row.name, row.stage, row.bits);
}

double compression(const RunData& run, const SummaryRow& row) {
  for (const auto& dense : run.summary) {
    if (dense.stage == "dense" && row.stored_bits > 0)
      return static_cast<double>(dense.stored_bits) / static_cast<double>(row.stored_bits);
  }
  return 0;
}

std::string training_charts(const RunData& run) {
  const auto stages = stages_of(run.epochs);
  return "<div class=\"pair\">\n" + loss_chart(run, stages) + per_chart(run, stages) + "</div>\n";
}

std::string admm_charts(const RunData& run) {
  std::string out;
  for (const auto& stage : stages_of(run.epochs)) {
    std::vector<std::string> matrices;
    for (const auto& epoch : run.epochs) {
      if (epoch.stage != stage) continue;
      for (const auto& matrix : epoch.matrices) {
        if (std::find(matrices.begin(), matrices.end(), matrix.matrix) == matrices.end())
          matrices.push_back(matrix.matrix);
      }
    }
    if (matrices.empty()) continue;
    out += fmt::format("<h3>{}</h3>\n{}<div class=\"pair\">\n", escape_html(stage),
                       render_legend(stage_legend(matrices)));
    for (const auto& residual : kResiduals) out += residual_chart(run, stage, residual, matrices);
    out += "</div>\n";
  }
  return out;
}

std::string result_charts(const RunData& run) {
  BarChart per, size;
  per.title = "Phone error rate on test, by stage";
  per.x_label = "test PER (%)";
  size.title = "Stored size of the model, by stage";
  size.x_label = "stored parameters (kB)";
  for (const auto& row : run.summary) {
    per.bars.push_back(
        {row_label(row), row.per, fmt::format("{:.2f} %", row.per), stage_colour(row)});
    const double kilobytes = static_cast<double>(row.stored_bits) / 8000.0;
    const double ratio = compression(run, row);
    size.bars.push_back({row_label(row), kilobytes,
                         ratio > 0 ? fmt::format("{:.1f} kB ({:.1f}×)", kilobytes, ratio)
                                   : fmt::format("{:.1f} kB", kilobytes),
                         stage_colour(row)});
    if (ratio == 1) size.bars.back().text = fmt::format("{:.1f} kB", kilobytes);
  }
  return "<div class=\"pair\">\n" + html_figure("Phone error rate on test", render(per)) +
         html_figure("Stored size", render(size)) + "</div>\n";
}

namespace {

struct Confusion {
  std::size_t from, to;
  std::int64_t count, of;
};

std::string confusion_table(const ScoreFile& scores, const std::vector<std::string>& names,
                            const std::vector<std::int64_t>& totals) {
  constexpr std::size_t kShown = 16;
  std::vector<Confusion> list;
  for (std::size_t r = 0; r < names.size(); ++r) {
    for (std::size_t c = 0; c < names.size(); ++c) {
      if (r != c && scores.confusion[r][c] > 0)
        list.push_back({r, c, scores.confusion[r][c], totals[r]});
    }
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  if (list.size() > kShown) list.resize(kShown);
  std::string out =
      "<div class=\"scroll\"><table class=\"small\"><thead><tr><th>spoken</th><th>recognised</th>"
      "<th class=\"n\">count</th><th class=\"n\">share of spoken</th></tr></thead><tbody>\n";
  const std::size_t last = names.size() - 1;
  for (const auto& c : list) {
    const std::string from = c.from == last ? "<i>nothing</i>" : escape_html(names[c.from]);
    const std::string to = c.to == last ? "<i>nothing</i>" : escape_html(names[c.to]);
    const std::string share = c.from == last
                                  ? "–"
                                  : fmt::format("{:.1f} %", 100.0 * static_cast<double>(c.count) /
                                                                static_cast<double>(c.of));
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", from, to,
        c.count, share);
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string confusion_chart(const ScoreFile& scores) {
  std::vector<std::string> names = scores.symbols;
  names.emplace_back("–");
  const std::size_t last = names.size() - 1;
  std::vector<std::int64_t> totals(names.size(), 0);
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::int64_t column = 0;
    for (std::size_t j = 0; j < names.size(); ++j) {
      totals[i] += scores.confusion[i][j];
      column += scores.confusion[j][i];
    }
    if (totals[i] + column > 0 || i == last) used.push_back(i);
  }
  HeatMap map;
  map.title = "Confusions of phones, " + scores.stage;
  map.row_title = "spoken";
  map.column_title = "recognised as";
  for (const std::size_t r : used) {
    map.rows.push_back(r == last ? "ins." : names[r]);
    map.columns.push_back(r == last ? "del." : names[r]);
    for (const std::size_t c : used) {
      const std::int64_t count = scores.confusion[r][c];
      HeatCell cell;
      if (count > 0) {
        cell.share = static_cast<double>(count) / static_cast<double>(totals[r]);
        cell.match = r == c;
        const std::string of = r == last ? "all insertions" : names[r];
        cell.tooltip =
            fmt::format("{} → {}: {} of {} {} ({:.1f} %)", r == last ? "inserted" : names[r],
                        c == last ? "deleted" : names[c], count, totals[r], of, 100 * cell.share);
      }
      map.cells.push_back(std::move(cell));
    }
  }
  return "<div class=\"split\">\n" +
         html_figure("Confusion of phones (share of each spoken phone)",
                     render_heat_legend("recognised", "taken for another") + render(map)) +
         html_figure("Most frequent errors", confusion_table(scores, names, totals)) + "</div>\n";
}

}  // namespace ernn
