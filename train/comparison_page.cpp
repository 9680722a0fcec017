// A comparison as tables and as a page.
#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/tables.h"
#include "base/text.h"
#include "train/comparison.h"
#include "train/report_style.h"
#include "train/svg_plot.h"

namespace ernn {

namespace {

std::string numbers(const std::vector<double>& values, const char* format) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const double value : values) texts.push_back(fmt::format(fmt::runtime(format), value));
  return join(texts, ", ");
}

std::string mean_text(double mean, double sd, std::size_t seeds, const char* format) {
  std::string text = fmt::format(fmt::runtime(format), mean);
  if (seeds > 1) text += fmt::format(" ({:.2f})", sd);
  return text;
}

const Difference* difference_of(const std::vector<Difference>& differences, std::size_t system) {
  for (const auto& difference : differences) {
    if (difference.system == system) return &difference;
  }
  return nullptr;
}

std::string interval(const Difference& difference) {
  return fmt::format("{:+.2f} to {:+.2f}", difference.low, difference.high);
}

Table system_table(const Comparison& comparison) {
  Table table = {{"cell", "system", "method", "bits", "parameters", "kB", "multiplications",
                  "PER %, by seed", "mean (sd)", "to dense (sd)", "95 % of utterances"}};
  for (std::size_t i = 0; i < comparison.systems.size(); ++i) {
    const ComparedSystem& system = comparison.systems[i];
    const Difference* difference = difference_of(comparison.to_dense, i);
    const std::size_t seeds = system.per.size();
    table.push_back({system.row.cell, system.row.name, system.row.stage,
                     std::to_string(system.row.bits), std::to_string(system.row.parameters),
                     fmt::format("{:.1f}", static_cast<double>(system.row.stored_bits) / 8000),
                     std::to_string(system.row.multiplications), numbers(system.per, "{:.2f}"),
                     mean_text(system.mean, system.sd, seeds, "{:.2f}"),
                     difference == nullptr
                         ? "–"
                         : mean_text(difference->mean, difference->sd, seeds, "{:+.2f}"),
                     difference == nullptr ? "–" : interval(*difference)});
  }
  return table;
}

Table pair_table(const Comparison& comparison) {
  Table table = {{"cell", "system", "less", "points by seed", "mean (sd)", "95 % of utterances",
                  "beyond chance"}};
  for (const auto& pair : comparison.pairs) {
    table.push_back({comparison.systems[pair.system].row.cell,
                     comparison.systems[pair.system].row.name,
                     comparison.systems[pair.base].row.name, numbers(pair.by_seed, "{:+.2f}"),
                     mean_text(pair.mean, pair.sd, pair.by_seed.size(), "{:+.2f}"), interval(pair),
                     pair.is_beyond_chance() ? (pair.mean < 0 ? "better" : "worse") : "no"});
  }
  return table;
}

std::string protocol_text(const Comparison& comparison) {
  std::vector<std::string> seeds;
  for (const auto seed : comparison.seeds) seeds.push_back(std::to_string(seed));
  const ComparedSystem& first = comparison.systems.front();
  return fmt::format(
      "PER in percent, protocol {}, {} tokens of {} utterances for every seed; {} {}. Differences "
      "are in points, of the same seed. sd: standard deviation over seeds. 95 %: of the mean "
      "difference when utterances are drawn with replacement, in pairs. Beyond chance: 0 is "
      "outside "
      "that interval and the mean is larger than the sd over at least two seeds. kB: 1000 bytes at "
      "the bits of the row; multiplications: real ones of a frame, in matrices.",
      first.row.protocol, first.row.tokens, first.by_seed.front().size(),
      seeds.size() == 1 ? "seed" : "seeds", join(seeds, ", "));
}

/// The number behind "-k" at the end of a stage's name; 0 when there is none.
int block_of(const std::string& name) {
  const auto at = name.rfind("-k");
  if (at == std::string::npos) return 0;
  const std::string digits = name.substr(at + 2);
  if (digits.empty() || digits.size() > 3 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return 0;
  }
  return std::stoi(digits);
}

