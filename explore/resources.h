// What a kernel takes of an FPGA, by arithmetic over its memories and the datapath table
// (docs/hardware.md, Resources). Assumed to be how a tool would lay it out; no tool was asked.
#pragma once

#include <string>
#include <vector>

#include "explore/kernel_plan.h"
#include "explore/platform.h"

namespace ernn {

/// A memory or a stream of the kernel.
struct MemoryUse {
  std::string name;
  long long width = 0;  ///< bits read a clock
  long long depth = 0;  ///< words
  Resources cost;
};

/// One process with the memories and streams that it reads weights and state from or writes to.
struct StageResources {
  std::string name;  ///< as in NetworkTiming::stages
  int layer = -1;
  long long beats = 0;  ///< of a frame
  Resources total;
  std::vector<MemoryUse> memories;
  long long weight_bits = 0;  ///< stored weights with rows beyond the matrix, biases, peepholes
  long long weight_bandwidth = 0;  ///< bits of weights read a clock
  int multiplications = 0;         ///< real ones of a beat, those of tables included
};

/// In the order of NetworkTiming::stages. `streams` sets the size of the state.
std::vector<StageResources> kernel_resources(const KernelPlan& plan, DatapathTable& table,
                                             int streams);

Resources total_of(const std::vector<StageResources>& stages);

/// Joules of a frame, by part.
struct Energy {
  double rest = 0;      ///< static power over the interval
  double multiply = 0;  ///< DSP blocks
  double memory = 0;    ///< BRAM
  double logic = 0;     ///< LUTs of stages while they work
  double clock = 0;     ///< flip-flops over the whole interval
  double total() const { return rest + multiply + memory + logic + clock; }
};

/// Energy of a frame when one leaves every `interval` clocks. Every figure is an assumption of the
/// platform file.
Energy frame_energy(const std::vector<StageResources>& stages, double interval,
                    const Platform& platform);

}  // namespace ernn
