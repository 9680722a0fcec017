#include "explore/trial_record.h"

#include <fmt/format.h>

#include "explore/json_file.h"

namespace ernn {

const std::vector<std::pair<TrialState, const char*>>& enum_names(TrialState) {
  static const std::vector<std::pair<TrialState, const char*>> names = {
      {TrialState::open, "open"},
      {TrialState::stopped, "stopped"},
      {TrialState::finished, "finished"}};
  return names;
}

std::optional<TrialRecord> read_trial(const std::filesystem::path& folder) {
  return read_json_options<TrialRecord>(folder / "trial.json");
}

void write_trial(const TrialRecord& record, const std::filesystem::path& folder) {
  write_json_options(record, folder / "trial.json");
}

std::string why_hopeless(const TrialRecord& record, const StopRule& rule,
                         const std::vector<TrialRecord>& others) {
  if (record.epoch < rule.after * record.epochs || record.epoch >= record.epochs) return "";
  const std::string so_far = fmt::format("dev PER {:.2f} % after {} of {} epochs", record.dev_per,
                                         record.epoch, record.epochs);
  if (record.dev_per > rule.limit + rule.margin) {
    return fmt::format("{}, more than {:.2f} points above the budget's {:.2f} %", so_far,
                       rule.margin, rule.limit);
  }
  for (const TrialRecord& other : others) {
    const bool smaller =
        other.numbers <= record.numbers && other.multiplications <= record.multiplications;
    if (other.state != TrialState::finished || !smaller || other.name == record.name) continue;
    if (record.dev_per <= other.dev_per + rule.margin) continue;
    return fmt::format("{}, more than {:.2f} points above the smaller {}'s {:.2f} %", so_far,
                       rule.margin, other.name, other.dev_per);
  }
  return "";
}

}  // namespace ernn
