// The state of a stage in the middle of its training, for --resume.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/tensor_file.h"
#include "train/run_config.h"
#include "train/schedule.h"

namespace ernn {

/// How far a stage has come.
struct StagePosition {
  int epoch = 0;              ///< finished epochs
  long long batch = 0;        ///< finished batches of the epoch after them
  long long step = 0;         ///< optimiser steps of the stage
  long long total_steps = 0;  ///< the same with the stages it started from
  double loss_sum = 0;        ///< of the unfinished epoch
  long long loss_count = 0;
  double seconds = 0;     ///< spent in the unfinished epoch
  double waited = 0;      ///< seconds of them in which the model waited for batches
  bool finished = false;  ///< model, scores and summary row are written too
};

template <class Visitor>
void describe(Visitor& field, StagePosition& o) {
  field("epoch", o.epoch);
  field("batch", o.batch);
  field("step", o.step);
  field("total_steps", o.total_steps);
  field("loss_sum", o.loss_sum);
  field("loss_count", o.loss_count);
  field("seconds", o.seconds);
  field("waited", o.waited);
  field("finished", o.finished);
}

/// What a checkpoint belongs to. Each is JSON text.
struct CheckpointIdentity {
  std::string run;    ///< the configuration that every stage shares
  std::string stage;  ///< the stage's own options
  std::string model;  ///< the network that it trains
  std::string start;  ///< digests of the model files that it started and learns from, "" for none
  std::string data = {};  ///< what the splits hold (text_of_splits()), "" = not said
};

/// Everything that a resumed stage needs to go on bit for bit. Tensors are grouped by prefixes
/// ("model.", "best.", "optimiser.", "average.", "method.", "random.").
struct Checkpoint {
  CheckpointIdentity identity;
  StagePosition position;
  ScheduleState schedule;
  TensorFile file;  ///< the tensors; its metadata are save()'s affair

  /// Written beside and renamed, in the safetensors layout.
  void save(const std::filesystem::path& path);
  /// Throws DataError naming the file for a broken file or one that is no checkpoint.
  static Checkpoint load(const std::filesystem::path& path);

  void put(const std::string& prefix, const std::map<std::string, torch::Tensor>& group);
  /// The tensors whose names begin with `prefix`, without it. `path` is for messages.
  std::map<std::string, torch::Tensor> group(const std::string& prefix,
                                             const std::string& path) const;
};

/// The identity of a stage in a run.
CheckpointIdentity checkpoint_identity(const RunConfig& config, const StageOptions& stage,
                                       const ModelOptions& network, const std::string& start);

/// Throws DataError when a checkpoint belongs to something else, naming the first difference:
/// "runs/a/dense/checkpoint.safetensors: model.layers.0.size is 64 there and 128 here; ...". Data
/// may have moved: when nothing but data.root and lists of speakers, which may be files, is
/// different, `data` is asked for what the splits hold here, and only that must be the same.
void check_identity(const CheckpointIdentity& found, const CheckpointIdentity& expected,
                    const std::filesystem::path& path, const std::function<std::string()>& data);

/// The first difference between two JSON documents as "path is X there and Y here", "" for none.
/// `path` is where they stand. Throws DataError naming `place` for text that is not JSON.
std::string first_difference(const std::string& there, const std::string& here,
                             const std::string& path, const std::string& place);

}  // namespace ernn
