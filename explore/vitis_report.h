// Reports of Vitis HLS as results (docs/hardware.md, "Reports of Vitis HLS"). Written after the
// vendor's documentation and published reports; never tried on the tool's own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "explore/synthesis_results.h"

namespace ernn {

/// The top function first, then the modules below it in the report's order: latency in clocks of a
/// call (`depth`), interval, resources, asked and estimated clock period. What the tool does not
/// know ("undef", "?") is absent. When the solution was simulated with its testbench, the top has
/// the simulation's latency and interval and no mismatches.
///
/// `folder` is a solution (vitis/solution, or vitis/hls of the unified flow) or has exactly one
/// below it. The top is called `name`, or as in the report when that is empty; modules NAME/MODULE.
///
/// Throws DataError in one line that names file and place: no report, broken XML, a missing or
/// wrong number of the top, a simulation that failed.
std::vector<SynthesisResult> read_vitis_reports(const std::filesystem::path& folder,
                                                const std::string& name = "");

}  // namespace ernn
