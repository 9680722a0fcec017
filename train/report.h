// The report of a run: one HTML page that needs nothing beside it.
#pragma once

#include <filesystem>
#include <string>

#include "train/report_data.h"

namespace ernn {

/// The page: results, curves, ADMM's residuals, confusions, saturations, and how each number was
/// made. Well-formed XML too. What the run does not have is left out, and the page says so.
/// `machine` describes the computer that makes the report.
std::string render_report(const RunData& run, const std::string& machine);

/// Reads the run folder and writes report.html into it; returns its path. Throws what read_run()
/// throws.
std::filesystem::path write_report(const std::filesystem::path& folder);

/// Processor, number of its threads and system of this computer.
std::string describe_machine();

}  // namespace ernn