/// PER over block size, a line a method; systems without one in their name as dashed levels. No
/// series where no system has a block size.
LinePlot block_plot(const Comparison& comparison, const std::string& cell) {
  std::map<std::string, std::map<int, const ComparedSystem*>> methods;
  std::set<int> blocks;
  for (const auto& system : comparison.systems) {
    const int block = block_of(system.row.name);
    if (system.row.cell != cell || block == 0) continue;
    methods[system.row.name.substr(0, system.row.name.rfind("-k"))][block] = &system;
    blocks.insert(block);
  }
  LinePlot plot;
  if (blocks.empty()) return plot;
  plot.title = fmt::format("PER over block size, {}", to_upper(cell));
  plot.x_label = "block size k, or a network of as many stored bits";
  plot.y_label = "PER %";
  plot.log_x = true;
  plot.x_ticks.assign(blocks.begin(), blocks.end());
  const auto add = [&](PlotSeries series) {
    series.colour = static_cast<int>(plot.series.size());
    plot.series.push_back(std::move(series));
  };
  for (const auto& [method, systems] : methods) {
    PlotSeries series;
    series.name = method;
    for (const auto& [block, system] : systems) {
      series.x.push_back(block);
      series.y.push_back(system->mean);
      series.tooltips.push_back(
          fmt::format("{}: {}", system->row.name,
                      mean_text(system->mean, system->sd, system->per.size(), "{:.2f}")));
    }
    add(series);
  }
  for (const auto& system : comparison.systems) {
    if (system.row.cell != cell || block_of(system.row.name) != 0) continue;
    PlotSeries level;
    level.name = system.row.name;
    level.style = LineStyle::dashed;
    level.x = {static_cast<double>(*blocks.begin()), static_cast<double>(*blocks.rbegin())};
    level.y = {system.mean, system.mean};
    add(level);
  }
  return plot;
}

std::string figure(const LinePlot& plot) {
  std::vector<LegendEntry> legend;
  for (const auto& series : plot.series)
    legend.push_back({series.name, series.colour, series.style});
  return html_figure(plot.title, render(plot) + render_legend(legend));
}

/// The plots of all cells that have one.
std::vector<std::pair<std::string, LinePlot>> block_plots(const Comparison& comparison) {
  std::vector<std::pair<std::string, LinePlot>> plots;
  std::string last;
  for (const auto& system : comparison.systems) {
    if (system.row.cell == last) continue;
    last = system.row.cell;
    LinePlot plot = block_plot(comparison, last);
    if (!plot.series.empty()) plots.emplace_back(last, std::move(plot));
  }
  return plots;
}

}  // namespace

std::string comparison_tables(const Comparison& comparison) {
  std::string text = markdown(system_table(comparison)) + "\n" + protocol_text(comparison) + "\n";
  if (!comparison.pairs.empty()) text += "\n" + markdown(pair_table(comparison));
  return text;
}

std::map<std::string, std::string> comparison_drawings(const Comparison& comparison) {
  std::map<std::string, std::string> drawings;
  for (const auto& [cell, plot] : block_plots(comparison)) drawings[cell] = render_file(plot);
  return drawings;
}

std::string comparison_page(const Comparison& comparison) {
  std::string plots = "<div class=\"pair\">\n";
  for (const auto& [cell, plot] : block_plots(comparison)) plots += figure(plot);
  std::string body =
      "<header>\n<h1>Methods compared</h1>\n<p class=\"lead\">The same networks made small in "
      "different ways, over seeds and the whole test set.</p>\n</header>\n" +
      html_section("Phone error rate", plots + "</div>\n" +
                                           html_table(system_table(comparison), 3) +
                                           html_note(escape_html(protocol_text(comparison))));
  if (!comparison.pairs.empty())
    body += html_section("One against another", html_table(pair_table(comparison), 3));
  return html_page("Methods compared", body);
}

}  // namespace ernn
