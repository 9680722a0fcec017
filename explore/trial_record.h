// What a trial came to, as its folder remembers it, and when one is hopeless; free of LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ernn {

enum class TrialState {
  open,     ///< proposed, not trained yet
  stopped,  ///< given up, see TrialRecord::reason
  finished
};
const std::vector<std::pair<TrialState, const char*>>& enum_names(TrialState);

/// PERs in percent.
struct TrialRecord {
  std::string name;
  std::string cell;  ///< lstm or gru
  TrialState state = TrialState::open;
  std::string reason;    ///< why it was stopped
  std::string model;     ///< digest of the model file of a finished trial
  double dev_per = 0;    ///< stopped: the best epoch's
  double dev_error = 0;  ///< standard error over utterances
  double test_per = 0;
  std::int64_t dev_tokens = 0, test_tokens = 0;
  std::string protocol;
  long long numbers = 0;          ///< stored, biases and peepholes included
  long long multiplications = 0;  ///< of a frame
  int epoch = 0, epochs = 0;      ///< of the circulant stage: trained, planned
};

template <class Visitor>
void describe(Visitor& field, TrialRecord& o) {
  field("name", o.name);
  field("cell", o.cell, "lstm or gru");
  field("state", o.state, "open, stopped or finished");
  field("reason", o.reason, "why it was stopped");
  field("model", o.model, "digest of the model file");
  field("dev_per", o.dev_per, "percent");
  field("dev_error", o.dev_error, "standard error over utterances, points");
  field("test_per", o.test_per, "percent");
  field("dev_tokens", o.dev_tokens, "reference length");
  field("test_tokens", o.test_tokens, "reference length");
  field("protocol", o.protocol, "of scoring");
  field("numbers", o.numbers, "stored");
  field("multiplications", o.multiplications, "of a frame");
  field("epoch", o.epoch, "trained, of the last stage");
  field("epochs", o.epochs, "planned, of the last stage");
}

/// trial.json of a folder; nothing when it is not there. Throws DataError for a broken file.
std::optional<TrialRecord> read_trial(const std::filesystem::path& folder);
void write_trial(const TrialRecord& record, const std::filesystem::path& folder);

/// When to give a trial up.
struct StopRule {
  double after = 0.5;  ///< share of the circulant stage's epochs that every trial gets
  double margin = 3;   ///< points of dev PER that the rest is trusted to gain
  double limit = 0;    ///< dev PER that a design may have: the dense network's and the budget
};

/// Why a trial that has come so far (`record.epoch`, `record.dev_per`) should be given up, "" when
/// it should not: its best dev PER is worse by more than the margin than the limit, or than that of
/// a finished trial that stores and multiplies no more.
std::string why_hopeless(const TrialRecord& record, const StopRule& rule,
                         const std::vector<TrialRecord>& others);

}  // namespace ernn
