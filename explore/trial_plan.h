// What a trial trains, as a configuration of `ernn train`; free of LibTorch.
#pragma once

#include <string>
#include <vector>

#include "models/options.h"
#include "train/run_config.h"

namespace ernn {

/// Names of the stages of every trial. They give the seeds of dropout and noise, so that trials
/// differ in nothing but their block sizes.
inline constexpr const char* kDenseStage = "dense";
inline constexpr const char* kAdmmStage = "admm";
inline constexpr const char* kCirculantStage = "circulant";

/// The stages of a configuration that trials repeat with other block sizes.
struct TrialStages {
  StageOptions dense, admm, circulant;
};

/// The first stage of type admm, the dense one that it starts from (where it starts from nothing,
/// the first one with fresh parameters) and the first circulant one that starts from it, under the
/// names above. Throws UsageError naming what a configuration lacks, or a teacher that is not the
/// dense stage.
TrialStages find_trial_stages(const RunConfig& config);

/// The layers of a network with other cells of the same sizes; LSTM from GRU without projection.
/// Layers that are not recurrent stay.
ModelOptions with_cells(ModelOptions model, LayerType cell);

/// The kind of a network's recurrent layers. Throws UsageError when it has none or several.
LayerType cell_of(const ModelOptions& model);

/// The dense network alone; `model` without regard to its block sizes.
RunConfig dense_config(const RunConfig& config, const TrialStages& stages,
                       const ModelOptions& model);

/// Dense, ADMM and circulant stage with the block sizes of `model`.
RunConfig trial_config(const RunConfig& config, const TrialStages& stages,
                       const ModelOptions& model);

/// What a trial is called after what it trains: "lstm-i8r4p8-i8r4p8-o4".
std::string trial_name(const ModelOptions& model);

}  // namespace ernn
