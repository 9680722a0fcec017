#include "train/width_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/options.h"
#include "base/tables.h"
#include "base/text.h"
#include "train/disjoint_test_sets.h"
#include "train/report_style.h"
#include "train/standard_error.h"
#include "train/svg_plot.h"

namespace ernn {

namespace {

using Studies = std::vector<WidthStudy>;

std::string name_of(const WidthStudy& study) {
  return fmt::format("{}, k = {}", to_upper(study.cell), study.block);
}

void merge_scores(ScoreSheet& into, const ScoreSheet& other) {
  for (std::size_t u = 0; u < into.utterances.size(); ++u)
    into.utterances[u].counts += other.utterances[u].counts;
  into.total += other.total;
}

bool same_signals(const WidthResult& a, const WidthResult& b) {
  return a.bits == b.bits && a.scores.protocol == b.scores.protocol &&
         std::equal(
             a.signals.begin(), a.signals.end(), b.signals.begin(), b.signals.end(),
             [](const SignalError& x, const SignalError& y) { return x.signal == y.signal; });
}

bool same_utterances(const WidthResult& a, const WidthResult& b) {
  return a.measured == b.measured &&
         std::equal(a.scores.utterances.begin(), a.scores.utterances.end(),
                    b.scores.utterances.begin(), b.scores.utterances.end(),
                    [](const UtteranceScore& x, const UtteranceScore& y) { return x.id == y.id; });
}

template <class Comparable>
bool all_of(const WidthStudy& a, const WidthStudy& b, const Comparable& comparable) {
  return std::equal(a.results.begin(), a.results.end(), b.results.begin(), b.results.end(),
                    comparable);
}

void merge_signals(WidthStudy& into, const WidthStudy& other) {
  if (!all_of(into, other, same_signals)) {
    throw UsageError(
        fmt::format("{}: two runs, of seeds {} and {}, were not measured at the same "
                    "widths, signals and protocol",
                    name_of(into), into.seeds.front(), other.seeds.front()));
  }
  const auto runs = static_cast<double>(into.runs), more_runs = static_cast<double>(other.runs);
  for (std::size_t w = 0; w < into.results.size(); ++w) {
    for (std::size_t s = 0; s < into.results[w].signals.size(); ++s) {
      SignalError& signal = into.results[w].signals[s];
      const SignalError& more = other.results[w].signals[s];
      signal.snr_db = (runs * signal.snr_db + more_runs * more.snr_db) / (runs + more_runs);
      signal.saturations += more.saturations;
      signal.values += more.values;
      signal.largest = std::max(signal.largest, more.largest);
      signal.worst = std::max(signal.worst, more.worst);
    }
  }
  into.runs += other.runs;
}

/// Another run of the same seed has other test speakers.
void merge_utterances(WidthStudy& into, const WidthStudy& other) {
  merge_signals(into, other);
  for (std::size_t w = 0; w < into.results.size(); ++w) {
    into.results[w].measured += other.results[w].measured;
    for (const UtteranceScore& score : other.results[w].scores.utterances)
      into.results[w].scores.add(score);
  }
}

/// Another seed has the same test speakers.
void merge_seed(WidthStudy& into, const WidthStudy& other) {
  merge_signals(into, other);
  if (!all_of(into, other, same_utterances)) {
    throw UsageError(fmt::format("{}: seeds {} and {} were not measured on the same utterances",
                                 name_of(into), into.seeds.front(), other.seeds.front()));
  }
  for (std::size_t w = 0; w < into.results.size(); ++w)
    merge_scores(into.results[w].scores, other.results[w].scores);
  into.seeds.push_back(other.seeds.front());
}

/// Studies that `same` holds for, put together by `merge` into the first of them.
template <class Same, class Merge>
Studies merge_where(const Studies& studies, const Same& same, const Merge& merge) {
  Studies merged;
  for (const WidthStudy& study : studies) {
    const auto found = std::find_if(merged.begin(), merged.end(), [&](const WidthStudy& other) {
      return other.cell == study.cell && other.block == study.block && same(other, study);
    });
    if (found == merged.end()) {
      merged.push_back(study);
    } else {
      merge(*found, study);
    }
  }
  return merged;
}

/// The widths without real numbers, which come first.
std::vector<int> widths_of(const Studies& studies) {
  std::vector<int> widths;
  for (const WidthResult& result : studies.front().results) {
    if (result.bits > 0) widths.push_back(result.bits);
  }
  return widths;
}

std::string seeds_of(const WidthStudy& study) {
  std::vector<std::string> seeds;
  for (const std::int64_t seed : study.seeds) seeds.push_back(std::to_string(seed));
  return join(seeds, ", ");
}

Table error_table(const Studies& studies) {
  Table table = {{"cell", "k", "seeds", "tokens", "float"}};
  for (const int bits : widths_of(studies)) table[0].push_back(fmt::format("{} bits", bits));
  for (const WidthStudy& study : studies) {
    const ScoreSheet& real = study.results.front().scores;
    std::vector<std::string> row = {
        study.cell, std::to_string(study.block), seeds_of(study), std::to_string(real.total.tokens),
        fmt::format("{:.2f} ± {:.2f}", real.total.per(), standard_error(real))};
    for (std::size_t w = 1; w < study.results.size(); ++w) {
      const ScoreSheet& scores = study.results[w].scores;
      row.push_back(fmt::format("{:+.2f} ± {:.2f}", scores.total.per() - real.total.per(),
                                standard_error_of_change(real, scores)));
    }
    table.push_back(row);
  }
  return table;
}

template <class Less>
const SignalError& extreme(const WidthResult& result, const Less& less) {
  return *std::min_element(result.signals.begin(), result.signals.end(), less);
}

Table signal_table(const Studies& studies) {
  Table table = {{"cell", "k", "bits", "kB", "SNR of logits, dB", "lowest SNR, dB", "of",
                  "limited values", "ppm", "most of them in"}};
  for (const WidthStudy& study : studies) {
    for (const WidthResult& result : study.results) {
      if (result.signals.empty()) continue;
      const SignalError& worst = extreme(
          result, [](const SignalError& a, const SignalError& b) { return a.snr_db < b.snr_db; });
      const SignalError& fullest = extreme(result, [](const SignalError& a, const SignalError& b) {
        return a.saturations > b.saturations;
      });
      const std::int64_t limited = saturations_of(result);
      table.push_back({study.cell, std::to_string(study.block), std::to_string(result.bits),
                       fmt::format("{:.1f}", static_cast<double>(result.stored_bits) / 8000),
                       snr_text(result.signals.back().snr_db), snr_text(worst.snr_db), worst.signal,
                       std::to_string(limited), fmt::format("{:.2f}", saturated_ppm(result)),
                       limited > 0 ? fullest.signal : "–"});
    }
  }
  return table;
}

std::string protocol_text(const Studies& studies) {
  const ScoreSheet& scores = studies.front().results.front().scores;
  const std::string measured = measured_text(studies.front().results.back());
  return fmt::format(
      "PER in percent, protocol {}, {} utterances; the columns of widths are changes from the "
      "float "
      "network. ± is the standard error over utterances.{}",
      name_of(scores.protocol), scores.utterances.size(),
      measured.empty() ? "" : fmt::format(" SNRs and limited values: {}.", measured));
}

/// PER over width, a colour a block size; dashed where the float network lies.
std::string error_plot(const Studies& studies) {
  LinePlot plot;
  plot.title = fmt::format("PER over width, {}", to_upper(studies.front().cell));
  plot.x_label = "bits of stored and multiplied codes";
  plot.y_label = "PER %";
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    PlotSeries series, real;
    series.name = name_of(studies[i]);
    series.colour = real.colour = static_cast<int>(i);
    real.name = series.name + ", float";
    real.style = LineStyle::dashed;
    const double level = studies[i].results.front().scores.total.per();
    for (const WidthResult& result : studies[i].results) {
      if (result.bits == 0) continue;
      series.x.push_back(result.bits);
      series.y.push_back(result.scores.total.per());
      real.x.push_back(result.bits);
      real.y.push_back(level);
    }
    legend.push_back({fmt::format("k = {}", studies[i].block), series.colour, LineStyle::solid});
    plot.series.push_back(series);
    plot.series.push_back(real);
  }
  legend.push_back({"dashed: float", 6, LineStyle::dashed});
  return html_figure(plot.title, render(plot) + render_legend(legend));
}

/// The signals that any of the studies has, in order of appearance.
std::vector<std::string> signals_of(const Studies& studies) {
  std::vector<std::string> names;
  for (const WidthStudy& study : studies) {
    for (const SignalError& signal : study.results.back().signals) {
      if (std::find(names.begin(), names.end(), signal.signal) == names.end())
        names.push_back(signal.signal);
    }
  }
  return names;
}

/// The lower the SNR, the stronger the colour, from 75 dB on. Saturations stand below.
std::string heat_cell(const WidthStudy& study, const WidthResult& result, const std::string& name) {
  constexpr double kPale = 75, kStrongest = 0.8;
  const auto found = std::find_if(result.signals.begin(), result.signals.end(),
                                  [&](const SignalError& signal) { return signal.signal == name; });
  if (found == result.signals.end()) return "<td class=\"n\">–</td>";
  const double share =
      std::isfinite(found->snr_db) ? std::clamp(1 - found->snr_db / kPale, 0.0, 1.0) : 0;
  const std::string tooltip =
      fmt::format("{}, {} bits, {}: SNR {} dB; {} of {} values limited", name_of(study),
                  result.bits, name, snr_text(found->snr_db), found->saturations, found->values);
  const std::string limited =
      found->saturations > 0 ? fmt::format("<br/><b>{}</b>", found->saturations) : "";
  return fmt::format(
      "<td class=\"n\" style=\"background:rgb(213 94 0 / {:.2f})\" title=\"{}\">{}{}</td>",
      kStrongest * share, escape_html(tooltip), snr_text(found->snr_db), limited);
}

std::string heat_map(const Studies& studies) {
  std::string groups = "<tr><th>k</th>", widths = "<tr><th>bits</th>";
  for (const WidthStudy& study : studies) {
    groups += fmt::format("<th class=\"n\" colspan=\"{}\">{}</th>", study.results.size() - 1,
                          study.block);
    for (const int bits : widths_of(studies))
      widths += fmt::format("<th class=\"n\">{}</th>", bits);
  }
  std::string rows;
  for (const std::string& signal : signals_of(studies)) {
    rows += "<tr><td>" + escape_html(signal) + "</td>";
    for (const WidthStudy& study : studies) {
      for (const WidthResult& result : study.results) {
        if (result.bits > 0) rows += heat_cell(study, result, signal);
      }
    }
    rows += "</tr>\n";
  }
  return "<div class=\"scroll\"><table class=\"heat\">\n" + groups + "</tr>\n" + widths +
         "</tr>\n" + rows + "</table></div>\n";
}

/// Studies by cell, each kind once, in order.
std::vector<Studies> by_cell(const Studies& studies) {
  std::vector<Studies> groups;
  for (const WidthStudy& study : studies) {
    if (groups.empty() || groups.back().front().cell != study.cell) groups.emplace_back();
    groups.back().push_back(study);
  }
  return groups;
}

}  // namespace

