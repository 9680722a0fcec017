#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "explore/exploration.h"
#include "explore/exploration_tables.h"

namespace ernn {

namespace {

std::string bounds_text(const BlockBounds& bounds) {
  if (bounds.lower == 0) {
    return fmt::format("* {}: fits with no block size: k = {}: {}\n", bounds.platform,
                       bounds.costs[1].k, bounds.costs[1].shortage);
  }
  if (bounds.upper == 0) {
    return fmt::format(
        "* {}: fits with no block size worth training: k = {} is the smallest that fits, "
        "multiplications shrink up to {}\n",
        bounds.platform, bounds.lower, std::max(1, bounds.arithmetic));
  }
  return fmt::format("* {}: k = {} to {} (multiplications shrink up to {})\n", bounds.platform,
                     bounds.lower, bounds.upper, bounds.arithmetic);
}

/// The smallest --per-budget in hundredths of a point that a trial of this dev PER keeps.
double budget_for(double dev_per, const Exploration& exploration) {
  const double dense = exploration.limit - exploration.options.per_budget;
  double hundredths = std::floor(100 * (dev_per - dense));
  while (dense + hundredths / 100 < dev_per) ++hundredths;
  return hundredths / 100;
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
        budget_for(nearest->record.dev_per, exploration));
  }
  return fmt::format("no design: {}",
                     !nearest->dropped.empty()
                         ? nearest->record.name + ": " + nearest->dropped
                         : std::string("no trial within the budget fits; see above"));
}

std::string exploration_text(const Exploration& exploration) {
  std::string text;
  for (const ExploredCell& cell : exploration.cells) {
    text += cell.dense.cell + ":\n";
    for (const BlockBounds& bounds : cell.bounds) text += bounds_text(bounds);
  }
  text +=
      fmt::format("\nDesigns may have {:.2f} % dev PER before fixed point.\n\n{}\n{}\n",
                  exploration.limit, markdown(trial_table(exploration)), trial_note(exploration));
  const std::vector<std::string> reasons = trial_reasons(exploration);
  if (!reasons.empty()) text += "\n";
  for (const std::string& reason : reasons) text += "* " + reason + "\n";
  for (const ExploredPlatform& platform : exploration.platforms) {
    if (platform.designs.empty()) continue;
    text += fmt::format("\n{}\n\n{}", title_of(platform),
                        markdown(design_table(exploration, platform)));
    if (!platform.chosen.empty()) text += "\n" + choice_note(exploration, platform) + "\n";
  }
  return text;
}

}  // namespace ernn
