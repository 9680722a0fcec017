#include "train/run.h"

#include <fmt/format.h>
#include <torch/cuda.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/options.h"
#include "base/text.h"
#include "export/trained_formats.h"
#include "models/model_file.h"
#include "train/fixed_point_network.h"
#include "train/stage_trainer.h"

namespace ernn {

namespace {

std::filesystem::path model_path(const std::filesystem::path& out, const std::string& stage) {
  return out / stage / "model.safetensors";
}

std::filesystem::path checkpoint_path(const std::filesystem::path& out, const std::string& stage) {
  return out / stage / "checkpoint.safetensors";
}

/// A seed of its own for every stage, the same whether or not earlier stages ran just now.
std::int64_t stage_seed(std::int64_t seed, const std::string& stage) {
  std::uint32_t hash = 0x811c9dc5U;
  for (const char letter : stage) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x01000193U;
  return static_cast<std::int64_t>(
      (static_cast<std::uint64_t>(seed) * 0x9e3779b97f4a7c15U + hash) >> 1U);
}

bool starts_fresh(const StageOptions& stage) {
  return stage.from.empty() || stage.from == kFromNothing;
}

ModelContext make_context(const RunConfig& config, const StageOptions& stage,
                          const TrainingData& data) {
  ModelContext context;
  context.features = config.features;
  context.mean = data.normalisation.mean;
  context.inverse_std = data.normalisation.inverse_std;
  context.phones = config.data.phones;
  context.criterion = config.context.criterion;
  context.label_delay = config.context.label_delay;
  context.decoder = config.decoder;
  context.decoder_model = data.decoder_model;
  context.protocol = config.scoring.protocol;
  context.run = config.name;
  context.stage = stage.name;
  context.stage_type = stage.type;
  context.seed = config.seed;
  return context;
}

SummaryRow make_row(const StageOptions& stage, const ModelOptions& model, const ModelCost& cost,
                    const SplitResult& test, std::int64_t seed) {
  SummaryRow row;
  row.stage = stage.type;
  row.name = stage.name;
  row.cell = cell_name(model);
  for (const auto& shape : matrix_shapes(model))
    row.block_size = std::max(row.block_size, shape.block);
  row.bits = cost.bits;
  row.per = test.scores.total.per();
  row.tokens = test.scores.total.tokens;
  row.parameters = cost.parameters;
  row.stored_bits = cost.stored_bits;
  row.multiplications = cost.multiplications;
  row.protocol = name_of(test.scores.protocol);
  row.seed = seed;
  return row;
}

class Run {
 public:
  Run(RunConfig config, const RunOptions& options, const std::function<TrainingData()>& load)
      : config_(std::move(config)), options_(options), load_(load) {
    config_.model = complete_model(config_);
    check_stages();
    require_same_configuration();
    group().from_first([&] { return check_folder(); });
  }

  std::vector<SummaryRow> train() {
    for (const auto& stage : config_.stages) {
      if (!wanted(stage.name)) continue;
      const Start start = find_start(stage);
      const bool done = finished(stage, start);
      require_same_files(stage, start);
      if (done) {
        // What does not matter to training, such as export, may have changed.
        group().from_first([&] { return save_configuration(); });
      } else {
        train_stage(stage, start);
      }
    }
    return read_summary(options_.out);
  }

 private:
  /// What a stage begins with.
  struct Start {
    ModelOptions options;
    std::filesystem::path file;     ///< empty: a new model
    std::filesystem::path teacher;  ///< empty: none
    std::string digest;             ///< of both files
    long long steps = 0;
  };

  ProcessGroup& group() const { return *options_.group; }

  /// Throws UsageError in all processes unless they bring the same text.
  template <class Describe>
  void require_same(const std::string& own, const Describe& describe) const {
    const auto texts = group().gather(own);
    for (std::size_t rank = 1; rank < texts.size(); ++rank) {
      if (texts[rank] != texts[0])
        throw UsageError(fmt::format("process {} {}", rank, describe(texts[rank], texts[0])));
    }
  }

  void require_same_configuration() const {
    nlohmann::json own = write_options(config_).to_json();
    own["--resume"] = options_.resume;
    own["--stages"] = join(options_.stages, ",");
    require_same(own.dump(), [](const std::string& there, const std::string& here) {
      return fmt::format("was started with another configuration than process 0: {}",
                         first_difference(there, here, "", "configuration"));
    });
  }

  void require_same_files(const StageOptions& stage, const Start& start) const {
    if (group().is_alone()) return;
    const auto checkpoint = checkpoint_path(options_.out, stage.name);
    const bool exists = std::filesystem::exists(checkpoint);
    const std::string own = start.digest + " " + (exists ? digest_file(checkpoint) : "none");
    require_same(own, [&](const std::string& /*there*/, const std::string& /*here*/) {
      return fmt::format(
          "finds other files of stage '{}' in {} than process 0; all processes need "
          "the same run folder, on a file system that they share",
          stage.name, options_.out.string());
    });
  }