std::vector<WidthStudy> merge_runs(const std::vector<WidthStudy>& studies) {
  Studies seeds = merge_where(
      studies, [](const auto& a, const auto& b) { return a.seeds.front() == b.seeds.front(); },
      merge_utterances);
  for (WidthStudy& seed : seeds) {
    for (WidthResult& result : seed.results)
      sort_disjoint(result.scores.utterances, name_of(seed), seed.seeds.front());
  }
  Studies merged = merge_where(
      seeds, [](const auto&, const auto&) { return true; }, merge_seed);
  std::stable_sort(merged.begin(), merged.end(), [](const WidthStudy& a, const WidthStudy& b) {
    return std::make_pair(a.cell, a.block) < std::make_pair(b.cell, b.block);
  });
  return merged;
}

std::string width_comparison(const std::vector<WidthStudy>& studies) {
  return markdown(error_table(studies)) + "\n" + protocol_text(studies) + "\n\n" +
         markdown(signal_table(studies));
}

std::string width_page(const std::vector<WidthStudy>& studies) {
  std::string plots = "<div class=\"pair\">\n";
  std::string maps;
  for (const Studies& group : by_cell(studies)) {
    plots += error_plot(group);
    maps += html_section(
        escape_html(to_upper(group.front().cell)) + ": signals",
        html_note("SNR in dB of the emulator's signal against double precision; below it, where "
                  "there are any, how many values met the limit of their format.") +
            heat_map(group));
  }
  const std::string body =
      "<header>\n<h1>What widths cost</h1>\n<p class=\"lead\">Trained networks quantised at "
      "several widths, not trained again, over the whole test split.</p>\n</header>\n" +
      html_section("Phone error rate", html_table(error_table(studies), 1) +
                                           html_note(escape_html(protocol_text(studies))) + plots +
                                           "</div>\n") +
      maps + html_section("Lowest SNR and limited values", html_table(signal_table(studies), 1));
  return html_page("What widths cost", body);
}

}  // namespace ernn
