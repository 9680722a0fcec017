#include "explore/exploration_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/options.h"

namespace ernn {

namespace {

/// What became of a trial, in a few words; the whole reason stands below the table.
std::string fate(const ExploredTrial& trial) {
  if (trial.record.state != TrialState::finished)
    return trial.record.state == TrialState::stopped ? "given up" : "not trained";
  if (!trial.meets) return "above the budget";
  return trial.dropped.empty() ? "within the budget" : "loses too much in fixed point";
}

std::vector<std::string> trial_row(const Exploration& exploration, const ExploredTrial& trial,
                                   bool pareto) {
  const TrialRecord& record = trial.record;
  const bool finished = record.state == TrialState::finished;
  return {numbered(exploration, trial),
          fate(trial),
          pareto ? "yes" : "",
          std::to_string(record.numbers),
          std::to_string(record.multiplications),
          fmt::format("{:.4g}", trial.proposal.assignment.loss),
          fmt::format("{:.4g}", trial.proposal.uniform_loss),
          record.state != TrialState::open ? fmt::format("{:.2f}", record.dev_per) : "–",
          finished ? fmt::format("{:.2f}", record.dev_error) : "–",
          finished ? fmt::format("{:.2f}", record.test_per) : "–"};
}

}  // namespace

std::string numbered(const Exploration& exploration, const ExploredTrial& trial) {
  return fmt::format("{} {}", &trial - exploration.trials.data() + 1, trial.record.name);
}

Table trial_table(const Exploration& exploration) {
  Table rows = {{"trial", "what became of it", "Pareto", "numbers", "multiplications",
                 "predicted loss", "of one k within the same cost", "dev PER %", "±",
                 "test PER %"}};
  for (const ExploredCell& cell : exploration.cells) {
    const TrialRecord& dense = cell.dense;
    rows.push_back({dense.name, "what trials start from", "", std::to_string(dense.numbers),
                    std::to_string(dense.multiplications), "0", "0",
                    fmt::format("{:.2f}", dense.dev_per), fmt::format("{:.2f}", dense.dev_error),
                    fmt::format("{:.2f}", dense.test_per)});
  }
  const std::vector<std::string> pareto = pareto_of(exploration);
  for (const ExploredTrial& trial : exploration.trials) {
    const bool good = std::find(pareto.begin(), pareto.end(), trial.record.name) != pareto.end();
    rows.push_back(trial_row(exploration, trial, good));
  }
  return rows;
}

std::string trial_note(const Exploration& exploration) {
  const TrialRecord& dense = exploration.cells.front().dense;
  return fmt::format(
      "PER in percent, protocol {}, {} tokens of dev and {} of test; ± is the standard error over "
      "utterances. Pareto: no trial has both fewer errors and fewer numbers. One seed each.",
      dense.protocol, dense.dev_tokens, dense.test_tokens);
}

std::vector<std::string> trial_reasons(const Exploration& exploration) {
  std::vector<std::string> reasons;
  for (const ExploredTrial& trial : exploration.trials) {
    const std::string name = numbered(exploration, trial);
    if (!trial.dropped.empty())
      reasons.push_back(fmt::format("{}: dropped, {}", name, trial.dropped));
    if (trial.proposal.refused > 0) {
      reasons.push_back(fmt::format("{}: {} better ones cannot be built, the first: {}", name,
                                    trial.proposal.refused, trial.proposal.refusal));
    }
  }
  return reasons;
}

std::string title_of(const ExploredPlatform& platform) {
  return fmt::format("{} ({}, {:.0f} MHz)", platform.label, platform.platform.device,
                     platform.platform.clock_mhz);
}

Table design_table(const Exploration& exploration, const ExploredPlatform& platform) {
  Table rows = {{"trial", "", "bits", "dev PER %", "latency µs", "frames/s, one stream",
                 "frames/s, interleaved", "µJ a frame", "DSP", "BRAM36", "LUT", "FF"}};
  for (const HardwareDesign& design : platform.designs) {
    const ExploredTrial& trial = *find_trial(exploration, design.name);
    const std::string remark = platform.chosen == design.name ? "chosen" : design.refusal;
    std::vector<std::string> row = {numbered(exploration, trial), remark,
                                    std::to_string(trial.widths.options.bits),
                                    fmt::format("{:.2f}", trial.widths.per)};
    if (design.fits()) {
      for (const double value : {design.latency_us, design.single_fps, design.interleaved_fps,
                                 design.energy_uj, design.resources.dsp, design.resources.bram36,
                                 design.resources.lut, design.resources.ff})
        row.push_back(fmt::format("{:.{}f}", value, value < 100 ? 2 : 0));
    }
    row.resize(rows.front().size(), "–");
    rows.push_back(row);
  }
  return rows;
}

std::string choice_note(const Exploration& exploration, const ExploredPlatform& platform) {
  return fmt::format(
      "Chosen for {}: {}, test PER {:.2f} % ({} tokens) at its widths. Folder {} is a run with "
      "this design: its design.yaml trains and exports, folds.yaml is for ernn estimate. Times and "
      "resources are arithmetic, energy rests on assumed factors (docs/hardware.md).",
      name_of(exploration.options.objective), platform.chosen, platform.test_per,
      platform.test_tokens, platform.label);
}

}  // namespace ernn
