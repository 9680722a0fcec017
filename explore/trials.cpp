#include "explore/trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "models/model_file.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/interrupt.h"
#include "train/report_data.h"
#include "train/run.h"
#include "train/stage_method.h"
#include "train/standard_error.h"
#include "train/summary.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

fs::path model_file(const fs::path& folder, const std::string& stage) {
  return folder / stage / "model.safetensors";
}

TrialRecord record_of(const ModelOptions& model, const std::string& name, int epochs) {
  TrialRecord record;
  record.name = name;
  record.cell = name_of(cell_of(model));
  record.numbers = parameter_count(model);
  record.multiplications = multiplications(model);
  record.epochs = epochs;
  record.dev_per = HUGE_VAL;
  return record;
}

TrialRecord give_up(TrialRecord record, const fs::path& folder) {
  record.state = TrialState::stopped;
  write_trial(record, folder);
  return record;
}

/// Adds the epochs of a stage that were trained so far.
void add_epochs(TrialRecord& record, const fs::path& folder, const char* stage) {
  if (!fs::exists(folder / "metrics.jsonl")) return;
  for (const EpochProgress& epoch : read_run(folder).epochs) {
    if (epoch.stage != stage || !epoch.dev_per) continue;
    record.epoch = epoch.epoch;
    record.dev_per = std::min(record.dev_per, *epoch.dev_per);
  }
}

}  // namespace

TrialRunner::TrialRunner(TrialSetup setup)
    : setup_(std::move(setup)), stages_(find_trial_stages(setup_.config)) {}

fs::path TrialRunner::dense_folder(const ModelOptions& model) const {
  return setup_.out / fmt::format("dense-{}", name_of(cell_of(model)));
}

fs::path TrialRunner::trial_folder(const ModelOptions& model) const {
  return setup_.out / "trials" / trial_name(model);
}

const TrainingData& TrialRunner::data() {
  if (!data_) data_ = setup_.load();
  return *data_;
}

bool TrialRunner::holds(const RunConfig& config, const fs::path& folder) {
  for (const StageOptions& stage : config.stages) {
    const fs::path file = folder / stage.name / "checkpoint.safetensors";
    if (!fs::exists(file)) return false;
    ModelOptions start = complete_model(config);
    std::string digest;
    if (stage.from != kFromNothing) {
      const fs::path from = model_file(folder, stage.from);
      if (!fs::exists(from)) return false;
      start = ModelFile::load(from).options;
      digest = digest_file(from);
    }
    const std::string& teacher = stage.distillation.teacher;
    if (!teacher.empty()) digest += " " + digest_file(model_file(folder, teacher));
    const CheckpointIdentity expected =
        checkpoint_identity(config, stage, make_stage_method(stage)->network(start), digest);
    check_identity(Checkpoint::load(file).identity, expected, file,
                   [this] { return text_of_splits(data()); });
  }
  return true;
}

std::optional<TrialRecord> TrialRunner::remembered(const RunConfig& config,
                                                   const fs::path& folder) {
  std::optional<TrialRecord> record = read_trial(folder);
  if (!record || !holds(config, folder)) return std::nullopt;
  if (record->state != TrialState::finished) return record;
  const fs::path file = model_file(folder, config.stages.back().name);
  if (!fs::exists(file) || digest_file(file) != record->model) return std::nullopt;
  return record;
}

TrialRecord TrialRunner::finish(TrialRecord record, const fs::path& folder, const char* stage,
                                int batch) {
  const std::string digest = digest_file(model_file(folder, stage));
  const auto known = read_trial(folder);
  if (known && known->state == TrialState::finished && known->model == digest) return *known;
  const LoadedModel loaded = load_model(model_file(folder, stage));
  const SplitResult dev = evaluate(loaded.model, data().dev, loaded.context, batch);
  record.state = TrialState::finished;
  record.reason.clear();
  record.model = digest;
  add_epochs(record, folder, stage);
  record.dev_per = dev.scores.total.per();
  record.dev_error = standard_error(dev.scores);
  record.dev_tokens = dev.scores.total.tokens;
  record.protocol = name_of(dev.scores.protocol);
  for (const SummaryRow& row : read_summary(folder)) {
    if (row.name != stage) continue;
    record.test_per = row.per;
    record.test_tokens = row.tokens;
  }
  write_trial(record, folder);
  return record;
}

