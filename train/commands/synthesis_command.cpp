// ernn synthesis: what synthesis tools made of the kernel, in one table.
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "explore/synthesis_results.h"
#include "explore/vitis_report.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

/// A file of results, or a folder with Vitis' reports, which may be written NAME=FOLDER.
std::vector<SynthesisResult> read_source(const std::string& argument) {
  std::string name;
  fs::path path = argument;
  const auto equals = argument.find('=');
  if (!fs::exists(path) && equals != std::string::npos) {
    name = argument.substr(0, equals);
    path = argument.substr(equals + 1);
  }
  if (fs::is_directory(path)) return read_vitis_reports(path, name);
  if (!name.empty()) {
    throw UsageError(
        fmt::format("ernn synthesis: {}: expected a folder with Vitis' reports behind "
                    "'{}='; a file's results have names",
                    path.string(), name));
  }
  return read_synthesis_results(path);
}

}  // namespace

int synthesis_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn synthesis",
      "Prints results of synthesis as one table, in the order given: FILE is JSON as scripts/rtl "
      "writes it, FOLDER a solution of Vitis HLS (docs/hardware.md).");
  options.add_options()("json", "writes all results as one JSON array",
                        cxxopts::value<std::string>(), "FILE")(
      "source", "files and folders to read", cxxopts::value<std::vector<std::string>>(), "...");
  options.parse_positional("source");
  options.positional_help("FILE|FOLDER|NAME=FOLDER...");
  cxxopts::ParseResult arguments;
  if (!parse_arguments(options, argc, argv, arguments)) return 0;
  if (arguments.count("source") == 0) {
    throw UsageError(
        "ernn synthesis: expected a file of results or a folder with Vitis' reports; "
        "ernn synthesis --help tells more");
  }
  std::vector<SynthesisResult> results;
  for (const std::string& source : arguments["source"].as<std::vector<std::string>>()) {
    for (SynthesisResult& result : read_source(source)) results.push_back(std::move(result));
  }
  refuse_repeated_names(results, "ernn synthesis (a folder can be named: NAME=FOLDER)");
  fmt::print("{}", synthesis_table(results));
  if (arguments.count("json") > 0)
    write_synthesis_results(arguments["json"].as<std::string>(), results);
  return 0;
}

}  // namespace ernn
