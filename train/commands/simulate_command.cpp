// ernn simulate: an artefact's emulator and kernel, compared and scored on the test split.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/options.h"
#include "base/text.h"
#include "export/artefact.h"
#include "features/dataset.h"
#include "train/commands/commands.h"
#include "train/commands/run_stage.h"
#include "train/kernel_program.h"
#include "train/model_context.h"
#include "train/run_config.h"
#include "train/simulation.h"
#include "train/summary.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

/// What one simulation needs to know.
struct Job {
  fs::path artefact;
  fs::path out;
  fs::path run;       ///< empty: no table to write into
  std::string stage;  ///< of the run
  bool with_data = false;
  DataOptions data;
};

template <class Visitor>
void describe(Visitor& field, Job& o) {
  field("data", o.data);
}

std::vector<std::string> assignments(const cxxopts::ParseResult& arguments) {
  std::vector<std::string> sets;
  if (arguments.count("set") > 0) sets = arguments["set"].as<std::vector<std::string>>();
  if (arguments.count("data-root") > 0)
    sets.push_back(fmt::format("data.root={}", arguments["data-root"].as<std::string>()));
  return sets;
}

Job job_of_run(const cxxopts::ParseResult& arguments) {
  const RunStage found = read_run_stage("simulate", arguments, assignments(arguments));
  Job job;
  job.run = found.run;
  job.stage = found.stage;
  job.artefact = found.folder() / "artefact";
  job.out = found.folder() / "artefact-test";
  job.with_data = true;
  job.data = found.config.data;
  return job;
}

Job job_of_artefact(const cxxopts::ParseResult& arguments) {
  ConfigNode tree = ConfigNode::map("command line");
  const std::vector<std::string> sets = assignments(arguments);
  for (const std::string& set : sets) tree.set(set);
  Job job = read_options<Job>(tree);
  job.with_data = !job.data.root.empty();
  if (!sets.empty() && !job.with_data)
    throw UsageError("ernn simulate: --set needs --data-root DIR, the corpus to test on");
  return job;
}

Job read_job(const cxxopts::ParseResult& arguments) {
  if (arguments.count("run") + arguments.count("artefact") == 0)
    throw UsageError("ernn simulate: expected --run DIR with --stage NAME, or --artefact DIR");
  Job job = arguments.count("run") > 0 ? job_of_run(arguments) : job_of_artefact(arguments);
  if (arguments.count("artefact") > 0) job.artefact = arguments["artefact"].as<std::string>();
  if (job.out.empty()) {
    const fs::path plain = job.artefact.has_filename() ? job.artefact : job.artefact.parent_path();
    job.out = fs::path(plain.string() + "-test");
  }
  if (arguments.count("out") > 0) job.out = arguments["out"].as<std::string>();
  return job;
}

std::string compiler_of(const cxxopts::ParseResult& arguments) {
  if (arguments.count("compiler") > 0) return arguments["compiler"].as<std::string>();
  const char* const variable = std::getenv("CXX");
  return variable != nullptr && *variable != '\0' ? variable : "g++";
}

UtteranceSet test_utterances(const Job& job, const ModelContext& context) {
  DataOptions data = job.data;
  data.phones = context.phones;
  return load_split(data, context.features, Split::test);
}

/// Returns the exit status: 1 when anything differs.
int run_simulation(const Job& job, const std::string& compiler) {
  const Artefact artefact = load_artefact(job.artefact);
  const ModelContext context =
      model_context_from_json(artefact.context, (job.artefact / "manifest.json").string());
  // Before the build, which takes longer than finding out that the corpus is wrong.
  UtteranceSet utterances;
  if (job.with_data) utterances = test_utterances(job, context);

  const fs::path work = job.out / "work";
  const KernelProgram kernel(job.artefact, work, compiler);
  bool equal = false;
  fmt::print("{}", kernel.prove(equal));
  if (!equal) {
    throw DataError(fmt::format("{}: the kernel differs from the golden signals (table in {})",
                                job.artefact.string(), (work / "golden.log").string()));
  }
  if (!job.with_data) return 0;

  const Simulation simulation = simulate(artefact, context, kernel, utterances);
  write_simulation(simulation, job.out);
  if (!job.run.empty()) {
    for (const SummaryRow& row : simulation_rows(simulation, artefact, context, job.stage))
      put_summary_row(job.run, row);
  }
  fmt::print("\n{}wrote {}\n", simulation_text(simulation), job.out.string());
  return agrees(simulation) ? 0 : 1;
}

}  // namespace

int simulate_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn simulate",
      "Builds an artefact's kernel, compares every golden signal, then runs the test split through "
      "emulator, kernel and runtime, compares all logits and scores.");
  options.add_options()("run", "run folder", cxxopts::value<std::string>(), "DIR")(
      "stage", "stage of the run", cxxopts::value<std::string>(), "NAME")(
      "artefact", "artefact (default: DIR/NAME/artefact); alone: golden signals only",
      cxxopts::value<std::string>(),
      "DIR")("data-root", "corpus to test on", cxxopts::value<std::string>(), "DIR")(
      "out", "results (default: DIR/NAME/artefact-test)", cxxopts::value<std::string>(), "DIR")(
      "compiler", "C++17 compiler of the kernel (default: $CXX or g++)",
      cxxopts::value<std::string>(),
      "PROGRAM")("set", "override a key of the configuration, for example data.limit=10",
                 cxxopts::value<std::vector<std::string>>(), "KEY=VALUE");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  return run_simulation(read_job(result), compiler_of(result));
}

}  // namespace ernn
