// ernn train: runs the stages of a configuration.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/interrupt.h"
#include "train/machine.h"
#include "train/process_group.h"
#include "train/run.h"
#include "train/run_config.h"

namespace ernn {

int train_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn train", "Trains the stages of a configuration into a run folder and prints the PERs.");
  // clang-format off
  options.add_options()
      ("config", "YAML file", cxxopts::value<std::string>())
      ("set", "override a key: --set training.batch=8", cxxopts::value<std::vector<std::string>>())
      ("out", "run folder (default runs/<name>)", cxxopts::value<std::string>())
      ("resume", "go on with what the folder holds, or begin")
      ("stages", "only these stages, a,b", cxxopts::value<std::string>())
      ("quiet", "no progress, only the table");
  // clang-format on
  cxxopts::ParseResult arguments;
  if (!parse_arguments(options, argc, argv, arguments)) return 0;
  if (arguments.count("config") == 0)
    throw UsageError("ernn train: --config FILE is missing; ernn train --help tells more");
  std::vector<std::string> sets;
  if (arguments.count("set") > 0) sets = arguments["set"].as<std::vector<std::string>>();
  const RunConfig config = load_run_config(arguments["config"].as<std::string>(), sets);
  RunOptions run;
  run.out = arguments.count("out") > 0 ? std::filesystem::path(arguments["out"].as<std::string>())
                                       : std::filesystem::path("runs") / config.name;
  run.resume = arguments.count("resume") > 0;
  run.quiet = arguments.count("quiet") > 0;
  if (arguments.count("stages") > 0) run.stages = split(arguments["stages"].as<std::string>(), ',');
  run.group = std::make_shared<ProcessGroup>(read_place(), config.distributed);
  run.quiet = run.quiet || !run.group->is_first();
  const InterruptGuard guard;
  run.stop = [] { return InterruptGuard::requested(); };
  set_threads(config.threads);
  keep_freed_memory();
  const auto rows = run_training(config, run, [&] {
    const std::string warning = slow_gemm_warning(measure_gemm());
    if (!warning.empty() && run.group->is_first()) fmt::print(stderr, "{}\n", warning);
    return load_training_data(config, *run.group, run.quiet, run.stop);
  });
  if (run.group->is_first()) fmt::print("{}", summary_table(rows));
  return 0;
}

}  // namespace ernn
