// Latency and throughput of a kernel by formulas (docs/hardware.md); checked against
// explore/dataflow_simulation.h.
//
// The formulas are a recurrence over vectors: when a process starts one follows from when it is
// done with the one before, from the words and buffers that it needs and from the places that it
// writes to. Within a vector the words of a stream are taken to come evenly, so that it costs the
// same however many beats a process takes.
#pragma once

#include <string>
#include <vector>

#include "explore/kernel_plan.h"

namespace ernn {

/// One process. Clocks.
struct StageTiming {
  std::string name;
  int layer = -1;  ///< -1: an end of the chain
  long long beats = 0;
  int depth = 0;
  long long interval() const { return beats + depth + kHandshakeClocks; }
};

/// One layer. Clocks.
struct LayerTiming {
  std::string name;
  /// From the first clock of a frame at the input product to the last word of y, in an idle kernel
  /// whose input is there at once and that has computed nothing ahead: the recurrent product starts
  /// with the input product.
  double latency = 0;
  /// From y(t-1) to y(t) when the input product is there, and the loop over frames: what a frame of
  /// one stream takes. 0 for a feed-forward layer.
  double recurrence = 0;
  std::string slowest;  ///< process with the longest interval
  double interval = 0;  ///< of that process
};

struct NetworkTiming {
  int streams = 1;
  std::vector<StageTiming> stages;
  std::vector<LayerTiming> layers;
  double latency = 0;      ///< first clock of a frame at the input port to its last logit
  double single = 0;       ///< clocks a frame of one stream, frames without a pause
  double interleaved = 0;  ///< clocks a frame when `streams` are interleaved
  std::string bottleneck;  ///< what sets `interleaved`
};

NetworkTiming time_kernel(const KernelPlan& plan, int streams);

/// NetworkTiming::latency alone, which takes a fraction of the time.
double latency_clocks(const KernelPlan& plan);

/// Lower bounds that take a fraction of the time: no process rests but where the recurrence makes
/// it, as if streams between processes were long.
struct IntervalBounds {
  double interleaved = 0;  ///< of NetworkTiming::interleaved
  double recurrence = 0;   ///< sum over the layers of LayerTiming::recurrence
};
IntervalBounds interval_bounds(const KernelPlan& plan, int streams);

/// Whether the streams behind the products of recurrent layers hold a group's words. Units read
/// those in a burst; when they do not find place, products stand still, which the formulas do not
/// count (the simulation does).
bool formulas_hold(const KernelPlan& plan);

}  // namespace ernn
