#include "train/report.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <thread>

#include "base/files.h"
#include "base/text.h"
#include "train/report_charts.h"
#include "train/report_style.h"
#include "train/svg_plot.h"

namespace ernn {

namespace {

/// 1234567 -> "1 234 567", with spaces that do not break.
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3)
    digits.insert(static_cast<std::size_t>(i), "&#8239;");
  return digits;
}

/// Text of a configuration value by its dotted path, "" when it is not there.
std::string value_of(const ConfigNode& config, const std::string& path) {
  const ConfigNode* node = &config;
  for (const auto& key : split(path, '.')) {
    node = node->find(key);
    if (node == nullptr) return "";
  }
  if (node->kind() == ConfigNode::Kind::list) {
    std::vector<std::string> parts;
    parts.reserve(node->items().size());
    for (const auto& item : node->items()) parts.push_back(item.text());
    return join(parts, ", ");
  }
  return node->text();
}

/// "LSTM 128 with projection 64, LSTM 128 ..." with equal neighbours counted.
std::string network_text(const ConfigNode& config) {
  const ConfigNode* model = config.find("model");
  const ConfigNode* layers = model != nullptr ? model->find("layers") : nullptr;
  if (layers == nullptr) return "";
  std::vector<std::pair<std::string, int>> runs;
  for (const auto& layer : layers->items()) {
    std::string text = to_upper(value_of(layer, "type")) + " " + value_of(layer, "size");
    const std::string projection = value_of(layer, "projection");
    if (!projection.empty() && projection != "0") text += " (projection " + projection + ")";
    if (!runs.empty() && runs.back().first == text) {
      ++runs.back().second;
    } else {
      runs.emplace_back(text, 1);
    }
  }
  std::vector<std::string> parts;
  parts.reserve(runs.size());
  for (const auto& [text, count] : runs)
    parts.push_back(count > 1 ? fmt::format("{} × {}", count, text) : text);
  return join(parts, ", ");
}

const SummaryRow* best_row(const RunData& run, const std::string& stage) {
  const SummaryRow* best = nullptr;
  for (const auto& row : run.summary) {
    if (row.stage == stage && (best == nullptr || row.per < best->per)) best = &row;
  }
  return best;
}

std::string tiles(const RunData& run) {
  std::string out;
  for (const auto& [stage, what] : std::vector<std::pair<std::string, std::string>>{
           {"dense", "dense"}, {"circulant", "best block-circulant"}, {"kernel", "HLS kernel"}}) {
    const SummaryRow* row = best_row(run, stage);
    if (row == nullptr) continue;
    std::string detail = fmt::format("test PER, {}", what);
    if (stage != "dense") detail += fmt::format(" (k = {})", row->block_size);
    out += html_tile(fmt::format("{:.2f}&#8239;%", row->per), detail);
  }
  const SummaryRow* smallest = nullptr;
  std::int64_t mismatches = 0;
  for (const auto& row : run.summary) {
    if (row.stage == "kernel") mismatches += row.mismatches;
    if (row.stored_bits > 0 && (smallest == nullptr || row.stored_bits < smallest->stored_bits))
      smallest = &row;
  }
  if (smallest != nullptr && compression(run, *smallest) > 1) {
    out += html_tile(
        fmt::format("{:.1f}×", compression(run, *smallest)),
        fmt::format("smaller than dense (k = {}, {} bit)", smallest->block_size, smallest->bits));
  }
  if (best_row(run, "kernel") != nullptr) {
    out += html_tile(fmt::format("<span class=\"{}\">{}</span>", mismatches == 0 ? "good" : "bad",
                                 grouped(mismatches)),
                     "codes differ between kernel and emulator");
  }
  return out.empty() ? "" : "<div class=\"tiles\">\n" + out + "</div>\n";
}

std::string header(const RunData& run) {
  const ConfigNode& config = run.config;
  std::string name = value_of(config, "name");
  if (name.empty()) name = run.folder.filename().string();
  std::string out = fmt::format("<header>\n<h1>{}</h1>\n", escape_html(name));
  out +=
      "<p class=\"lead\">Block-circulant compression of a recurrent acoustic model: training, "
      "export and bit-exact simulation.</p>\n</header>\n";
  return out + tiles(run);
}

