// The kernel as processes, streams and buffers, beat by beat: what explore/dataflow_simulation.h
// runs. Made by walking through the kernel's loops (hls/kernel), not from the formulas of
// explore/timing.h, which it checks.
#pragma once

#include <string>
#include <vector>

#include "explore/kernel_plan.h"

namespace ernn {

/// A stream of `capacity` words, or a buffer of two vectors that is handed over whole.
struct Channel {
  std::string name;
  bool buffer = false;
  long long capacity = 2;
  bool source = false;  ///< the input port: a word is there from its vector's arrival on
};

/// What one process does with one channel in a vector: the beats at which it reads or writes a word
/// (a buffer: none).
struct Port {
  int channel = -1;
  std::vector<int> beats;
};

struct Process {
  std::string name;
  int layer = -1;  ///< -1: an end of the chain
  int loop = 0;    ///< processes of one loop; a recurrent loop waits for all of them each frame
  int beats = 0;
  int depth = 1;
  std::vector<Port> reads, writes;
  bool layer_output = false;  ///< its last write ends the layer's frame
};

struct ProcessNetwork {
  std::vector<Process> processes;
  std::vector<Channel> channels;
  std::vector<bool> recurrent;  ///< by loop
};

ProcessNetwork process_network(const KernelPlan& plan);

}  // namespace ernn