  void require_same_data() const {
    require_same(text_of_splits(data_), [](const std::string& there, const std::string& here) {
      return fmt::format("has read other data than process 0: found {}, expected {}", there, here);
    });
  }

  bool wanted(const std::string& stage) const {
    return options_.stages.empty() || std::find(options_.stages.begin(), options_.stages.end(),
                                                stage) != options_.stages.end();
  }

  /// Throws UsageError when the stage cannot be trained on the device that it wants.
  void check_device(const StageOptions& stage) const {
    if (stage.device == TrainingDevice::cpu || !wanted(stage.name)) return;
    const auto refuse = [&stage](const std::string& why) {
      throw UsageError(
          fmt::format("stage '{}': device: found cuda, expected cpu: {}", stage.name, why));
    };
    if (stage.type == kQatType)
      refuse("a stage of type qat computes in the kernel's integers, which only CPUs do here");
    if (!group().is_alone()) refuse("several processes train on CPUs only");
    if (!torch::cuda::is_available())
      refuse("LibTorch finds no GPU (it was built without CUDA, or the driver has none)");
  }

  /// Finds every mistake in the list of stages before the first one is trained.
  void check_stages() const {
    if (config_.stages.empty())
      throw UsageError("stages: found none, expected at least one stage to train");
    std::vector<std::string> names;
    std::map<std::string, ModelOptions> networks;
    for (const auto& stage : config_.stages) {
      names.push_back(stage.name);
      check_device(stage);
      const bool fresh = starts_fresh(stage);
      const ModelOptions start = fresh ? config_.model : networks.at(stage.from);
      networks[stage.name] = make_stage_method(stage)->result(start);
    }
    for (const auto& name : options_.stages) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      throw UsageError(fmt::format("--stages: no stage is named '{}'{} (known: {})", name,
                                   did_you_mean(name, names), join(names, ", ")));
    }
  }

  /// Makes the run folder and keeps other trainings off it; returns nothing of interest.
  std::string check_folder() {
    const auto config_file = options_.out / "config.yaml";
    if (std::filesystem::exists(config_file) && !options_.resume) {
      throw UsageError(
          fmt::format("{}: already holds a run; go on with it by --resume or choose another --out",
                      options_.out.string()));
    }
    make_folder(options_.out);
    lock_ = std::make_unique<FileLock>(options_.out / ".lock");
    if (!lock_->try_take()) {
      throw UsageError(
          fmt::format("{}: another training works on this folder; wait for its end, or choose "
                      "another --out",
                      options_.out.string()));
    }
    return "";
  }

  /// Called when the folder is known to belong to this configuration; returns nothing of interest.
  std::string save_configuration() const {
    save(config_, options_.out / "config.yaml");
    return "";
  }

  Start find_start(const StageOptions& stage) {
    Start start{config_.model, {}, {}, "", 0};
    if (!starts_fresh(stage)) {
      start.file = finished_model(stage.from, fmt::format("stage '{}' starts from it", stage.name));
      start.options = ModelFile::load(start.file).options;
      start.digest = digest_file(start.file);
      start.steps =
          Checkpoint::load(checkpoint_path(options_.out, stage.from)).position.total_steps;
    }
    const std::string& teacher = stage.distillation.teacher;
    if (!teacher.empty()) {
      start.teacher = finished_model(teacher, fmt::format("stage '{}' learns from it", stage.name));
      start.digest += " " + digest_file(start.teacher);
    }
    return start;
  }

  /// The model file of a stage that another one needs, for the reason given. Throws DataError when
  /// it was trained by another configuration than this one.
  std::filesystem::path finished_model(const std::string& name, const std::string& reason) {
    const auto file = model_path(options_.out, name);
    const auto stage = std::find_if(config_.stages.begin(), config_.stages.end(),
                                    [&name](const auto& other) { return other.name == name; });
    if (!std::filesystem::exists(file) || !finished(*stage, find_start(*stage))) {
      throw UsageError(
          fmt::format("{}: not there, but {}; train '{}' first", file.string(), reason, name));
    }
    return file;
  }

  CheckpointIdentity identity(const StageOptions& stage, const Start& start) const {
    const ModelOptions network = make_stage_method(stage)->network(start.options);
    return checkpoint_identity(config_, stage, network, start.digest);
  }

  bool finished(const StageOptions& stage, const Start& start) {
    const auto path = checkpoint_path(options_.out, stage.name);
    if (!std::filesystem::exists(path)) return false;
    const Checkpoint checkpoint = Checkpoint::load(path);
    check_identity(checkpoint.identity, identity(stage, start), path,
                   [this] { return text_of_splits(data()); });
    return checkpoint.position.finished &&
           std::filesystem::exists(model_path(options_.out, stage.name));
  }