std::string setup(const RunData& run) {
  if (run.config.kind() != ConfigNode::Kind::map)
    return html_note("This run folder has no config.yaml.");
  const auto& config = run.config;
  const auto features = value_of(config, "features.preset");
  std::vector<std::pair<std::string, std::string>> entries = {
      {"Network", network_text(config)},
      {"Features", features.empty() ? value_of(config, "features.type") : features},
      {"Phones", value_of(config, "data.phones")},
      {"Corpus", value_of(config, "data.root")},
      {"Test speakers", value_of(config, "data.test_speakers")},
      {"Criterion", value_of(config, "context.criterion")},
      {"Label delay", value_of(config, "context.label_delay") + " frames"},
      {"Decoder", value_of(config, "decoder.type")},
      {"Scoring protocol", value_of(config, "scoring.protocol")},
      {"Seed", value_of(config, "seed")}};
  std::vector<std::string> stages;
  if (const ConfigNode* list = config.find("stages")) {
    for (const auto& stage : list->items()) {
      stages.push_back(
          fmt::format("{} ({} epochs)", value_of(stage, "name"), value_of(stage, "epochs")));
    }
  }
  entries.emplace_back("Stages", join(stages, " · "));
  std::string out = "<dl>\n";
  for (const auto& [name, value] : entries) {
    if (value.empty() || value == " frames") continue;
    out += fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n",
                       name == "Stages" ? " class=\"wide\"" : "", name, escape_html(value));
  }
  return out + "</dl>\n";
}

/// What a row's scores are of.
const char* scored(const std::string& stage) {
  return stage == "kernel"     ? "HLS kernel compiled for this machine"
         : stage == "emulator" ? "integer emulator of the exported network"
         : stage == "qat"      ? "network in the arithmetic that is deployed"
                               : "float model";
}

std::string block_size(const SummaryRow& row) {
  if (row.stage == "balanced-sparse") return "–";
  return row.block_size > 1 ? std::to_string(row.block_size) : "dense";
}

std::string result_row(const RunData& run, const SummaryRow& row, const SummaryRow* dense) {
  const auto cell = [](const std::string& text, const char* kind) {
    return fmt::format("<td{}>{}</td>", kind, text);
  };
  constexpr const char* kNumber = " class=\"n\"";
  const double ratio = compression(run, row);
  std::string difference = "–";
  if (dense != nullptr && dense != &row) difference = fmt::format("{:+.2f}", row.per - dense->per);
  std::string mismatches = cell("–", kNumber);
  if (row.stage == "kernel") {
    mismatches = cell(grouped(row.mismatches),
                      row.mismatches == 0 ? " class=\"n good\"" : " class=\"n bad\"");
  }
  return "<tr>" + cell(escape_html(row.stage), "") + cell(escape_html(row.name), "") +
         cell(escape_html(to_upper(row.cell)), "") + cell(block_size(row), kNumber) +
         cell(std::to_string(row.bits), kNumber) +
         cell(fmt::format("{:.2f}", row.per), " class=\"n strong\"") + cell(difference, kNumber) +
         cell(grouped(row.tokens), kNumber) + cell(grouped(row.parameters), kNumber) +
         cell(fmt::format("{:.1f}", static_cast<double>(row.stored_bits) / 8000.0), kNumber) +
         cell(ratio > 0 ? fmt::format("{:.1f}×", ratio) : "–", kNumber) + mismatches + "</tr>\n";
}

