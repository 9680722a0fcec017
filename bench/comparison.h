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

/// A curve over a quantity, for instance the size of a layer, and the line it would follow if the
/// time grew as the work does: through the first point.
struct Curve {
  std::string name;
  std::vector<double> x;
  std::vector<std::string> benchmarks;  ///< one for each x
  std::vector<double> work;             ///< of each, in any unit
};

struct Growth {
  std::string file;  ///< name of the plot without its ending
  std::string title;
  std::string x_label;
  std::vector<Curve> curves;
};

/// Runs the benchmarks in random order, repetition by repetition, prints the comparisons as a
/// table with the spread of the ratio over the repetitions, and adds them to a JSON file when the
/// command line has --json FILE; draws the growth as time per work relative to the first point
/// into --plots FOLDER. Further arguments are Google Benchmark's. Returns the exit status. Before
/// all else main calls restart_with_vector_blas().
int run(int argc, char** argv, const std::vector<Comparison>& comparisons,
        const std::vector<Growth>& growth = {});

}  // namespace ernn::bench