  void train_stage(const StageOptions& stage, const Start& start) {
    const TrainingData& data = this->data();
    group().from_first([&] {
      make_folder(options_.out / stage.name);
      return save_configuration();
    });
    StageInputs inputs;
    inputs.stage = stage;
    inputs.start_options = start.options;
    if (!start.file.empty()) inputs.start = load_model(start.file).model;
    if (!start.teacher.empty()) inputs.teacher = load_model(start.teacher).model;
    inputs.start_steps = start.steps;
    inputs.context = make_context(config_, stage, data);
    inputs.identity = identity(stage, start);
    inputs.identity.data = text_of_splits(data);
    inputs.checkpoint = checkpoint_path(options_.out, stage.name);
    inputs.metrics = options_.out / "metrics.jsonl";
    inputs.checkpoint_seconds = config_.checkpoint_seconds;
    inputs.seed = stage_seed(config_.seed, stage.name);
    inputs.quiet = options_.quiet || !group().is_first();
    inputs.stop = options_.stop;
    inputs.after_epoch = options_.after_epoch;
    StageTrainer trainer(inputs, data, group());
    try {
      const AcousticModel model = trainer.run();
      finish_stage(stage, model, trainer, inputs);
    } catch (const LostPeerError& error) {
      stop_for_lost_peer(error, inputs, trainer.position());
    }
  }

  [[noreturn]] static void stop_for_lost_peer(const LostPeerError& error, const StageInputs& inputs,
                                              const StagePosition& position) {
    const std::string folder = inputs.checkpoint.parent_path().string();
    const std::string advice =
        std::filesystem::exists(inputs.checkpoint)
            ? fmt::format(
                  "the checkpoint in {} can be resumed: start all processes again with "
                  "--resume",
                  folder)
            : fmt::format(
                  "no checkpoint was written to {} yet: start all processes again with "
                  "--resume to begin the stage anew",
                  folder);
    throw Error(fmt::format("stage {}, epoch {}, step {}: {}; {}", inputs.stage.name,
                            position.epoch + 1, position.step, error.what(), advice),
                error.exit_status());
  }

  void finish_stage(const StageOptions& stage, const AcousticModel& model,
                    const StageTrainer& trainer, const StageInputs& inputs) {
    const SplitResult test =
        evaluate(model, data().test, inputs.context, stage.batch, {}, &group());
    group().from_first([&] {
      write_results(stage, model, trainer, inputs, test);
      return std::string();
    });
    if (!inputs.quiet) fmt::print(stderr, "{} finished: test {}\n", stage.name, test.scores.text());
  }

  void write_results(const StageOptions& stage, const AcousticModel& model,
                     const StageTrainer& trainer, const StageInputs& inputs,
                     const SplitResult& test) const {
    TensorFile file = model->to_tensor_file(to_json_text(inputs.context));
    for (const auto& [key, text] : trainer.metadata()) file.metadata[key] = text;
    file.save(model_path(options_.out, stage.name));
    make_folder(options_.out / stage.name / "test");
    write_scores(test.scores, options_.out / stage.name / "test");
    put_trained_row(options_.out,
                    make_row(stage, model->options(), trainer.cost(model), test, config_.seed));
    Checkpoint checkpoint;
    checkpoint.identity = inputs.identity;
    checkpoint.position = trainer.position();
    checkpoint.position.finished = true;
    checkpoint.schedule = trainer.schedule();
    checkpoint.save(inputs.checkpoint);
  }

  const TrainingData& data() {
    if (data_.train.empty()) {
      if (group().is_alone()) {
        read_data();
      } else {
        read_data_together();
      }
    }
    return data_;
  }

  void read_data() {
    data_ = load_();
    check_width(config_.model, data_);
  }

  /// An error in one process ends all of them, with its message and exit status.
  void read_data_together() {
    std::string failure;  // the status as a letter, then the message
    try {
      read_data();
    } catch (const LostPeerError&) {
      throw;
    } catch (const Error& error) {
      failure = std::string(1, static_cast<char>(error.exit_status())) + error.what();
    }
    group().wait_for_all();
    const auto failures = group().gather(failure);
    for (std::size_t rank = 0; rank < failures.size(); ++rank) {
      if (failures[rank].empty()) continue;
      throw Error(fmt::format("process {}: {}", rank, failures[rank].substr(1)),
                  static_cast<unsigned char>(failures[rank].front()));
    }
    require_same_data();
  }

  RunConfig config_;
  const RunOptions& options_;
  const std::function<TrainingData()>& load_;
  std::unique_ptr<FileLock> lock_;  ///< of the run folder, in the first process
  TrainingData data_;
};

}  // namespace

std::vector<SummaryRow> run_training(RunConfig config, const RunOptions& options,
                                     const std::function<TrainingData()>& load) {
  return Run(std::move(config), options, load).train();
}

LoadedModel load_model(const std::filesystem::path& path) {
  const ModelFile file = ModelFile::load(path);
  LoadedModel loaded;
  loaded.context = model_context_from_json(file.context, path.string());
  loaded.model = AcousticModel(file.options);
  loaded.model->load_tensors(file.tensors, path.string());
  if (const auto formats = trained_formats(file, path.string())) {
    loaded.model->set_arithmetic(
        std::make_shared<FixedPointNetwork>(formats->network, loaded.model));
  }
  return loaded;
}

}  // namespace ernn
