// Benchmarks whose figures are ratios within one run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ernn::bench {

/// One line of the table: how a benchmark compares with another one of the same run.
struct Comparison {
  std::string name;
  std::string own;     ///< name of a registered benchmark
  std::string beside;  ///< name of the one it is measured against
  double target = 0;   ///< the ratio to reach; 0: none is set
  /// Work of one iteration; ratios are of work per time. 1: of times.
  double own_work = 1;
  double beside_work = 1;
};

/// Runs the benchmarks in random order, repetition by repetition, prints the comparisons as a
/// table with the spread of the ratio over the repetitions, and adds them to a JSON file when the
/// command line has --json FILE. Further arguments are Google Benchmark's. Returns the exit status.
int run(int argc, char** argv, const std::vector<Comparison>& comparisons);

}  // namespace ernn::bench
