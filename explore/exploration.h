// What an exploration has found, and its files; free of LibTorch.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "explore/block_bounds.h"
#include "explore/block_proposal.h"
#include "explore/hardware_choice.h"
#include "explore/sensitivity_table.h"
#include "explore/trial_record.h"
#include "explore/width_choice.h"
#include "train/run_config.h"

namespace ernn {

/// Options of `ernn explore`.
struct ExploreOptions {
  int max_trials = 5;         ///< networks that are trained, dense ones included
  double per_budget = 0.5;    ///< points of dev PER above the dense network
  double width_budget = 0.1;  ///< points more that fixed point may cost
  DesignObjective objective = DesignObjective::latency;
  int streams = 16;    ///< interleaved, for throughput and energy
  double gain = 1.15;  ///< a doubling of a block size must divide the multiplications by it
  Saving saving = Saving::multiplications;
  double stop_after = 0.5;  ///< StopRule
  double stop_margin = 3;   ///< StopRule
  int curvature_batches = 16;
  std::vector<LayerType> cells;  ///< empty: the configuration's
};

/// Throws UsageError naming the option.
void validate(const ExploreOptions& options);

template <class Visitor>
void describe(Visitor& field, ExploreOptions& o) {
  field("max_trials", o.max_trials, "networks trained, dense ones included");
  field("per_budget", o.per_budget, "points of dev PER above the dense network");
  field("width_budget", o.width_budget, "points more that fixed point may cost");
  field("objective", o.objective, "latency, throughput or energy");
  field("streams", o.streams, "interleaved streams");
  field("gain", o.gain, "what a doubling must divide the multiplications by");
  field("saving", o.saving, "multiplications or numbers");
  field("stop_after", o.stop_after, "share of the epochs that every trial gets");
  field("stop_margin", o.stop_margin, "points that the rest is trusted to gain");
  field("curvature_batches", o.curvature_batches, "of the sensitivity");
  field("cells", o.cells, "lstm, gru");
}

/// A network of block-circulant matrices.
struct ExploredTrial {
  TrialRecord record;
  ModelOptions model;
  Proposal proposal;
  bool meets = false;   ///< the budget, as real numbers
  std::string dropped;  ///< why no kernel was designed for it; "" when one was
  WidthChoice widths;   ///< when it meets the budget
};

/// One cell: its dense network and what came of it.
struct ExploredCell {
  LayerType cell = LayerType::lstm;
  ModelOptions model;  ///< dense
  TrialRecord dense;
  SensitivityTable sensitivity;
  std::vector<BlockPlace> places;
  std::vector<BlockBounds> bounds;  ///< by platform
};

struct ExploredPlatform {
  std::string label;  ///< as it was asked for
  Platform platform;
  std::vector<HardwareDesign> designs;  ///< of the candidates, by trial name
  std::string chosen;                   ///< trial; "": no candidate fits
  double test_per = 0;                  ///< of the chosen one at its widths, percent
  std::int64_t test_tokens = 0;
};

struct Exploration {
  std::string name;
  ExploreOptions options;
  double limit = 0;  ///< dev PER that designs may have before fixed point, percent
  std::vector<ExploredCell> cells;
  std::vector<ExploredTrial> trials;  ///< in the order of their numbers, from 1
  std::vector<ExploredPlatform> platforms;
};

const HardwareDesign* find_design(const ExploredPlatform& platform, const std::string& trial);
const ExploredTrial* find_trial(const Exploration& exploration, const std::string& name);

/// Finished trials that no other one beats in both dev PER and stored numbers, by name.
std::vector<std::string> pareto_of(const Exploration& exploration);

nlohmann::ordered_json exploration_json(const Exploration& exploration);
/// A line for each trial and platform, and one for each dense network.
std::string exploration_csv(const Exploration& exploration);
/// A page that needs nothing beside it.
std::string exploration_page(const Exploration& exploration);
/// What was tried and chosen, in Markdown.
std::string exploration_text(const Exploration& exploration);
/// Why there is a design for no platform, in one line with what would help; "" when there is one.
std::string why_no_design(const Exploration& exploration);

}  // namespace ernn
