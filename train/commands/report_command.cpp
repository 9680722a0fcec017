// ernn report: one page about a run.
#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/report.h"
#include "train/summary.h"

namespace ernn {

int report_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn report", "Prints a run's table and writes summary.md and report.html into its folder.");
  options.add_options()("run", "run folder", cxxopts::value<std::string>(), "DIR");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  if (result.count("run") == 0)
    throw UsageError("ernn report: --run DIR is missing: the folder that ernn train --out made");
  const auto run = result["run"].as<std::string>();
  const auto page = write_report(run);
  const std::string table = summary_table(read_summary(run));
  write_file(std::filesystem::path(run) / "summary.md", table);
  fmt::print("{}\nwrote {}\n", table, page.string());
  return 0;
}

}  // namespace ernn
