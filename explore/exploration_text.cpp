#include <fmt/format.h>

#include <algorithm>

#include "base/options.h"
#include "explore/exploration.h"

namespace ernn {

namespace {

std::string bounds_text(const BlockBounds& bounds) {
  if (bounds.lower == 0 || bounds.upper == 0) {
    return fmt::format("  {}: fits with no block size: k = {}: {}\n", bounds.platform,
                       bounds.costs[1].k, bounds.costs[1].shortage);
  }
  return fmt::format("  {}: k = {} to {} (multiplications shrink up to {})\n", bounds.platform,
                     bounds.lower, bounds.upper, bounds.arithmetic);
}

std::string trial_line(const ExploredTrial& trial, std::size_t number) {
  const TrialRecord& record = trial.record;
  const bool trained = record.state != TrialState::open;
  std::string line = fmt::format(
      "{:>3} {:36} {:>9} {:>10} {:>10} {:>12.3g} {:>8} {:>8}", number, record.name,
      name_of(record.state), record.numbers, record.multiplications, trial.proposal.assignment.loss,
      trained ? fmt::format("{:.2f}", record.dev_per) : "-",
      record.state == TrialState::finished ? fmt::format("{:.2f}", record.test_per)
                                           : std::string("-"));
  if (trial.proposal.refused > 0) {
    line += fmt::format("  ({} better ones cannot be built, the first: {})", trial.proposal.refused,
                        trial.proposal.refusal);
  }
  return line + "\n";
}

std::string design_text(const ExploredPlatform& platform, const HardwareDesign& design,
                        const ExploredTrial& trial) {
  if (!design.fits()) return fmt::format("  {} does not fit: {}\n", design.name, design.refusal);
  return fmt::format(
      "{} {}: {} bits, dev PER {:.2f} %, latency {:.2f} us, {:.0f} frames/s of one stream, {:.0f} "
      "interleaved, {:.2f} uJ a frame (assumed), {:.0f} DSP, {:.1f} BRAM36, {:.0f} LUT\n",
      platform.chosen == design.name ? "*" : " ", design.name, trial.widths.options.bits,
      trial.widths.per, design.latency_us, design.single_fps, design.interleaved_fps,
      design.energy_uj, design.resources.dsp, design.resources.bram36, design.resources.lut);
}

}  // namespace

std::string why_no_design(const Exploration& exploration) {
  const auto chosen = [](const ExploredPlatform& platform) { return !platform.chosen.empty(); };
  if (std::any_of(exploration.platforms.begin(), exploration.platforms.end(), chosen)) return "";
  const ExploredTrial* nearest = nullptr;
  for (const ExploredTrial& trial : exploration.trials) {
    if (trial.record.state == TrialState::open) continue;
    if (nearest == nullptr || trial.record.dev_per < nearest->record.dev_per) nearest = &trial;
  }
  if (nearest == nullptr) return "no design: no trial was proposed";
  if (!nearest->meets) {
    return fmt::format(
        "no design: no trial is within {:.2f} % dev PER; the nearest, {}, has {:.2f} %; a "
        "--per-budget of {:.2f}, more epochs or a finer --gain would help",
        exploration.limit, nearest->record.name, nearest->record.dev_per,
        exploration.options.per_budget + nearest->record.dev_per - exploration.limit);
  }
  return fmt::format("no design: {}",
                     !nearest->dropped.empty()
                         ? nearest->record.name + ": " + nearest->dropped
                         : std::string("no trial within the budget fits; see above"));
}

std::string exploration_text(const Exploration& exploration) {
  std::string text;
  for (const ExploredCell& cell : exploration.cells) {
    text += fmt::format("{}: dense dev PER {:.2f} %, test {:.2f} % ({} tokens)\n", cell.dense.cell,
                        cell.dense.dev_per, cell.dense.test_per, cell.dense.test_tokens);
    for (const BlockBounds& bounds : cell.bounds) text += bounds_text(bounds);
  }
  text +=
      fmt::format("designs may have {:.2f} % dev PER before fixed point\n\n", exploration.limit);
  text += fmt::format("{:>3} {:36} {:>9} {:>10} {:>10} {:>12} {:>8} {:>8}\n", "", "trial", "state",
                      "numbers", "products", "predicted", "dev PER", "test PER");
  for (std::size_t i = 0; i < exploration.trials.size(); ++i)
    text += trial_line(exploration.trials[i], i + 1);
  for (const ExploredTrial& trial : exploration.trials) {
    if (!trial.dropped.empty() && trial.record.state != TrialState::open)
      text += fmt::format("{} dropped: {}\n", trial.record.name, trial.dropped);
  }
  for (const ExploredPlatform& platform : exploration.platforms) {
    if (platform.designs.empty()) continue;
    text +=
        fmt::format("\n{}, best {} (*)\n", platform.label, name_of(exploration.options.objective));
    for (const HardwareDesign& design : platform.designs)
      text += design_text(platform, design, *find_trial(exploration, design.name));
    if (!platform.chosen.empty()) {
      text += fmt::format("  test PER of the choice at its widths: {:.2f} % ({} tokens)\n",
                          platform.test_per, platform.test_tokens);
    }
  }
  return text;
}

}  // namespace ernn
