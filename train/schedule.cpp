#include "train/schedule.h"

#include <algorithm>
#include <cmath>

namespace ernn {

namespace {
constexpr double kPi = 3.14159265358979323846;
}

Schedule::Schedule(const ScheduleOptions& options, double learning_rate, long long total_steps)
    : options_(options),
      initial_rate_(learning_rate),
      total_steps_(std::max<long long>(1, total_steps)) {
  state_.learning_rate = learning_rate;
}

double Schedule::learning_rate(long long step) const {
  if (options_.type != ScheduleType::cosine) return state_.learning_rate;
  const double last = std::min(options_.min_learning_rate, initial_rate_);
  const double done = std::min(1.0, static_cast<double>(step) / static_cast<double>(total_steps_));
  return last + 0.5 * (initial_rate_ - last) * (1 + std::cos(kPi * done));
}

ScheduleDecision Schedule::end_of_epoch(int epoch, double metric) {
  ScheduleDecision decision;
  decision.is_best = !std::isnan(metric) && (!state_.has_best || metric < state_.best);
  const bool enough =
      !std::isnan(metric) && (!state_.has_best || metric < state_.best * (1 - options_.threshold));
  if (decision.is_best) {
    state_.has_best = true;
    state_.best = metric;
    state_.best_epoch = epoch;
  }
  if (options_.type != ScheduleType::newbob) return decision;
  state_.bad_epochs = enough ? 0 : state_.bad_epochs + 1;
  if (state_.bad_epochs > options_.patience) {
    state_.bad_epochs = 0;
    state_.learning_rate *= options_.factor;
    decision.restore = options_.restore_best && !decision.is_best && state_.has_best;
    state_.stopped = state_.learning_rate < options_.min_learning_rate;
  }
  decision.stop = state_.stopped;
  return decision;
}

}  // namespace ernn
