#include "train/run_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/text.h"

namespace ernn {

const std::vector<std::pair<OptimiserType, const char*>>& enum_names(OptimiserType) {
  static const std::vector<std::pair<OptimiserType, const char*>> names = {
      {OptimiserType::sgd, "sgd"}, {OptimiserType::adam, "adam"}, {OptimiserType::adamw, "adamw"}};
  return names;
}

const std::vector<std::pair<ScheduleType, const char*>>& enum_names(ScheduleType) {
  static const std::vector<std::pair<ScheduleType, const char*>> names = {
      {ScheduleType::constant, "constant"},
      {ScheduleType::newbob, "newbob"},
      {ScheduleType::cosine, "cosine"}};
  return names;
}

const std::vector<std::pair<DevMetric, const char*>>& enum_names(DevMetric) {
  static const std::vector<std::pair<DevMetric, const char*>> names = {{DevMetric::per, "per"},
                                                                       {DevMetric::loss, "loss"}};
  return names;
}

const std::vector<std::pair<TrainingDevice, const char*>>& enum_names(TrainingDevice) {
  static const std::vector<std::pair<TrainingDevice, const char*>> names = {
      {TrainingDevice::cpu, "cpu"}, {TrainingDevice::cuda, "cuda"}};
  return names;
}

namespace {

/// Gives `target` every value of `defaults` that it lacks, at every depth.
void merge_defaults(ConfigNode& target, const ConfigNode& defaults) {
  for (const auto& [key, value] : defaults.entries()) {
    const ConfigNode* own = target.find(key);
    if (own == nullptr || own->kind() == ConfigNode::Kind::null) {
      target[key] = value;
    } else if (own->kind() == ConfigNode::Kind::map && value.kind() == ConfigNode::Kind::map) {
      merge_defaults(target[key], value);
    }
  }
}

bool is_folder_name(const std::string& name) {
  if (name.empty() || name.front() == '.') return false;
  return name.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
         std::string::npos;
}

/// Collects the checks of one place in the configuration: every failure is one line.
class Checker {
 public:
  explicit Checker(std::string where) : where_(std::move(where)) {}

  template <class T>
  void require(bool good, const char* key, const T& found, const char* expected) const {
    if (good) return;
    throw UsageError(fmt::format("{}{}: found {}, expected {}", where_, key, found, expected));
  }

