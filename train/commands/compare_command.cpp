// ernn compare: runs that differ in seeds and test speakers, side by side.
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/comparison.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> list_of(const cxxopts::ParseResult& result, const char* option) {
  if (result.count(option) == 0) return {};
  return result[option].as<std::vector<std::string>>();
}

}  // namespace

int compare_command(int argc, char** argv) {
  cxxopts::Options options(
      "ernn compare",
      "Puts runs of the same configuration side by side: phone error rates over seeds, differences "
      "to the dense model of the same seed and between stages, with intervals by a paired "
      "bootstrap "
      "over utterances. Runs of one seed with other test speakers count as one, larger test set.");
  // clang-format off
  options.add_options()
      ("run", "run folder, once for each", cxxopts::value<std::vector<std::string>>(), "DIR")
      ("pair", "two stages whose difference matters, once for each; the first less the second",
       cxxopts::value<std::vector<std::string>>(), "NAME:NAME")
      ("stages", "only these, in this order, in tables and plots", cxxopts::value<std::string>(), "A,B")
      ("resamples", "of the bootstrap", cxxopts::value<int>()->default_value("2000"), "N")
      ("out", "folder for compare.json, .md and .html and compare-<cell>.svg (default: the first run's)",
       cxxopts::value<std::string>(), "DIR");
  // clang-format on
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  const auto runs = list_of(result, "run");
  if (runs.empty()) throw UsageError("ernn compare: --run is missing; it names a run's folder");
  ComparisonOptions comparison_options;
  comparison_options.resamples = result["resamples"].as<int>();
  if (comparison_options.resamples < 100) {
    throw UsageError(fmt::format("ernn compare: --resamples: found {}, expected at least 100",
                                 comparison_options.resamples));
  }
  if (result.count("stages") > 0)
    comparison_options.stages = split(result["stages"].as<std::string>(), ',');
  for (const auto& pair : list_of(result, "pair")) {
    const auto names = split(pair, ':');
    if (names.size() != 2)
      throw UsageError(fmt::format(
          "ernn compare: --pair: found '{}', expected two names of stages with ':' between", pair));
    comparison_options.pairs.emplace_back(names[0], names[1]);
  }
  std::vector<std::string> left_out;
  const Comparison comparison =
      compare_runs({runs.begin(), runs.end()}, comparison_options, left_out);
  if (comparison.systems.empty())
    throw UsageError("ernn compare: no stage is finished in all runs of its cell");
  const fs::path out = result.count("out") > 0 ? result["out"].as<std::string>() : runs.front();
  make_folder(out);
  const std::string tables = comparison_tables(comparison);
  write_file(out / "compare.json", comparison_json(comparison));
  write_file(out / "compare.md", tables);
  write_file(out / "compare.html", comparison_page(comparison));
  for (const auto& [cell, drawing] : comparison_drawings(comparison))
    write_file(out / fmt::format("compare-{}.svg", cell), drawing);
  fmt::print("{}\n", tables);
  if (!left_out.empty())
    fmt::print("left out, not finished in every run: {}\n", join(left_out, ", "));
  fmt::print("wrote {}\n", (out / "compare.html").string());
  return 0;
}

}  // namespace ernn
