// The learning rate over a stage, and when the stage ends; free of LibTorch.
#pragma once

#include "train/run_config.h"

namespace ernn {

/// What a schedule remembers between epochs; part of a checkpoint.
struct ScheduleState {
  double learning_rate = 0;
  bool has_best = false;
  double best = 0;  ///< best metric so far
  int best_epoch = 0;
  int bad_epochs = 0;  ///< without improvement by the threshold, in a row
  bool stopped = false;
};

template <class Visitor>
void describe(Visitor& field, ScheduleState& o) {
  field("learning_rate", o.learning_rate);
  field("has_best", o.has_best);
  field("best", o.best);
  field("best_epoch", o.best_epoch);
  field("bad_epochs", o.bad_epochs);
  field("stopped", o.stopped);
}

/// What to do after an epoch.
struct ScheduleDecision {
  bool is_best = false;  ///< the epoch's model is the best one so far
  bool restore = false;  ///< go back to the best model
  bool stop = false;
};

class Schedule {
 public:
  /// `total_steps` is the number of optimiser steps of the whole stage (cosine).
  Schedule(const ScheduleOptions& options, double learning_rate, long long total_steps);

  /// Learning rate of the optimiser step number `step` (0 is the stage's first).
  double learning_rate(long long step) const;
  /// Judges an epoch by its metric on dev (lower is better); a NaN never improves.
  ScheduleDecision end_of_epoch(int epoch, double metric);

  const ScheduleState& state() const { return state_; }
  void restore(const ScheduleState& state) { state_ = state; }

 private:
  ScheduleOptions options_;
  double initial_rate_;
  long long total_steps_;
  ScheduleState state_;
};

}  // namespace ernn
