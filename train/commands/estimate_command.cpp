// ernn estimate: what a network costs on an FPGA.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "explore/estimate.h"
#include "export/artefact.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/run_config.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPlatforms = "configs/platforms";
constexpr int kDefaultStreams = 16;

struct Job {
  std::string title;
  FoldingRequest request;
  std::optional<Folding> folding;
};

int number(const cxxopts::ParseResult& arguments, const char* option, int otherwise, int low,
           int high) {
  if (arguments.count(option) == 0) return otherwise;
  const int value = arguments[option].as<int>();
  if (value < low || value > high) {
    throw UsageError(
        fmt::format("ernn estimate: --{}: found {}, expected {} to {}", option, value, low, high));
  }
  return value;
}

/// The model of a configuration, with the sizes that training would take from the data.
ModelOptions model_of(const RunConfig& config, const cxxopts::ParseResult& arguments) {
  ModelOptions model = complete_model(config);
  if (arguments.count("block") == 0) return model;
  const int k = number(arguments, "block", 1, 1, 64);
  ModelOptions blocks = with_blocks(model, {k, k, k}, k);
  validate(blocks);
  return blocks;
}

void read_network(const cxxopts::ParseResult& arguments, Job& job) {
  if (arguments.count("config") + arguments.count("artefact") != 1)
    throw UsageError("ernn estimate: expected one of --config FILE and --artefact DIR");
  if (arguments.count("artefact") > 0) {
    for (const char* option : {"set", "bits", "block"}) {
      if (arguments.count(option) > 0)
        throw UsageError(
            fmt::format("ernn estimate: --{} needs --config FILE; an artefact has "
                        "formats and block sizes of its own",
                        option));
    }
    const fs::path folder = arguments["artefact"].as<std::string>();
    const Artefact artefact = load_artefact(folder);
    job.title = folder.string();
    job.request.model = model_options_of(artefact.network);
    job.request.widths = widths_of(artefact.network);
    return;
  }
  const fs::path file = arguments["config"].as<std::string>();
  std::vector<std::string> sets;
  if (arguments.count("set") > 0) sets = arguments["set"].as<std::vector<std::string>>();
  if (arguments.count("bits") > 0)
    sets.push_back(fmt::format("export.bits={}", arguments["bits"].as<int>()));
  const RunConfig config = load_run_config(file, sets);
  validate(config.export_options);
  job.title = config.name;
  job.request.model = model_of(config, arguments);
  job.request.widths = default_widths(job.request.model, config.export_options);
  if (!config.export_options.folding.layers.empty()) job.folding = config.export_options.folding;
}

/// A file with the section `folding` of a configuration, or with its content.
Folding read_folds(const fs::path& file) {
  const ConfigNode tree = ConfigNode::from_yaml_file(file);
  const ConfigNode* section = tree.find("folding");
  return read_options<Folding>(section != nullptr ? *section : tree, "folding");
}

Job read_job(const cxxopts::ParseResult& arguments) {
  Job job;
  read_network(arguments, job);
  if (arguments.count("folds") > 0) job.folding = read_folds(arguments["folds"].as<std::string>());
  const int streams = job.folding ? job.folding->streams : kDefaultStreams;
  job.request.streams = number(arguments, "streams", streams, 1, 32);
  job.request.port_elements = number(arguments, "port-elements", 1, 1, 64);
  if (arguments.count("objective") > 0) {
    job.request.objective = choice_of<FoldingObjective>(arguments["objective"].as<std::string>(),
                                                        "ernn estimate: --objective");
  }
  StreamDepths& depths = job.request.depths;
  depths.product = number(arguments, "product-words", depths.product, 1, 4096);
  depths.gates_frames =
      number(arguments, "gates-frames", static_cast<int>(depths.gates_frames), 1, 16);
  return job;
}

void write_folds(const Folding& folding, const fs::path& file) {
  ConfigNode tree = ConfigNode::map();
  tree["folding"] = write_options(folding);
  write_file(file, tree.to_yaml());
}

}  // namespace

int estimate_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn estimate",
      "Estimates time, resources and energy of a network's kernel on an FPGA, and chooses its "
      "folds. No vendor tool is asked: docs/hardware.md says what the figures rest on.");
  options.add_options()("config", "configuration with the model", cxxopts::value<std::string>(),
                        "FILE")("artefact", "exported network, instead of --config",
                                cxxopts::value<std::string>(), "DIR")(
      "platform", "FPGA: a file, or a name in configs/platforms",
      cxxopts::value<std::string>()->default_value("ku060"),
      "NAME")("streams", "independent streams that are interleaved, 1 to 32 (default 16)",
              cxxopts::value<int>(),
              "N")("objective", "latency or throughput: what the chosen folds are best for",
                   cxxopts::value<std::string>(),
                   "NAME")("bits", "width of stored codes, 6 to 16", cxxopts::value<int>(), "N")(
      "block", "block size of every matrix", cxxopts::value<int>(), "K")(
      "folds", "folds to estimate instead of choosing some", cxxopts::value<std::string>(), "FILE")(
      "write-folds", "writes the folds for `ernn export`", cxxopts::value<std::string>(), "FILE")(
      "measurements", "measured datapath functions (docs/hardware.md)",
      cxxopts::value<std::string>(),
      "FILE")("port-elements", "elements that the input and output port carry a clock (kernel: 1)",
              cxxopts::value<int>(),
              "N")("product-words", "words of the streams behind recurrent products (default 32)",
                   cxxopts::value<int>(),
                   "N")("gates-frames", "vectors that wait beside a GRU's products (default 3)",
                        cxxopts::value<int>(), "N")("json", "writes everything as JSON",
                                                    cxxopts::value<std::string>(), "FILE")(
      "report", "writes an HTML page", cxxopts::value<std::string>(), "FILE")(
      "set", "override a key of the configuration, for example model.output_block=8",
      cxxopts::value<std::vector<std::string>>(), "KEY=VALUE");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  const Job job = read_job(result);
  DatapathTable table(find_platform(result["platform"].as<std::string>(), kPlatforms));
  if (result.count("measurements") > 0)
    table.add_measurements(result["measurements"].as<std::string>());
  const Estimate estimate = estimate_kernel(job.request, job.folding, table, job.title);
  fmt::print("{}", estimate_text(estimate));
  if (result.count("json") > 0)
    write_file(result["json"].as<std::string>(), estimate_json(estimate).dump(2) + "\n");
  if (result.count("report") > 0)
    write_file(result["report"].as<std::string>(), estimate_page(estimate));
  if (result.count("write-folds") > 0)
    write_folds(estimate.plan.folding, result["write-folds"].as<std::string>());
  return 0;
}

}  // namespace ernn
