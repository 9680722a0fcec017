// ernn widths: a trained model quantised at several widths, signal by signal and in phone errors.
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "features/dataset.h"
#include "models/model_file.h"
#include "train/commands/commands.h"
#include "train/commands/run_stage.h"
#include "train/width_sweep.h"

namespace ernn {

namespace {

void run_widths(const RunStage& stage, const std::vector<int>& bits) {
  const ModelFile model = ModelFile::load(stage.model());
  const ModelContext context = model_context_from_json(model.context, stage.model().string());
  const FloatNetwork network = FloatNetwork::from_model(model);
  const ExportOptions& options = stage.config.export_options;
  const RangeProfile profile = profile_ranges(
      network, calibration_frames(stage.config.data, context, options.calibration_utterances));
  DataOptions data = stage.config.data;
  data.phones = context.phones;
  const UtteranceSet test = load_split(data, context.features, Split::test);
  const std::vector<WidthResult> results =
      sweep_widths(network, profile, options, bits, context, test);
  const std::filesystem::path file = stage.folder() / "widths.json";
  write_file(file, width_json(results));
  fmt::print("{}\n{}\nwrote {}\n", width_table(results), width_signals(results), file.string());
}

}  // namespace

int widths_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn widths",
      "Quantises a trained model at several widths and runs the test split through the integer "
      "emulator at each: signal-to-noise ratio and saturations of every signal, phone error rates. "
      "Nothing is trained again.");
  options.add_options()("run", "run folder", cxxopts::value<std::string>(), "DIR")(
      "stage", "stage of the run", cxxopts::value<std::string>(), "NAME")(
      "bits", "widths of stored and multiplied codes, once for each",
      cxxopts::value<std::vector<int>>(),
      "N")("set", "override a key of the run's configuration, for example export.guard_bits=2",
           cxxopts::value<std::vector<std::string>>(), "KEY=VALUE");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  std::vector<std::string> sets;
  if (result.count("set") > 0) sets = result["set"].as<std::vector<std::string>>();
  std::vector<int> bits = {16, 12, 10, 8};
  if (result.count("bits") > 0) bits = result["bits"].as<std::vector<int>>();
  run_widths(read_run_stage("widths", result, sets), bits);
  return 0;
}

}  // namespace ernn
