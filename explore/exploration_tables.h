// What an exploration has found as tables and sentences; its page and its text share them.
#pragma once

#include <string>
#include <vector>

#include "base/tables.h"
#include "explore/exploration.h"

namespace ernn {

/// The trial's number and name.
std::string numbered(const Exploration& exploration, const ExploredTrial& trial);
/// Dense networks and trials: what became of them, sizes, predicted and measured.
Table trial_table(const Exploration& exploration);
/// Protocol and tokens of that table.
std::string trial_note(const Exploration& exploration);
/// Why trials were dropped, and what could not be proposed.
std::vector<std::string> trial_reasons(const Exploration& exploration);

/// The platform with its device and clock.
std::string title_of(const ExploredPlatform& platform);
/// The candidates' kernels on a platform.
Table design_table(const Exploration& exploration, const ExploredPlatform& platform);
/// What was chosen, where it lies, and what its figures rest on.
std::string choice_note(const Exploration& exploration, const ExploredPlatform& platform);

}  // namespace ernn
