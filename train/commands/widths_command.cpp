// ernn widths: trained models quantised at several widths, signal by signal and in phone errors.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "features/dataset.h"
#include "models/model_file.h"
#include "train/commands/commands.h"
#include "train/commands/run_stage.h"
#include "train/summary.h"
#include "train/width_report.h"
#include "train/width_sweep.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

/// What the run's table says of the stage.
SummaryRow row_of(const RunStage& stage) {
  for (const SummaryRow& row : read_summary(stage.run)) {
    if (row.name == stage.stage) return row;
  }
  throw DataError(fmt::format("{}: no row for stage '{}'; has ernn train finished it?",
                              (stage.run / "summary.json").string(), stage.stage));
}

/// Networks of one cell and block size are counted as one, which two stages of a run are not.
void require_one_of_each_size(const std::vector<RunStage>& stages) {
  std::map<std::pair<fs::path, int>, std::string> known;
  for (const RunStage& stage : stages) {
    const int block = row_of(stage).block_size;
    const auto [other, is_new] = known.try_emplace({stage.run, block}, stage.stage);
    if (is_new) continue;
    throw UsageError(
        fmt::format("{}: stages '{}' and '{}' both have k = {} and would count as one; name one of "
                    "them by --stage",
                    stage.run.string(), other->second, stage.stage, block));
  }
}

WidthStudy study_widths(const RunStage& stage, WidthSweep sweep) {
  const SummaryRow row = row_of(stage);
  const ModelFile model = ModelFile::load(stage.model());
  const ModelContext context = model_context_from_json(model.context, stage.model().string());
  const FloatNetwork network = FloatNetwork::from_model(model);
  const ExportOptions& options = stage.config.export_options;
  const RangeProfile profile = profile_ranges(
      network, calibration_frames(stage.config.data, context, options.calibration_utterances));
  DataOptions data = stage.config.data;
  data.phones = context.phones;
  const UtteranceSet test = load_split(data, context.features, Split::test);
  WidthStudy study{row.cell, row.block_size, {context.seed}, {}};
  sweep.trained = trained_formats(model, stage.model().string());
  study.results = sweep_widths(network, profile, options, context, test, sweep);
  const fs::path file = stage.folder() / "widths.json";
  write_file(file, width_json(study.results));
  fmt::print("{}, seed {}\n{}\n{}\nwrote {}\n\n", stage.folder().string(), context.seed,
             width_table(study.results), width_signals(study.results), file.string());
  return study;
}

}  // namespace

int widths_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn widths",
      "Quantises trained models at several widths and runs the test split through the integer "
      "emulator at each: signal-to-noise ratio and saturations of every signal, phone error rates, "
      "as tables and as a page. Runs that differ in seeds and test speakers are counted together, "
      "as in ernn compare. "
      "Nothing is trained again.");
  options.add_options()("run", "run folder, once for each",
                        cxxopts::value<std::vector<std::string>>(), "DIR")(
      "stage", "stage of the runs, once for each (default: the circulant ones)",
      cxxopts::value<std::vector<std::string>>(),
      "NAME")("bits", "widths of stored and multiplied codes, once for each",
              cxxopts::value<std::vector<int>>(),
              "N")("measured",
                   "utterances, from the first, whose signals are measured; phone errors are "
                   "counted in all (default: all)",
                   cxxopts::value<std::size_t>(),
                   "N")("out", "folder for widths.html and widths.md (default: the first run's)",
                        cxxopts::value<std::string>(), "DIR")(
      "set", "override a key of the runs' configurations, for example export.guard_bits=2",
      cxxopts::value<std::vector<std::string>>(), "KEY=VALUE");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  std::vector<std::string> sets;
  if (result.count("set") > 0) sets = result["set"].as<std::vector<std::string>>();
  WidthSweep sweep;
  sweep.bits = {16, 12, 10, 8, 6};
  if (result.count("bits") > 0) sweep.bits = result["bits"].as<std::vector<int>>();
  if (result.count("measured") > 0) sweep.measured = result["measured"].as<std::size_t>();
  const std::vector<RunStage> stages = read_run_stages("widths", result, sets);
  require_one_of_each_size(stages);
  const fs::path out =
      result.count("out") > 0 ? fs::path(result["out"].as<std::string>()) : stages.front().run;
  make_folder(out);
  std::vector<WidthStudy> studies;
  studies.reserve(stages.size());
  for (const RunStage& stage : stages) studies.push_back(study_widths(stage, sweep));
  studies = merge_runs(studies);
  const std::string tables = width_comparison(studies);
  write_file(out / "widths.md", tables);
  write_file(out / "widths.html", width_page(studies));
  fmt::print("{}\nwrote {} and {}\n", tables, (out / "widths.md").string(),
             (out / "widths.html").string());
  return 0;
}

}  // namespace ernn
