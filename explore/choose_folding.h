// Picks how much of a network the kernel computes at the same time, so that it is as fast as fits
// on a device.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "explore/resources.h"
#include "explore/timing.h"

namespace ernn {

/// latency: clocks from a frame's first input to its last logit; throughput: clocks a frame when
/// `streams` are interleaved (interval_bounds(), timing.h).
enum class FoldingObjective { latency, throughput };
const std::vector<std::pair<FoldingObjective, const char*>>& enum_names(FoldingObjective);

struct FoldingRequest {
  ModelOptions model;
  std::vector<LayerWidths> widths;
  int streams = 1;
  FoldingObjective objective = FoldingObjective::throughput;
  StreamDepths depths;
  int port_elements = 1;
};

/// How good a folding is and what it takes.
struct FoldingValue {
  bool fits = false;
  double clocks = 0;  ///< the objective; 0 when it does not fit
  /// Breaks ties: mean beats of the stages and, for throughput, what a frame of one stream takes.
  double others = 0;
  double share = 0;  ///< sum over resources of what is taken of the limit
  Resources resources;
};

struct ChosenFolding {
  Folding folding;  ///< resolved
  FoldingValue value;
  long long tried = 0;  ///< foldings that were valued
};

FoldingValue value_folding(const Folding& folding, const FoldingRequest& request,
                           DatapathTable& table);

/// Search by steps that gain most for what they take, from balanced stages, until no step or pair
/// of steps gains. Throws UsageError naming the resource and what is there when not even one block
/// at a time fits.
ChosenFolding choose_folding(const FoldingRequest& request, DatapathTable& table);

/// Tries every folding of a small model: what choose_folding() is tested against.
ChosenFolding search_all_foldings(const FoldingRequest& request, DatapathTable& table);

}  // namespace ernn
