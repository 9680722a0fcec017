// ernn explore: from a configuration and FPGAs to designs.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "explore/explore.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/commands/run_stage.h"
#include "train/interrupt.h"
#include "train/machine.h"
#include "train/process_group.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPlatforms = "configs/platforms";

template <class T>
void take(const cxxopts::ParseResult& arguments, const char* option, T& value) {
  if (arguments.count(option) > 0) value = arguments[option].as<T>();
}

template <class T>
void take_choice(const cxxopts::ParseResult& arguments, const char* option, T& value) {
  if (arguments.count(option) == 0) return;
  value = choice_of<T>(arguments[option].as<std::string>(),
                       fmt::format("ernn explore: --{}", option).c_str());
}

ExploreOptions explore_options(const cxxopts::ParseResult& arguments) {
  ExploreOptions options;
  take(arguments, "max-trials", options.max_trials);
  take(arguments, "per-budget", options.per_budget);
  take(arguments, "width-budget", options.width_budget);
  take(arguments, "streams", options.streams);
  take(arguments, "gain", options.gain);
  take(arguments, "stop-after", options.stop_after);
  take(arguments, "stop-margin", options.stop_margin);
  take(arguments, "curvature-batches", options.curvature_batches);
  take_choice(arguments, "objective", options.objective);
  take_choice(arguments, "saving", options.saving);
  if (arguments.count("cells") > 0) {
    for (const std::string& cell : split(arguments["cells"].as<std::string>(), ','))
      options.cells.push_back(choice_of<LayerType>(cell, "ernn explore: --cells"));
  }
  return options;
}

void read_platforms(const cxxopts::ParseResult& arguments, ExploreSetup& setup) {
  if (arguments.count("platform") == 0)
    throw UsageError("ernn explore: --platform NAME is missing; ernn explore --help tells more");
  for (const std::string& name : arguments["platform"].as<std::vector<std::string>>()) {
    DatapathTable table(find_platform(name, kPlatforms));
    if (arguments.count("measurements") > 0)
      table.add_measurements(arguments["measurements"].as<std::string>());
    setup.tables.push_back(std::move(table));
    const std::string label = fs::path(name).stem().string();
    for (const std::string& other : setup.labels) {
      if (other == label)
        throw UsageError(fmt::format("ernn explore: --platform: found '{}' twice", label));
    }
    setup.labels.push_back(label);
  }
}

/// Speech is read once, however many networks it is run through: all of them have the same features
/// and normalisation.
SpeechSource speech_of(const RunConfig& config, bool quiet) {
  SpeechSource speech;
  const auto calibration = std::make_shared<std::vector<FrameMatrix>>();
  speech.calibration = [config, calibration](const ModelContext& context) {
    if (calibration->empty()) {
      *calibration =
          calibration_frames(config.data, context, config.export_options.calibration_utterances);
    }
    return *calibration;
  };
  const auto splits = std::make_shared<std::map<Split, UtteranceSet>>();
  speech.split = [config, quiet, splits](const ModelContext& context, Split split) {
    const auto known = splits->find(split);
    if (known != splits->end()) return known->second;
    return splits->emplace(split, load_split(config.data, context.features, split, quiet))
        .first->second;
  };
  return speech;
}

ExploreSetup read_setup(const cxxopts::ParseResult& arguments) {
  if (arguments.count("config") == 0)
    throw UsageError("ernn explore: --config FILE is missing; ernn explore --help tells more");
  std::vector<std::string> sets;
  take(arguments, "set", sets);
  ExploreSetup setup;
  setup.config = load_run_config(arguments["config"].as<std::string>(), sets);
  setup.out = fs::path("runs") / ("explore-" + setup.config.name);
  if (arguments.count("out") > 0) setup.out = arguments["out"].as<std::string>();
  setup.options = explore_options(arguments);
  setup.quiet = arguments.count("quiet") > 0;
  read_platforms(arguments, setup);
  setup.speech = speech_of(setup.config, setup.quiet);
  setup.stop = [] { return InterruptGuard::requested(); };
  setup.load = [config = setup.config, quiet = setup.quiet, stop = setup.stop] {
    const std::string warning = slow_gemm_warning(measure_gemm());
    if (!warning.empty()) fmt::print(stderr, "{}\n", warning);
    return load_training_data(config, ProcessGroup(), quiet, stop);
  };
  return setup;
}