std::string results(const RunData& run) {
  if (run.summary.empty())
    return html_note("No results yet: summary.json is not there. It appears when a stage ends.");
  const SummaryRow* dense = nullptr;
  for (const auto& row : run.summary) {
    if (dense == nullptr && row.stage == "dense") dense = &row;
  }
  std::string out =
      "<div class=\"scroll\"><table><thead><tr><th>stage</th><th>name</th><th>cell</th>"
      "<th class=\"n\">block k</th><th class=\"n\">bits</th><th class=\"n\">PER %</th>"
      "<th class=\"n\">to dense</th><th class=\"n\">tokens</th><th class=\"n\">parameters</th>"
      "<th class=\"n\">kB</th><th class=\"n\">compression</th>"
      "<th class=\"n\">mismatches</th></tr></thead><tbody>\n";
  for (const auto& row : run.summary) out += result_row(run, row, dense);
  out += "</tbody></table></div>\n";
  out += html_note(
      "PER on the test split. kB: stored parameters at the given width, 1 kB = 1000 bytes. "
      "Compression: stored size of the dense model over that of the row. Mismatches: codes in "
      "which "
      "the kernel and the emulator differ; the only acceptable number is 0.");
  std::vector<std::string> absent;
  for (const char* stage : {"dense", "admm", "circulant", "emulator", "kernel"}) {
    if (best_row(run, stage) == nullptr) absent.emplace_back(stage);
  }
  if (!absent.empty()) out += html_note("Not in this run: " + join(absent, ", ") + ".");
  return out + result_charts(run);
}

std::string training(const RunData& run) {
  if (run.epochs.empty())
    return html_note("No curves: metrics.jsonl is not there or has no epoch yet.");
  double seconds = 0;
  for (const auto& epoch : run.epochs) seconds += epoch.seconds.value_or(0);
  const std::string duration = seconds < 120    ? fmt::format("{:.0f} s", seconds)
                               : seconds < 7200 ? fmt::format("{:.1f} min", seconds / 60)
                                                : fmt::format("{:.1f} h", seconds / 3600);
  return html_note(
             fmt::format("{} epochs in {}, decoding of dev included. The steps of a stage count on "
                         "from the stage that it started from.",
                         run.epochs.size(), duration)) +
         training_charts(run);
}

std::string admm(const RunData& run) {
  const std::string charts = admm_charts(run);
  if (charts.empty()) return html_note("This run has no ADMM stage (or none has ended an epoch).");
  return html_note(
             "How far each matrix is from the set that it is to be in, and how ADMM gets it there. "
             "Norms are relative to the matrix; the vertical axes are logarithmic.") +
         charts;
}

/// The type of a training stage, "" when it has no result yet.
std::string type_of(const RunData& run, const std::string& name) {
  for (const auto& row : run.summary) {
    if (row.name == name && row.stage != "emulator" && row.stage != "kernel") return row.stage;
  }
  return "";
}

/// The confusions worth showing: of the best float model that is circulant (else the best there
/// is), and of a kernel.
std::string confusions(const RunData& run) {
  const SummaryRow* circulant = best_row(run, "circulant");
  const ScoreFile* model = nullptr;
  const ScoreFile* kernel = nullptr;
  for (const auto& scores : run.scores) {
    const bool wanted = circulant != nullptr && scores.stage == circulant->name;
    if (scores.source == "test" &&
        (model == nullptr || wanted || (circulant == nullptr && scores.per < model->per))) {
      model = &scores;
    }
    if (scores.source == "kernel" && (kernel == nullptr || scores.per < kernel->per))
      kernel = &scores;
  }
  if (model == nullptr && kernel == nullptr)
    return html_note("No confusions: no stage has been scored on the test split yet.");
  std::string out;
  for (const ScoreFile* scores : {model, kernel}) {
    if (scores == nullptr) continue;
    const std::string stage = scores->source == "test" ? type_of(run, scores->stage) : "kernel";
    out += fmt::format("<h3>{}, {}</h3>\n", escape_html(scores->stage), scored(stage));
    out += html_note(fmt::format(
        "PER {:.2f} %: {} substitutions, {} deletions, {} insertions in {} tokens, protocol {}.",
        scores->per, grouped(scores->substitutions), grouped(scores->deletions),
        grouped(scores->insertions), grouped(scores->tokens), escape_html(scores->protocol)));
    out += confusion_chart(*scores);
  }
  return out;
}

std::string agreement(const char* what, const std::optional<std::int64_t>& mismatches) {
  if (!mismatches) return "";
  return html_note(fmt::format("{} against emulator: <span class=\"{}\">{} mismatches</span>.",
                               what, *mismatches == 0 ? "good" : "bad", grouped(*mismatches)));
}

