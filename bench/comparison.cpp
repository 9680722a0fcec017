#include "bench/comparison.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/tables.h"
#include "compute/blas.h"
#include "compute/isa.h"
#include "train/svg_plot.h"

namespace ernn::bench {

namespace {

// Seconds per iteration of every repetition, by benchmark.
class Recorder : public benchmark::ConsoleReporter {
 public:
  Recorder() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;  // 0: it failed
      seconds_[run.run_name.function_name].push_back(run.real_accumulated_time /
                                                     static_cast<double>(run.iterations));
    }
  }

  const std::vector<double>& seconds(const std::string& benchmark) const {
    static const std::vector<double> none;
    const auto found = seconds_.find(benchmark);
    return found == seconds_.end() ? none : found->second;
  }

 private:
  std::map<std::string, std::vector<double>> seconds_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Result {
  Comparison comparison;
  double seconds = 0;  // median
  std::vector<double> ratios;

  double ratio() const { return ratios[ratios.size() / 2]; }
};

std::vector<Result> compare(const Recorder& recorder, const std::vector<Comparison>& comparisons) {
  std::vector<Result> results;
  for (const Comparison& comparison : comparisons) {
    std::vector<double> own = recorder.seconds(comparison.own);
    const std::vector<double>& beside = recorder.seconds(comparison.beside);
    if (own.empty() || beside.empty()) continue;
    Result result;
    result.comparison = comparison;
    for (std::size_t i = 0; i < std::min(own.size(), beside.size()); ++i)
      result.ratios.push_back(comparison.own_work / own[i] * beside[i] / comparison.beside_work);
    std::sort(result.ratios.begin(), result.ratios.end());
    result.seconds = median(own);
    results.push_back(result);
  }
  return results;
}

void print(const std::vector<Result>& results) {
  if (results.empty()) return;
  Table table = {{"what", "beside", "ms", "ratio", "spread", "target"}};
  for (const Result& result : results) {
    const Comparison& c = result.comparison;
    table.push_back({c.name, c.beside, fmt::format("{:.4g}", 1e3 * result.seconds),
                     fmt::format("{:.2f}", result.ratio()),
                     fmt::format("{:.2f} to {:.2f}", result.ratios.front(), result.ratios.back()),
                     c.target > 0 ? fmt::format("{:g}", c.target) : ""});
  }
  fmt::print("\n{}", markdown(table));
}

// Replaces what the file has under the same names.
void save(const std::vector<Result>& results, const std::filesystem::path& path) {
  nlohmann::json all = nlohmann::json::array();
  if (std::filesystem::exists(path)) all = nlohmann::json::parse(read_file(path));
  for (const Result& result : results) {
    const Comparison& c = result.comparison;
    for (auto old = all.begin(); old != all.end();)
      old = (*old)["name"] == c.name ? all.erase(old) : old + 1;
    nlohmann::json row = {{"name", c.name},
                          {"value", 1e3 * result.seconds},
                          {"unit", "ms"},
                          {"ratio", result.ratio()},
                          {"lowest", result.ratios.front()},
                          {"highest", result.ratios.back()},
                          {"beside", c.beside}};
    row["target"] = c.target > 0 ? nlohmann::json(c.target) : nlohmann::json();
    all.push_back(row);
  }
  AtomicFile file(path);
  file.stream() << all.dump(1) << '\n';
  file.commit();
}

// Time per work of every point, divided by that of the first: 1 is the ideal line.
PlotSeries relative_cost(const Recorder& recorder, const Curve& curve) {
  PlotSeries series;
  series.name = curve.name;
  double first = 0;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const auto& seconds = recorder.seconds(curve.benchmarks[i]);
    if (seconds.empty()) continue;
    const double cost = median(seconds) / curve.work[i];
    if (series.x.empty()) first = cost;
    series.x.push_back(curve.x[i]);
    series.y.push_back(cost / first);
  }
  return series;
}

void draw(const Recorder& recorder, const Growth& growth, const std::filesystem::path& folder) {
  LinePlot plot;
  plot.title = growth.title;
  plot.x_label = growth.x_label;
  plot.y_label = "time per work, relative to the first point";
  plot.y_from_zero = true;
  fmt::print("\n{}\n| {} |", growth.title, growth.x_label);
  for (const double x : growth.curves.front().x) fmt::print(" {:g} |", x);
  for (const Curve& curve : growth.curves) {
    PlotSeries series = relative_cost(recorder, curve);
    if (series.x.empty()) continue;
    series.colour = static_cast<int>(plot.series.size());
    fmt::print("\n| {} |", curve.name);
    for (const double y : series.y) fmt::print(" {:.2f} |", y);
    plot.series.push_back(series);
  }
  fmt::print("\n");
  if (folder.empty() || plot.series.empty()) return;
  make_folder(folder);
  AtomicFile file(folder / (growth.file + ".svg"));
  file.stream() << render_file(plot);
  file.commit();
}

}  // namespace

int run(int argc, char** argv, const std::vector<Comparison>& comparisons,
        const std::vector<Growth>& growth) {
  std::filesystem::path json;
  std::filesystem::path plots;
  // What was given later wins over these.
  std::string interleave = "--benchmark_enable_random_interleaving=true";
  std::string repetitions = "--benchmark_repetitions=5";
  std::vector<char*> arguments = {argv[0], interleave.data(), repetitions.data()};
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--json" && i + 1 < argc) {
      json = argv[++i];
    } else if (std::string(argv[i]) == "--plots" && i + 1 < argc) {
      plots = argv[++i];
    } else {
      arguments.push_back(argv[i]);
    }
  }
  auto count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  Recorder recorder;
  benchmark::RunSpecifiedBenchmarks(&recorder);
  const std::vector<Result> results = compare(recorder, comparisons);
  print(results);
  fmt::print("kernels: {}; OpenBLAS core: {}\n", name_of(best_isa()), openblas_core());
  try {
    if (!json.empty()) save(results, json);
    for (const Growth& one : growth) draw(recorder, one, plots);
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return error.exit_status();
  }
  return 0;
}

}  // namespace ernn::bench
