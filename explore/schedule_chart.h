// The schedule of a kernel as a drawing: a row for each process, a bar for each vector.
#pragma once

#include <cstdint>
#include <string>

#include "explore/dataflow_simulation.h"

namespace ernn {

struct ScheduleChart {
  std::string title;
  std::int64_t from = 0, to = 0;  ///< clocks shown
  double clock_mhz = 200;
  bool by_stream = false;  ///< colours tell streams apart, otherwise frames
  int width = 1120;
};

/// SVG for an HTML page (train/svg_plot.h has its style). A bar goes from a vector's first beat to
/// its last write. Colours tell streams or frames apart; of streams, every other frame is paler.
std::string render_schedule(const ScheduleChart& chart, const ProcessNetwork& network,
                            const DataflowTrace& trace);

}  // namespace ernn
