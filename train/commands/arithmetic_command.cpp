// ernn arithmetic: the measurements that choices of docs/arithmetic.md rest on.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/options.h"
#include "base/tables.h"
#include "explore/activation_comparison.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/quantise.h"
#include "export/scale_places.h"
#include "models/model_file.h"
#include "train/commands/commands.h"
#include "train/commands/run_stage.h"

namespace ernn {

namespace {

constexpr int kStride = 50;  ///< neighbouring frames say the same
const std::vector<int> kGateBits = {8, 10, 12, 16};
const std::vector<int> kSegments = {8, 16, 32, 64, 128, 256};
const std::vector<int> kSpectrumBits = {12, 14, 16, 18};

std::vector<ScaleError> measure_places(const RunStage& stage) {
  const ModelFile model = ModelFile::load(stage.model());
  const ModelContext context = model_context_from_json(model.context, stage.model().string());
  const FloatNetwork network = FloatNetwork::from_model(model);
  const ExportOptions& options = stage.config.export_options;
  const auto frames =
      calibration_frames(stage.config.data, context, options.calibration_utterances);
  const QuantisedNetwork quantised = quantise(network, profile_ranges(network, frames), options);
  return compare_scale_places(network, quantised, frames, kSpectrumBits, kStride);
}

/// SNRs in dB by block size and place, averaged over matrices, with the widths as columns.
std::string scale_table(const std::vector<RunStage>& stages) {
  struct Mean {
    double sum = 0;
    int count = 0;
  };
  std::map<std::pair<int, ScalePlace>, std::map<int, Mean>> means;
  for (const RunStage& stage : stages) {
    for (const ScaleError& error : measure_places(stage)) {
      Mean& mean = means[{error.block, error.place}][error.bits];
      mean.sum += error.snr_db;
      ++mean.count;
    }
  }
  const int input = stages.front().config.export_options.bits;
  const int usual = input + stages.front().config.export_options.guard_bits;
  Table table = {{"k", "1/k in", "matrices"}};
  for (const int bits : kSpectrumBits) table[0].push_back(fmt::format("{} bits", bits));
  table[0].push_back(fmt::format("adder bits of both transforms at {}", usual));
  for (const auto& [key, by_bits] : means) {
    std::vector<std::string> row = {std::to_string(key.first), name_of(key.second),
                                    std::to_string(by_bits.begin()->second.count)};
    for (const auto& [bits, mean] : by_bits)
      row.push_back(fmt::format("{:.1f}", mean.sum / mean.count));
    row.push_back(std::to_string(transform_adder_bits(key.second, key.first, input, usual)));
    table.push_back(row);
  }
  return markdown(table);
}

}  // namespace

int arithmetic_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn arithmetic",
      "Measures what choices of the deployed arithmetic are worth, as tables in Markdown. With "
      "--run: where the inverse transform's 1/k goes, by the SNR of products on training speech. "
      "With --activations: straight pieces against plain tables, by error and estimated LUTs.");
  options.add_options()("run", "run folder, once for each",
                        cxxopts::value<std::vector<std::string>>(), "DIR")(
      "stage", "stage of the runs, once for each (default: the circulant ones)",
      cxxopts::value<std::vector<std::string>>(),
      "NAME")("activations", "compare activation tables")(
      "platform", "FPGA whose assumptions give LUTs: a file, or a name in configs/platforms",
      cxxopts::value<std::string>()->default_value("ku060"),
      "NAME")("set", "override a key of the runs' configurations, for example export.bits=10",
              cxxopts::value<std::vector<std::string>>(), "KEY=VALUE");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  if (result.count("run") + result.count("activations") == 0)
    throw UsageError("ernn arithmetic: expected --run DIR or --activations");
  std::vector<std::string> sets;
  if (result.count("set") > 0) sets = result["set"].as<std::vector<std::string>>();
  if (result.count("run") > 0)
    fmt::print("{}", scale_table(read_run_stages("arithmetic", result, sets)));
  if (result.count("activations") > 0) {
    DatapathTable table(find_platform(result["platform"].as<std::string>(), "configs/platforms"));
    fmt::print("{}", activation_comparison(kGateBits, kSegments, table));
  }
  return 0;
}

}  // namespace ernn