/// One trial of a job array.
void run_one(Explorer& explorer, int number) {
  Exploration exploration = explorer.propose(/*train=*/number == 0);
  if (number > 0) explorer.train(exploration, number);
  fmt::print("{}", exploration_text(exploration));
}

void run_all(Explorer& explorer, const fs::path& out) {
  Exploration exploration = explorer.propose();
  for (int number = 1; number <= static_cast<int>(exploration.trials.size()); ++number)
    explorer.train(exploration, number);
  explorer.choose(exploration);
  explorer.write(exploration);
  fmt::print("{}\nwrote {}\n", exploration_text(exploration), (out / "explore.html").string());
  const std::string without = why_no_design(exploration);
  if (!without.empty()) throw DataError(without);
}

}  // namespace

int explore_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn explore",
      "Trains a few networks with block sizes chosen from a dense one's sensitivities, and designs "
      "the best kernel for each FPGA that keeps the phone error rate within a budget "
      "(docs/explore.md). What --out holds is not trained again.");
  // clang-format off
  options.add_options()
      ("config", "YAML file; its first admm stage and the circulant one behind it are the template", cxxopts::value<std::string>(), "FILE")
      ("set", "override a key: --set data.root=DIR", cxxopts::value<std::vector<std::string>>(), "KEY=VALUE")
      ("platform", "FPGA: a file, or a name in configs/platforms, once for each", cxxopts::value<std::vector<std::string>>(), "NAME")
      ("out", "folder (default runs/explore-<name>)", cxxopts::value<std::string>(), "DIR")
      ("max-trials", "networks that are trained, dense ones included (default 5)", cxxopts::value<int>(), "N")
      ("objective", "latency, throughput or energy (default latency)", cxxopts::value<std::string>(), "NAME")
      ("per-budget", "points of dev PER above the dense network (default 0.5)", cxxopts::value<double>(), "POINTS")
      ("width-budget", "points more that fixed point may cost (default 0.1)", cxxopts::value<double>(), "POINTS")
      ("streams", "independent streams that are interleaved, 1 to 32 (default 16)", cxxopts::value<int>(), "N")
      ("cells", "kinds of cells to train, for example lstm,gru (default: the configuration's)", cxxopts::value<std::string>(), "NAMES")
      ("saving", "what block sizes are to save: multiplications or numbers (default multiplications)", cxxopts::value<std::string>(), "NAME")
      ("gain", "factor by which doubling a block size must divide the multiplications (default 1.15)", cxxopts::value<double>(), "FACTOR")
      ("stop-after", "share of the last stage's epochs that every trial gets (default 0.5)", cxxopts::value<double>(), "SHARE")
      ("stop-margin", "points of dev PER that the rest is trusted to gain (default 3)", cxxopts::value<double>(), "POINTS")
      ("curvature-batches", "batches that sensitivities are measured on (default 16)", cxxopts::value<int>(), "N")
      ("measurements", "measured datapath functions (docs/hardware.md)", cxxopts::value<std::string>(), "FILE")
      ("trial", "only this trial, for job arrays: 0 the dense networks, then 1, 2, ...", cxxopts::value<int>(), "N")
      ("quiet", "no progress, only the tables");
  // clang-format on
  cxxopts::ParseResult arguments;
  if (!parse_arguments(options, argc, argv, arguments)) return 0;
  ExploreSetup setup = read_setup(arguments);
  const InterruptGuard guard;
  set_threads(setup.config.threads);
  keep_freed_memory();
  const fs::path out = setup.out;
  Explorer explorer(std::move(setup));
  if (arguments.count("trial") > 0) {
    run_one(explorer, arguments["trial"].as<int>());
  } else {
    run_all(explorer, out);
  }
  return 0;
}

}  // namespace ernn
