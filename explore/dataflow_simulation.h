// Runs a network of processes clock by clock (explore/process_network.h).
//
// A process starts a vector when it is idle and its buffers allow, issues one beat a clock from the
// next clock on as long as the words to read are there, and writes `depth` clocks later. When a
// word cannot be written its whole pipeline stands still; when none can be read bubbles enter. Two
// clocks after the last write it can start again. A word can be read, and a place written again, in
// the clock after.
#pragma once

#include <cstdint>
#include <vector>

#include "explore/process_network.h"

namespace ernn {

struct DataflowOptions {
  int streams = 1;
  int frames = 8;
  /// Clocks between the arrivals of frames at the input port, all streams at once; 0: all frames
  /// are there from the start.
  std::int64_t arrival_interval = 0;
};

/// One vector in one process, in clocks.
struct ProcessRun {
  int process = 0, frame = 0, stream = 0;
  std::int64_t start = 0;        ///< handshake
  std::int64_t first_issue = 0;  ///< first beat
  std::int64_t last_write = 0;   ///< last clock with work
};

struct DataflowTrace {
  std::vector<ProcessRun> runs;
  std::int64_t clocks = 0;

  /// Last clock of a vector in a process, by frame and stream; -1 when there is no such run.
  std::int64_t end_of(int process, int frame, int stream) const;
};

/// Runs to the end. Throws std::logic_error naming what waits for what when nothing can go on.
DataflowTrace simulate_dataflow(const ProcessNetwork& network, const DataflowOptions& options);

/// Clocks a vector takes when all streams run without a pause: the time of the second half of the
/// frames over their number and that of the streams.
double steady_interval(const ProcessNetwork& network, const DataflowTrace& trace, int frames,
                       int streams);

}  // namespace ernn
