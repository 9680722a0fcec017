// The whole configuration of a run, as written in a YAML file; free of LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "admm/options.h"
#include "export/export_options.h"
#include "features/dataset.h"
#include "features/feature_options.h"
#include "models/options.h"
#include "train/decoder.h"
#include "train/model_context.h"
#include "train/scoring.h"

namespace ernn {

enum class OptimiserType { sgd, adam, adamw };
enum class ScheduleType { constant, newbob, cosine };
/// What newbob and the choice of the best epoch look at, on the dev split.
enum class DevMetric { per, loss };
/// What a stage is trained on. cuda: LibTorch's first CUDA device.
enum class TrainingDevice { cpu, cuda };

const std::vector<std::pair<OptimiserType, const char*>>& enum_names(OptimiserType);
const std::vector<std::pair<ScheduleType, const char*>>& enum_names(ScheduleType);
const std::vector<std::pair<DevMetric, const char*>>& enum_names(DevMetric);
const std::vector<std::pair<TrainingDevice, const char*>>& enum_names(TrainingDevice);

struct OptimiserOptions {
  OptimiserType type = OptimiserType::adam;
  double learning_rate = 1e-3;
  double momentum = 0.9;  ///< sgd
  bool nesterov = false;  ///< sgd
  double beta1 = 0.9;     ///< adam, adamw
  double beta2 = 0.999;   ///< adam, adamw
  double epsilon = 1e-8;  ///< adam, adamw
  double weight_decay = 0;
};

/// How the learning rate goes from epoch to epoch. newbob: after an epoch that does not improve the
/// metric on dev by the relative `threshold`, more than `patience` times in a row, the rate is
/// multiplied by `factor`, and training goes back to the best epoch when `restore_best` is set; it
/// ends when the rate falls below `min_learning_rate`. cosine: from the rate down to
/// `min_learning_rate` over the stage's steps.
struct ScheduleOptions {
  ScheduleType type = ScheduleType::newbob;
  DevMetric metric = DevMetric::per;
  double factor = 0.5;
  double threshold = 0.002;  ///< share of the best metric so far
  int patience = 0;          ///< epochs without improvement that are forgiven
  double min_learning_rate = 1e-6;
  bool restore_best = true;  ///< not in ADMM stages, whose iterates only make sense in a row
};

/// What every kind of stage has; the `training` section gives the defaults.
struct TrainingOptions {
  TrainingDevice device = TrainingDevice::cpu;
  int epochs = 12;
  long long max_steps = 0;  ///< stop the stage after this many optimiser steps, 0 = never
  int batch = 16;           ///< utterances
  /// Frames of a piece of a batch that makes a step of its own, from the state behind the piece
  /// before it and without its gradient (truncated backpropagation); 0 = whole utterances.
  long long truncate = 0;
  OptimiserOptions optimiser;
  ScheduleOptions schedule;
  double clip_norm = 5;        ///< limit of the norm of all gradients together, 0 = none
  double feature_noise = 0;    ///< standard deviation of noise added to normalised features
  double label_smoothing = 0;  ///< frame criterion: probability spread evenly over all classes
  /// Decay of an average of the parameters over steps, which is what dev is scored with and what
  /// the stage hands on (train/parameter_average.h); 0 = none. Not in stages of type admm and
  /// balanced-sparse, where an average of iterates is not on the set.
  double average = 0;
};

/// Type of the stages that train in fixed point (train/qat_stage.h).
inline constexpr const char* kQatType = "qat";

/// In `from`: begin with fresh parameters.
inline constexpr const char* kFromNothing = "none";

/// Block sizes of one layer, 0 = what the stage's `block` says.
struct LayerBlocks : BlockSizes {
  LayerBlocks() : BlockSizes{0, 0, 0} {}
  explicit LayerBlocks(const BlockSizes& sizes) : BlockSizes(sizes) {}
};

/// Learning from the outputs of a finished stage beside the labels (Hinton et al. 2015).
struct DistillationOptions {
  std::string teacher;     ///< an earlier stage; empty = labels alone
  double weight = 0.5;     ///< share of the teacher's part in the loss, the rest is the labels'
  double temperature = 1;  ///< both distributions are flattened by it before they are compared
};

/// One entry of `stages`: the training options at the same level as these.
struct StageOptions : TrainingOptions {
  std::string name;
  std::string type = "dense";    ///< dense, admm, circulant, ... (train/stage_method.h)
  std::string from;              ///< the stage whose model is the start; empty = the one before;
                                 ///< "none" = fresh parameters
  BlockSizes block = {0, 0, 0};  ///< block sizes, 0 = the start model's; of dense-small and
                                 ///< balanced-sparse: of the network that they are as small as
  int output_block = 0;          ///< the same of the output layer
  /// Block sizes of each hidden layer, first to last, where they differ: what is not 0 goes before
  /// `block`. Empty: `block` is that of all.
  std::vector<LayerBlocks> layer_blocks;
  ConstraintKind constraint = ConstraintKind::circulant;  ///< admm
  AdmmOptions admm;
  SparsityOptions sparsity;  ///< balanced-sparse, and admm with that constraint
  /// qat, and admm with the constraint fixed_point; what it leaves out is as in the section
  /// `export`
  QuantisationOptions quantisation;
  DistillationOptions distillation;
};

struct ContextOptions {
  int label_delay = 0;  ///< frames
  Criterion criterion = Criterion::frame;
};

struct ScoringOptions {
  ScoringProtocol protocol = ScoringProtocol::kaldi;
};

/// Several processes that train together (train/process_group.h).
struct DistributedOptions {
  double timeout_seconds = 60;  ///< a process that is not heard of for so long is lost
  double start_seconds = 600;   ///< the same until all have started and read their data
};

struct RunConfig {
  std::string name = "run";
  std::int64_t seed = 1;
  int threads = 1;                ///< of LibTorch; more are slower once anything else runs
  double checkpoint_seconds = 0;  ///< also write a checkpoint this often within an epoch; 0 = no
  DistributedOptions distributed;
  DataOptions data;
  FeatureOptions features;
  ModelOptions model;
  ContextOptions context;
  DecoderOptions decoder;
  ScoringOptions scoring;
  TrainingOptions training;
  std::vector<StageOptions> stages;
  ExportOptions export_options;  ///< written as `export`
};

template <class Visitor>
void describe(Visitor& field, OptimiserOptions& o) {
  field("type", o.type, "sgd, adam or adamw");
  field("learning_rate", o.learning_rate, "step size");
  field("momentum", o.momentum, "sgd");
  field("nesterov", o.nesterov, "sgd");
  field("beta1", o.beta1, "adam, adamw");
  field("beta2", o.beta2, "adam, adamw");
  field("epsilon", o.epsilon, "adam, adamw");
  field("weight_decay", o.weight_decay, "L2 for sgd and adam, decoupled for adamw");
}

template <class Visitor>
void describe(Visitor& field, ScheduleOptions& o) {
  field("type", o.type, "constant, newbob or cosine");
  field("metric", o.metric, "per or loss, on dev");
  field("factor", o.factor, "newbob: factor of the learning rate");
  field("threshold", o.threshold, "newbob: relative improvement that counts");
  field("patience", o.patience, "newbob: epochs without improvement that are forgiven");
  field("min_learning_rate", o.min_learning_rate, "newbob: stop below; cosine: last rate");
  field("restore_best", o.restore_best, "newbob: go back to the best epoch");
}

template <class Visitor>
void describe(Visitor& field, TrainingOptions& o) {
  field("device", o.device, "cpu or cuda");
  field("epochs", o.epochs, "passes over the training split");
  field("max_steps", o.max_steps, "optimiser steps, 0 = no limit");
  field("batch", o.batch, "utterances");
  field("truncate", o.truncate, "frames that a step goes back, 0 = whole utterances");
  field("optimiser", o.optimiser);
  field("schedule", o.schedule);
  field("clip_norm", o.clip_norm, "limit of the gradient norm, 0 = none");
  field("feature_noise", o.feature_noise, "standard deviation, in normalised features");
  field("label_smoothing", o.label_smoothing, "probability, frame criterion");
  field("average", o.average, "decay of the average of parameters that counts, 0 = none");
}

template <class Visitor>
void describe(Visitor& field, DistillationOptions& o) {
  field("teacher", o.teacher, "earlier stage whose outputs are learnt too, empty = none");
  field("weight", o.weight, "share of the teacher's part in the loss");
  field("temperature", o.temperature, "flattens teacher and student, 1 = as they are");
}

template <class Visitor>
void describe(Visitor& field, StageOptions& o) {
  field("name", o.name, "folder of the stage");
  field("type", o.type, "dense, admm, circulant, qat, direct, balanced-sparse or dense-small");
  field("from", o.from, "stage to start from, none, or empty = the one before");
  field("block", o.block, "block sizes, 0 = the start model's");
  field("output_block", o.output_block, "block size of the output layer, 0 = the start model's");
  field("layer_blocks", o.layer_blocks, "block sizes by hidden layer, 0 = as block says");
  field("constraint", o.constraint, "admm: circulant, balanced_sparse or fixed_point");
  field("admm", o.admm);
  field("sparsity", o.sparsity);
  field("quantisation", o.quantisation);
  field("distillation", o.distillation);
  describe(field, static_cast<TrainingOptions&>(o));
}

template <class Visitor>
void describe(Visitor& field, ContextOptions& o) {
  field("label_delay", o.label_delay, "frames");
  field("criterion", o.criterion, "frame or ctc");
}

template <class Visitor>
void describe(Visitor& field, ScoringOptions& o) {
  field("protocol", o.protocol, "kaldi, forgiving, merge_silence, ... (train/scoring.h)");
}

template <class Visitor>
void describe(Visitor& field, DistributedOptions& o) {
  field("timeout_seconds", o.timeout_seconds, "a process silent for so long is lost");
  field("start_seconds", o.start_seconds, "the same until all have read their data");
}

template <class Visitor>
void describe(Visitor& field, RunConfig& o) {
  field("name", o.name, "name of the run");
  field("seed", o.seed, "of everything random");
  field("threads", o.threads, "of LibTorch");
  field("checkpoint_seconds", o.checkpoint_seconds, "between checkpoints in an epoch, 0 = none");
  field("distributed", o.distributed);
  field("data", o.data);
  field("features", o.features);
  field("model", o.model);
  field("context", o.context);
  field("decoder", o.decoder);
  field("scoring", o.scoring);
  field("training", o.training);
  field("stages", o.stages);
  field("export", o.export_options);
}

/// Reads a YAML file, applies the `--set` assignments in order, gives every stage the defaults of
/// `training`, and those in fixed point the defaults of `export`, resolves empty `from`s and checks
/// what can be checked without data. Throws UsageError in one line with file and line: unknown keys
/// with the nearest known one, wrong values, a `from` or a teacher that names no earlier stage.
RunConfig load_run_config(const std::filesystem::path& path,
                          const std::vector<std::string>& sets = {});
/// The same from text; `name` stands for the file in messages.
RunConfig parse_run_config(const std::string& yaml, const std::string& name,
                           const std::vector<std::string>& sets = {});

/// Model options with inputs and outputs filled in from the features and the phone set where they
/// are 0. Throws UsageError for outputs that do not fit the phone set.
ModelOptions complete_model(const RunConfig& config);

/// Writes every field, so that load_run_config gives the same configuration back.
void save(const RunConfig& config, const std::filesystem::path& path);

}  // namespace ernn
