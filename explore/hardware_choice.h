// Which of several networks makes the best kernel for a device, and how it is folded
// (docs/explore.md, "Hardware").
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "explore/estimate.h"

namespace ernn {

/// What a design is chosen for. latency: clocks of a frame in an idle kernel; throughput: clocks a
/// frame of interleaved streams; energy: joules a frame of interleaved streams.
enum class DesignObjective { latency, throughput, energy };
const std::vector<std::pair<DesignObjective, const char*>>& enum_names(DesignObjective);

/// A network at some widths.
struct HardwareCandidate {
  std::string name;
  ModelOptions model;
  std::vector<LayerWidths> widths;
  double per = 0;  ///< percent; the smaller one of two equally good candidates
};

/// A candidate's kernel on one device.
struct HardwareDesign {
  std::string name;
  std::string refusal;  ///< why it does not fit; then nothing below has a meaning
  Folding folding;      ///< resolved
  double latency_us = 0;
  double single_fps = 0;       ///< frames a second of one stream
  double interleaved_fps = 0;  ///< of all streams together
  double energy_uj = 0;        ///< a frame of interleaved streams; assumed factors
  Resources resources;
  double value = 0;  ///< what the objective makes small

  bool fits() const { return refusal.empty(); }
};

struct HardwareRequest {
  DesignObjective objective = DesignObjective::latency;
  int streams = 16;
};

/// Folds and values one candidate. For energy the folds for latency and those for throughput are
/// valued and the better ones kept: choose_folding() does not search by energy.
HardwareDesign design_hardware(const HardwareCandidate& candidate, const HardwareRequest& request,
                               DatapathTable& table);

/// Place of the best one that fits, -1 when none does. `candidates` and `designs` go together.
int best_design(const std::vector<HardwareCandidate>& candidates,
                const std::vector<HardwareDesign>& designs);

}  // namespace ernn
