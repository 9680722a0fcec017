// What a network costs on an FPGA: everything that `ernn estimate` prints.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "explore/choose_folding.h"
#include "explore/dataflow_simulation.h"

namespace ernn {

/// Clocks by the event simulation; beside the formulas of NetworkTiming.
struct SimulatedTiming {
  double latency = 0, single = 0, interleaved = 0;
  int frames = 0;  ///< of each run
};

struct Estimate {
  std::string title;
  Platform platform;
  KernelPlan plan;
  FoldingObjective objective = FoldingObjective::throughput;
  bool folds_given = false;  ///< not chosen here
  NetworkTiming timing;
  SimulatedTiming simulated;
  std::vector<StageResources> stages;
  Resources total;
  Energy energy_single, energy_interleaved;
  std::vector<DatapathCost> datapath;
  ProcessNetwork network;
  DataflowTrace single_trace, interleaved_trace;

  double microseconds(double clocks) const { return clocks / platform.clock_mhz; }
  double frames_per_second(double clocks) const { return platform.clock_mhz * 1e6 / clocks; }
};

/// Chooses folds unless `folding` has them, and estimates. Throws UsageError when folds do not suit
/// or nothing fits.
Estimate estimate_kernel(const FoldingRequest& request, const std::optional<Folding>& folding,
                         DatapathTable& table, const std::string& title);

/// A table for a terminal.
std::string estimate_text(const Estimate& estimate);
nlohmann::ordered_json estimate_json(const Estimate& estimate);
nlohmann::ordered_json to_json(const Resources& used);
/// A page that needs nothing beside it; well-formed XML too.
std::string estimate_page(const Estimate& estimate);

/// Why the figures may be off, line by line; the same in text and page.
std::vector<std::string> estimate_notes(const Estimate& estimate);

}  // namespace ernn