std::string saturations(const RunData& run) {
  if (run.simulations.empty())
    return html_note("Not simulated yet: ernn simulate counts saturations of every signal.");
  std::string out = "<div class=\"pair\">\n";
  for (const auto& simulation : run.simulations) {
    out += fmt::format("<div><h3>{}</h3>\n", escape_html(simulation.stage));
    out += agreement("Kernel", simulation.mismatches);
    out += agreement("Streaming runtime", simulation.runtime_mismatches);
    out +=
        "<div class=\"scroll\"><table class=\"small\"><thead><tr><th>signal</th><th>format</th>"
        "<th class=\"n\">saturations</th><th class=\"n\">values</th><th class=\"n\">share</th>"
        "</tr></thead><tbody>\n";
    for (const auto& signal : simulation.signals) {
      const double share = signal.values > 0 ? 1e6 * static_cast<double>(signal.saturations) /
                                                   static_cast<double>(signal.values)
                                             : 0;
      out += fmt::format(
          "<tr><td>{}</td><td>{}</td><td class=\"n{}\">{}</td><td class=\"n\">{}</td>"
          "<td class=\"n\">{}</td></tr>\n",
          escape_html(signal.name), escape_html(signal.format),
          signal.saturations > 0 ? " strong" : "", grouped(signal.saturations),
          grouped(signal.values), signal.saturations > 0 ? fmt::format("{:.1f} ppm", share) : "–");
    }
    out += "</tbody></table></div></div>\n";
  }
  return out + "</div>\n";
}

std::string provenance(const RunData& run, const std::string& machine) {
  std::string out;
  if (!run.summary.empty()) {
    out +=
        "<div class=\"scroll\"><table class=\"small\"><thead><tr><th>result</th>"
        "<th>how it was made</th><th>protocol</th><th class=\"n\">tokens</th>"
        "<th class=\"n\">seed</th></tr></thead><tbody>\n";
  }
  for (const auto& row : run.summary) {
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td></tr>\n",
        escape_html(row_label(row)), scored(row.stage), escape_html(row.protocol),
        grouped(row.tokens), row.seed);
  }
  if (!run.summary.empty()) out += "</tbody></table></div>\n";
  out +=
      html_note(fmt::format("PER is 100 (S + D + I) / tokens, summed over the test split, with 39 "
                            "phone classes after decoding. This report was made on: {}.",
                            escape_html(machine)));
  if (!run.config_text.empty()) {
    out += fmt::format(
        "<details><summary>Configuration (config.yaml)</summary>\n<pre>{}</pre>\n"
        "</details>\n",
        escape_html(run.config_text));
  }
  return out;
}

}  // namespace

std::string render_report(const RunData& run, const std::string& machine) {
  std::string name = value_of(run.config, "name");
  if (name.empty()) name = run.folder.filename().string();
  std::string body = header(run);
  body += html_section("Results", results(run));
  body += html_section("Set-up", setup(run));
  body += html_section("Training", training(run));
  body += html_section("ADMM", admm(run));
  body += html_section("Confusion of phones", confusions(run));
  body += html_section("Fixed point", saturations(run));
  body += html_section("How these numbers were made", provenance(run, machine));
  return html_page(name + ": run report", body);
}

std::filesystem::path write_report(const std::filesystem::path& folder) {
  auto path = folder / "report.html";
  write_file(path, render_report(read_run(folder), describe_machine()));
  return path;
}

std::string describe_machine() {
  std::string processor = "unknown processor";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(':');
    if (line.rfind("model name", 0) != 0 || colon == std::string::npos) continue;
    processor = std::string(trim(line.substr(colon + 1)));
    break;
  }
  utsname system{};
  std::string kernel;
  if (::uname(&system) == 0) kernel = fmt::format(", {} {}", system.sysname, system.machine);
  return fmt::format("{}, {} threads{}", processor, std::thread::hardware_concurrency(), kernel);
}

}  // namespace ernn