 private:
  std::string where_;
};

void check_training(const TrainingOptions& o, const ContextOptions& context,
                    const std::string& where) {
  const Checker check(where);
  check.require(o.epochs > 0, "epochs", o.epochs, "a positive number");
  check.require(o.max_steps >= 0, "max_steps", o.max_steps, "0 or more");
  check.require(o.batch > 0, "batch", o.batch, "a positive number");
  check.require(o.truncate == 0 || context.criterion == Criterion::frame, "truncate", o.truncate,
                "0 with the criterion ctc, whose loss is one of whole utterances");
  check.require(o.truncate == 0 || o.truncate > context.label_delay, "truncate", o.truncate,
                "0 or more than context.label_delay, so that the first piece has labels");
  check.require(o.clip_norm >= 0, "clip_norm", o.clip_norm, "0 or more");
  check.require(o.feature_noise >= 0, "feature_noise", o.feature_noise, "0 or more");
  check.require(o.label_smoothing >= 0 && o.label_smoothing < 1, "label_smoothing",
                o.label_smoothing, "a probability below 1");
  check.require(o.label_smoothing == 0 || context.criterion == Criterion::frame, "label_smoothing",
                o.label_smoothing, "0 with the criterion ctc, whose frames have no labels");
  check.require(o.average >= 0 && o.average < 1, "average", o.average, "0 or more and below 1");
  const OptimiserOptions& optimiser = o.optimiser;
  check.require(optimiser.learning_rate > 0, "optimiser.learning_rate", optimiser.learning_rate,
                "a positive number");
  check.require(optimiser.momentum >= 0 && optimiser.momentum < 1, "optimiser.momentum",
                optimiser.momentum, "0 or more and below 1");
  check.require(!optimiser.nesterov || optimiser.momentum > 0, "optimiser.momentum",
                optimiser.momentum, "more than 0, because optimiser.nesterov is true");
  check.require(optimiser.beta1 >= 0 && optimiser.beta1 < 1, "optimiser.beta1", optimiser.beta1,
                "0 or more and below 1");
  check.require(optimiser.beta2 >= 0 && optimiser.beta2 < 1, "optimiser.beta2", optimiser.beta2,
                "0 or more and below 1");
  check.require(optimiser.epsilon > 0, "optimiser.epsilon", optimiser.epsilon, "a positive number");
  check.require(optimiser.weight_decay >= 0, "optimiser.weight_decay", optimiser.weight_decay,
                "0 or more");
  const ScheduleOptions& schedule = o.schedule;
  check.require(schedule.factor > 0 && schedule.factor < 1, "schedule.factor", schedule.factor,
                "a number between 0 and 1");
  check.require(schedule.threshold >= 0, "schedule.threshold", schedule.threshold, "0 or more");
  check.require(schedule.patience >= 0, "schedule.patience", schedule.patience, "0 or more");
  check.require(schedule.min_learning_rate >= 0, "schedule.min_learning_rate",
                schedule.min_learning_rate, "0 or more");
}

/// `name`, which the key says, must be one of the stages before `stage`.
void require_earlier(const std::string& where, const char* key, const std::string& name,
                     const std::string& stage, const std::vector<std::string>& earlier) {
  if (std::find(earlier.begin(), earlier.end(), name) != earlier.end()) return;
  throw UsageError(fmt::format("{}{}: '{}' is no stage before '{}'{} (before it: {})", where, key,
                               name, stage, did_you_mean(name, earlier),
                               earlier.empty() ? "nothing" : join(earlier, ", ")));
}

void check_distillation(const StageOptions& stage, const ContextOptions& context,
                        const std::string& where, const std::vector<std::string>& earlier) {
  const DistillationOptions& o = stage.distillation;
  if (o.teacher.empty()) return;
  require_earlier(where, "distillation.teacher", o.teacher, stage.name, earlier);
  const Checker check(where + "distillation.");
  check.require(context.criterion == Criterion::frame, "teacher", "'" + o.teacher + "'",
                "none with the criterion ctc, whose outputs are aligned with no frames");
  check.require(o.weight > 0 && o.weight <= 1, "weight", o.weight, "more than 0 and at most 1");
  check.require(o.temperature > 0, "temperature", o.temperature, "a positive number");
}

/// Fills in the empty `from`s and checks names: every stage may start only from an earlier one.
void resolve_stages(RunConfig& config, const std::string& file) {
  std::vector<std::string> earlier;
  for (std::size_t i = 0; i < config.stages.size(); ++i) {
    StageOptions& stage = config.stages[i];
    const std::string where = fmt::format("{}: stages.{}.", file, i);
    const Checker check(where);
    if (stage.name.empty()) stage.name = stage.type;
    check.require(is_folder_name(stage.name), "name", "'" + stage.name + "'",
                  "letters, digits, '.', '_' and '-', for it names a folder");
    for (const auto& name : earlier) {
      check.require(name != stage.name, "name", "'" + name + "' a second time",
                    "a name of its own for every stage");
    }
    if (stage.from.empty() && !earlier.empty()) stage.from = earlier.back();
    if (!stage.from.empty() && stage.from != kFromNothing)
      require_earlier(where, "from", stage.from, stage.name, earlier);
    check_training(stage, config.context, where);
    check_distillation(stage, config.context, where, earlier);
    validate(stage.admm, where + "admm");
    validate(stage.sparsity, where + "sparsity");
    validate(stage.quantisation, where + "quantisation");
    earlier.push_back(stage.name);
  }
}

/// Gives the stages that choose formats what the section `export` says of formats.
void give_quantisation(ConfigNode& tree) {
  const ConfigNode* exported = tree.find("export");
  const ConfigNode* stages = tree.find("stages");
  if (exported == nullptr || stages == nullptr) return;
  read_options<ExportOptions>(*exported, "export");
  ConfigNode defaults = ConfigNode::map(exported->place());
  const ConfigNode all = write_options(QuantisationOptions{});
  for (const auto& [key, value] : exported->entries()) {
    if (all.find(key) != nullptr) defaults[key] = value;
  }
  ConfigNode wrapped = ConfigNode::map(exported->place());
  wrapped["quantisation"] = defaults;
  for (ConfigNode& stage : tree["stages"].items()) {
    const auto says = [&stage](const char* key, const char* text) {
      const ConfigNode* found = stage.find(key);
      return found != nullptr && found->text() == text;
    };
    if (says("type", kQatType) || says("constraint", "fixed_point")) merge_defaults(stage, wrapped);
  }
}

RunConfig read_run_config(ConfigNode tree, const std::string& file,
                          const std::vector<std::string>& sets) {
  for (const auto& assignment : sets) tree.set(assignment);
  const ConfigNode* training = tree.find("training");
  const ConfigNode* stages = tree.find("stages");
  if (training != nullptr && stages != nullptr) {
    const ConfigNode defaults = *training;
    // A wrong key is reported where it was written, not at the stage that inherits it.
    read_options<TrainingOptions>(defaults, "training");
    for (ConfigNode& stage : tree["stages"].items()) merge_defaults(stage, defaults);
  }
  give_quantisation(tree);
  RunConfig config = read_options<RunConfig>(tree);
  const Checker check(file + ": ");
  check.require(is_folder_name(config.name), "name", "'" + config.name + "'",
                "letters, digits, '.', '_' and '-', for it names a folder");
  check.require(config.threads > 0, "threads", config.threads, "a positive number");
  check.require(config.checkpoint_seconds >= 0, "checkpoint_seconds", config.checkpoint_seconds,
                "0 or more");
  check.require(config.distributed.timeout_seconds > 0, "distributed.timeout_seconds",
                config.distributed.timeout_seconds, "a positive number");
  check.require(config.distributed.start_seconds > 0, "distributed.start_seconds",
                config.distributed.start_seconds, "a positive number");
  check.require(config.context.label_delay >= 0, "context.label_delay", config.context.label_delay,
                "0 or more");
  check.require(config.context.criterion == Criterion::frame || config.context.label_delay == 0,
                "context.label_delay", config.context.label_delay,
                "0 with the criterion ctc, which learns its own delay");
  // What would stop the run only when the dev set is scored, after the first epoch.
  check_decoder(config.decoder, config.context.criterion, file + ": ");
  check_protocol(config.scoring.protocol, config.data.phones, file + ": ");
  check_training(config.training, config.context, file + ": training.");
  resolve_stages(config, file);
  validate(config.export_options);
  return config;
}

}  // namespace

RunConfig load_run_config(const std::filesystem::path& path, const std::vector<std::string>& sets) {
  return read_run_config(ConfigNode::from_yaml_file(path), path.string(), sets);
}

RunConfig parse_run_config(const std::string& yaml, const std::string& name,
                           const std::vector<std::string>& sets) {
  return read_run_config(ConfigNode::from_yaml_text(yaml, name), name, sets);
}

ModelOptions complete_model(const RunConfig& config) {
  ModelOptions model = config.model;
  const int outputs = output_count(config.data.phones, config.context.criterion);
  if (model.outputs != 0 && model.outputs != outputs) {
    throw UsageError(fmt::format("model.outputs: found {}, expected {} for the phone set, or 0",
                                 model.outputs, outputs));
  }
  model.outputs = outputs;
  if (model.inputs == 0) model.inputs = feature_dimension(resolve(config.features));
  validate(model);
  return model;
}

void save(const RunConfig& config, const std::filesystem::path& path) {
  write_file(path, write_options(config).to_yaml());
}

}  // namespace ernn
