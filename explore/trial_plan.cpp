#include "explore/trial_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/options.h"

namespace ernn {

namespace {

template <class Condition>
const StageOptions& first_stage(const RunConfig& config, const Condition& condition,
                                const std::string& expected) {
  const auto found = std::find_if(config.stages.begin(), config.stages.end(), condition);
  if (found != config.stages.end()) return *found;
  throw UsageError(
      fmt::format("stages: found none {}, expected one, whose settings trials take "
                  "with other block sizes",
                  expected));
}

/// The same settings, started from `from`, with the start model's block sizes; `dense` is what the
/// dense stage was called.
StageOptions as_trial_stage(StageOptions stage, const char* name, const char* from,
                            const std::string& dense) {
  std::string& teacher = stage.distillation.teacher;
  if (!teacher.empty() && (teacher != dense || stage.name == dense)) {
    throw UsageError(
        fmt::format("stages: '{}' learns from '{}', expected no teacher but the dense stage '{}', "
                    "for a trial has no other",
                    stage.name, teacher, dense));
  }
  if (!teacher.empty()) teacher = kDenseStage;
  stage.name = name;
  stage.from = from;
  stage.block = {0, 0, 0};
  stage.output_block = 0;
  stage.layer_blocks.clear();
  return stage;
}

RunConfig without_stages(RunConfig config, const ModelOptions& model) {
  config.model = with_blocks(model, BlockSizes{}, 1);
  config.stages.clear();
  return config;
}

}  // namespace

TrialStages find_trial_stages(const RunConfig& config) {
  const StageOptions& admm = first_stage(
      config,
      [](const StageOptions& stage) {
        return stage.type == "admm" && stage.constraint == ConstraintKind::circulant;
      },
      "of type admm with the constraint circulant");
  const StageOptions& circulant = first_stage(
      config,
      [&](const StageOptions& stage) {
        return stage.type == "circulant" && stage.from == admm.name;
      },
      fmt::format("of type circulant that starts from '{}'", admm.name));
  const bool fresh = admm.from == kFromNothing;
  const StageOptions& dense = first_stage(
      config,
      [&](const StageOptions& stage) {
        return stage.type == "dense" && (fresh || stage.name == admm.from) &&
               (stage.from.empty() || stage.from == kFromNothing);
      },
      fresh ? std::string("of type dense with fresh parameters")
            : fmt::format("of type dense with fresh parameters that '{}' starts from", admm.name));
  return {as_trial_stage(dense, kDenseStage, kFromNothing, dense.name),
          as_trial_stage(admm, kAdmmStage, fresh ? kFromNothing : kDenseStage, dense.name),
          as_trial_stage(circulant, kCirculantStage, kAdmmStage, dense.name)};
}

ModelOptions with_cells(ModelOptions model, LayerType cell) {
  for (LayerOptions& layer : model.layers) {
    if (layer.type == LayerType::feedforward || layer.type == cell) continue;
    LayerOptions other;
    other.type = cell;
    other.size = layer.size;
    layer = other;
  }
  return model;
}

LayerType cell_of(const ModelOptions& model) {
  const LayerOptions* first = nullptr;
  for (const LayerOptions& layer : model.layers) {
    if (layer.type == LayerType::feedforward) continue;
    if (first == nullptr) first = &layer;
    if (layer.type != first->type) {
      throw UsageError(
          "model.layers: found LSTM and GRU layers, expected one kind in an exploration");
    }
  }
  if (first == nullptr)
    throw UsageError("model.layers: found no recurrent layer, expected LSTM or GRU layers");
  return first->type;
}

RunConfig dense_config(const RunConfig& config, const TrialStages& stages,
                       const ModelOptions& model) {
  RunConfig trial = without_stages(config, model);
  trial.stages = {stages.dense};
  return trial;
}

RunConfig trial_config(const RunConfig& config, const TrialStages& stages,
                       const ModelOptions& model) {
  RunConfig trial = without_stages(config, model);
  trial.stages = {stages.dense, stages.admm, stages.circulant};
  StageOptions& admm = trial.stages[1];
  for (const LayerOptions& layer : model.layers) admm.layer_blocks.emplace_back(layer.block);
  admm.output_block = model.output_block;
  return trial;
}

std::string trial_name(const ModelOptions& model) {
  std::string name;
  LayerType kind = LayerType::feedforward;
  for (const LayerOptions& layer : model.layers) {
    // The kind is said where it changes.
    if (name.empty() || layer.type != kind)
      name += fmt::format("{}{}", name.empty() ? "" : "-", name_of(layer.type));
    kind = layer.type;
    name += fmt::format("-i{}", layer.block.input);
    if (kind != LayerType::feedforward) name += fmt::format("r{}", layer.block.recurrent);
    if (kind == LayerType::lstm && layer.projection > 0)
      name += fmt::format("p{}", layer.block.projection);
  }
  return name + fmt::format("-o{}", model.output_block);
}

}  // namespace ernn