TrialRecord TrialRunner::train_dense(const ModelOptions& model) {
  const RunConfig config = dense_config(setup_.config, stages_, model);
  RunOptions options;
  options.out = dense_folder(model);
  options.resume = true;
  options.quiet = setup_.quiet;
  options.stop = setup_.stop;
  run_training(config, options, [&] { return data(); });
  return finish(
      record_of(complete_model(config), options.out.filename().string(), stages_.dense.epochs),
      options.out, kDenseStage, stages_.dense.batch);
}

std::optional<TrialRecord> TrialRunner::find_dense(const ModelOptions& model) {
  return remembered(dense_config(setup_.config, stages_, model), dense_folder(model));
}

SensitivityTable TrialRunner::sensitivity(const ModelOptions& model) {
  const fs::path folder = dense_folder(model);
  const fs::path file = folder / "sensitivity.json";
  const SensitivityOptions& options = setup_.sensitivity;
  const std::string source = fmt::format("model {}, {} batches of {}, seed {}",
                                         digest_file(model_file(folder, kDenseStage)),
                                         options.batches, options.batch, options.seed);
  const auto known = read_sensitivity(file);
  if (known && known->source == source) return *known;
  const LoadedModel loaded = load_model(model_file(folder, kDenseStage));
  SensitivityTable table = measure_sensitivity(loaded.model, data(), loaded.context, options);
  table.source = source;
  write_sensitivity(table, file);
  return table;
}

void TrialRunner::copy_dense(const fs::path& dense, const fs::path& trial) const {
  const fs::path original = model_file(dense, kDenseStage);
  if (!fs::exists(original)) {
    throw UsageError(fmt::format("{}: not there, but every trial starts from it; train it first",
                                 original.string()));
  }
  const fs::path copy = model_file(trial, kDenseStage);
  if (fs::exists(copy)) {
    if (digest_file(copy) == digest_file(original)) return;
    throw DataError(fmt::format(
        "{}: starts from another dense network than {}; remove the folder to train it again",
        trial.string(), original.string()));
  }
  // The model last: without it the copy is not finished.
  make_folder(trial / kDenseStage);
  for (const char* file : {"metrics.jsonl", "summary.json"})
    write_file(trial / file, read_file(dense / file));
  for (const char* file : {"checkpoint.safetensors", "model.safetensors"})
    write_file(trial / kDenseStage / file, read_file(dense / kDenseStage / file));
}

TrialRecord TrialRunner::find(const ModelOptions& model) {
  const fs::path folder = trial_folder(model);
  const auto record = remembered(trial_config(setup_.config, stages_, model), folder);
  return record ? *record : record_of(model, folder.filename().string(), stages_.circulant.epochs);
}

TrialRecord TrialRunner::train(const ModelOptions& model, const StopRule& rule,
                               const std::vector<TrialRecord>& others) {
  const fs::path folder = trial_folder(model);
  copy_dense(dense_folder(model), folder);
  const RunConfig config = trial_config(setup_.config, stages_, model);
  TrialRecord record = record_of(model, folder.filename().string(), stages_.circulant.epochs);
  // The rule is asked before run_training() looks at the folder.
  if (holds(config, folder)) add_epochs(record, folder, kCirculantStage);
  RunOptions options;
  options.out = folder;
  options.resume = true;
  options.quiet = setup_.quiet;
  record.reason = why_hopeless(record, rule, others);
  if (!record.reason.empty()) return give_up(record, folder);
  options.after_epoch = [&](const EpochRecord& epoch) {
    if (epoch.stage != kCirculantStage) return;
    record.epoch = epoch.epoch;
    record.dev_per = std::min(record.dev_per, epoch.dev_per);
    record.reason = why_hopeless(record, rule, others);
  };
  options.stop = [&] { return !record.reason.empty() || setup_.stop(); };
  try {
    run_training(config, options, [&] { return data(); });
  } catch (const Error& error) {
    if (record.reason.empty() || error.exit_status() != kInterrupted) throw;
    return give_up(record, folder);
  }
  return finish(record, folder, kCirculantStage, stages_.circulant.batch);
}

}  // namespace ernn
