// Runs that differ in seeds and test speakers, side by side: what a training method costs, and
// whether one is better than another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "train/summary.h"

namespace ernn {

struct UtteranceErrors {
  std::string id;
  std::int64_t tokens = 0;
  std::int64_t errors = 0;
};

/// One system, a stage of the same name and cell in several runs: for every seed the utterances of
/// all its runs.
struct ComparedSystem {
  SummaryRow row;  ///< of the first run
  std::vector<std::vector<UtteranceErrors>> by_seed;
  std::vector<double> per;  ///< percent, of each seed
  double mean = 0, sd = 0;  ///< over seeds; sd 0 with one seed
};

/// PER of `system` minus that of `base` in points, on the same utterances.
struct Difference {
  std::size_t system = 0, base = 0;  ///< indices into Comparison::systems
  std::vector<double> by_seed;
  double mean = 0, sd = 0;  ///< over seeds
  /// 95 % of the means over seeds when utterances are drawn with replacement, the same ones for
  /// both systems and all seeds.
  double low = 0, high = 0;
  /// The interval has no 0 in it and the mean is larger than the spread over at least two seeds.
  bool is_beyond_chance() const;
};

struct Comparison {
  std::vector<std::int64_t> seeds;
  /// By cell, in the order asked for, else that of the first run's stages.
  std::vector<ComparedSystem> systems;
  std::vector<Difference> to_dense;  ///< to the stage `dense`, else the first of that type
  std::vector<Difference> pairs;     ///< those asked for, where a cell has both
};

struct ComparisonOptions {
  /// Names of stages, the system first and then what it is compared with.
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<std::string> stages;  ///< only these, in this order; empty = all
  int resamples = 2000;
  std::uint64_t seed = 1;
};

/// Reads summary.json and the stages' test scores of run folders. Stages that some run has not
/// finished are left out and named in `left_out`.
///
/// Throws UsageError for a pair or a list of stages with a name that is no stage's and for runs of
/// the same cell and seed with an utterance in common; DataError naming the file for broken ones,
/// for scores without utterances and for systems that were not scored by the same protocol or on
/// the same utterances.
Comparison compare_runs(const std::vector<std::filesystem::path>& runs,
                        const ComparisonOptions& options, std::vector<std::string>& left_out);

/// Tables in Markdown: systems with their differences to dense, then the pairs.
std::string comparison_tables(const Comparison& comparison);
std::string comparison_json(const Comparison& comparison);
/// The same as a page without outside references, with PER over block size for each cell.
std::string comparison_page(const Comparison& comparison);
/// PER over block size as an SVG file for each cell that has block sizes, by cell.
std::map<std::string, std::string> comparison_drawings(const Comparison& comparison);

}  // namespace ernn
