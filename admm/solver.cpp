#include "admm/solver.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "models/torch_tensors.h"

namespace ernn {

using torch::Tensor;

namespace {

double frobenius(const Tensor& x) {
  return x.norm().item<double>();
}

// W <- (W + pull (Z - U)) / (1 + pull), in one pass over memory.
template <class T>
void move_numbers(T* w, const T* z, const T* u, int64_t count, double pull) {
  const T weight = static_cast<T>(pull);
  const T scale = static_cast<T>(1 / (1 + pull));
  for (int64_t i = 0; i < count; ++i) w[i] = (w[i] + weight * (z[i] - u[i])) * scale;
}

// Squared Frobenius norms of what an update looks at.
struct Squares {
  double w = 0;
  double residual = 0;  // W - Z
  double change = 0;    // Z - Z_old
};

// U <- U + step (W - Z), in one pass that also finds the norms.
template <class T>
Squares dual_numbers(const T* w, const T* z, const T* z_old, T* u, int64_t count, double step) {
  constexpr int64_t kSums = 8;  // independent ones, so that additions need not wait for each other
  double squares[3][kSums] = {};
  for (int64_t i = 0; i < count; ++i) {
    const T residual = w[i] - z[i];
    const T change = z[i] - z_old[i];
    u[i] += static_cast<T>(step) * residual;
    squares[0][i % kSums] += static_cast<double>(w[i]) * static_cast<double>(w[i]);
    squares[1][i % kSums] += static_cast<double>(residual) * static_cast<double>(residual);
    squares[2][i % kSums] += static_cast<double>(change) * static_cast<double>(change);
  }
  Squares sum;
  for (int64_t i = 0; i < kSums; ++i) {
    sum.w += squares[0][i];
    sum.residual += squares[1][i];
    sum.change += squares[2][i];
  }
  return sum;
}

// Whether the loops above can run over these tensors' memory.
bool plain_memory(const Tensor& w) {
  return w.device().is_cpu() && w.is_contiguous() &&
         (w.scalar_type() == torch::kFloat || w.scalar_type() == torch::kDouble);
}

void proximal_move(const Tensor& w, const Tensor& z, const Tensor& u, double pull) {
  if (!plain_memory(w)) {
    w.add_(z - u, pull).div_(1 + pull);
  } else if (w.scalar_type() == torch::kFloat) {
    move_numbers(w.data_ptr<float>(), z.data_ptr<float>(), u.data_ptr<float>(), w.numel(), pull);
  } else {
    move_numbers(w.data_ptr<double>(), z.data_ptr<double>(), u.data_ptr<double>(), w.numel(), pull);
  }
}

Squares dual_update(const Tensor& w, const Tensor& z, const Tensor& z_old, const Tensor& u,
                    double step) {
  if (!plain_memory(w)) {
    u.add_(w - z, step);
    const auto square = [](double norm) { return norm * norm; };
    return {square(frobenius(w)), square(frobenius(w - z)), square(frobenius(z - z_old))};
  }
  if (w.scalar_type() == torch::kFloat) {
    return dual_numbers(w.data_ptr<float>(), z.data_ptr<float>(), z_old.data_ptr<float>(),
                        u.data_ptr<float>(), w.numel(), step);
  }
  return dual_numbers(w.data_ptr<double>(), z.data_ptr<double>(), z_old.data_ptr<double>(),
                      u.data_ptr<double>(), w.numel(), step);
}

// a / b, and 0 for a matrix of zeros that is where it should be
double relative(double a, double b) {
  return a == 0 ? 0 : a / b;
}

}  // namespace

AdmmSolver::AdmmSolver(std::vector<ConstrainedMatrix> matrices, AdmmOptions options)
    : options_(options) {
  validate(options_, "admm");
  if (options_.schedule == RhoSchedule::geometric && options_.rho_updates == 0) {
    throw UsageError(
        "admm.rho_updates: the geometric schedule needs the number of updates, found 0");
  }
  const torch::NoGradGuard no_gradient;
  for (auto& matrix : matrices) {
    State state;
    state.z = matrix.set->project(matrix.tensor).contiguous();
    state.u = torch::zeros_like(state.z);
    state.rho = options_.rho;
    state.scaled = options_.rho_scaling == RhoScaling::none;
    state.matrix = std::move(matrix);
    states_.push_back(std::move(state));
  }
}

void AdmmSolver::add_penalty_gradients() {
  if (options_.coupling != Coupling::gradient) return;
  const torch::NoGradGuard no_gradient;
  for (auto& state : states_) {
    const Tensor& w = state.matrix.tensor;
    Tensor gradient = w.grad();
    if (!state.scaled && gradient.defined()) {
      const double ratio = relative(frobenius(gradient), frobenius(w));
      if (ratio > 0) {
        state.scale = ratio;
        state.rho *= ratio;
        state.scaled = true;
      }
    }
    const Tensor penalty = (w - state.z).add_(state.u).mul_(state.rho);
    if (gradient.defined()) {
      gradient.add_(penalty);
    } else {
      w.mutable_grad() = penalty;
    }
  }
}

void AdmmSolver::after_step(double learning_rate) {
  const torch::NoGradGuard no_gradient;
  ++steps_;
  if (options_.coupling == Coupling::proximal) {
    for (auto& state : states_) {
      proximal_move(state.matrix.tensor, state.z, state.u, learning_rate * state.rho);
    }
  }
  if (steps_ % options_.update_interval != 0) return;
  ++updates_;
  for (auto& state : states_) update(state, learning_rate);
}

void AdmmSolver::update(State& state, double learning_rate) const {
  const Tensor& w = state.matrix.tensor;
  const Tensor z = state.matrix.set->project(w + state.u).contiguous();
  const double follows =
      static_cast<double>(options_.update_interval) * learning_rate * state.rho / 4;
  const Squares squares = dual_update(
      w, z, state.z, state.u, options_.dual_step > 0 ? options_.dual_step : std::min(1.0, follows));
  state.z = z;
  const double size = std::sqrt(squares.w);
  state.primal = relative(std::sqrt(squares.residual), size);
  state.change = relative(std::sqrt(squares.change), size);
  state.dual = state.rho * state.change;
  switch (options_.schedule) {
    case RhoSchedule::constant:
      break;
    case RhoSchedule::geometric: {
      const double progress =
          std::min(1.0, static_cast<double>(updates_) / static_cast<double>(options_.rho_updates));
      set_rho(state,
              state.scale * options_.rho * std::pow(options_.rho_final / options_.rho, progress));
      break;
    }
    case RhoSchedule::residual_balancing:
      if (state.primal > options_.mu * state.dual) {
        set_rho(state, std::min(state.rho * options_.tau, state.scale * options_.rho_final));
      } else if (state.dual > options_.mu * state.primal) {
        set_rho(state, state.rho / options_.tau);
      }
      break;
  }
}

void AdmmSolver::set_rho(State& state, double rho) const {
  if (rho == state.rho) return;
  state.u.mul_(state.rho / rho);
  state.rho = rho;
}

std::vector<AdmmResidual> AdmmSolver::residuals() const {
  const torch::NoGradGuard no_gradient;
  std::vector<AdmmResidual> result;
  for (const auto& state : states_) {
    const Tensor& w = state.matrix.tensor;
    const double size = frobenius(w);
    result.push_back({state.matrix.name, state.rho, relative(frobenius(w - state.z), size),
                      state.dual, state.change,
                      relative(frobenius(w - state.matrix.set->project(w)), size)});
  }
  return result;
}

bool AdmmSolver::converged() const {
  if (updates_ == 0) return false;
  for (const auto& state : states_) {
    if (!(state.primal <= options_.eps_primal && state.change <= options_.eps_dual)) return false;
  }
  return true;
}

void AdmmSolver::save(TensorFile& file, const std::string& prefix) const {
  file.tensors[prefix + "counters"] = to_raw(torch::tensor({steps_, updates_}, torch::kLong));
  for (const auto& state : states_) {
    const std::string name = prefix + state.matrix.name;
    file.tensors[name + ".z"] = to_raw(state.z);
    file.tensors[name + ".u"] = to_raw(state.u);
    file.tensors[name + ".state"] = to_raw(torch::tensor(
        {state.rho, state.scale, state.scaled ? 1.0 : 0.0, state.primal, state.dual, state.change},
        torch::kDouble));
  }
}

void AdmmSolver::load(const TensorFile& file, const std::string& prefix, const std::string& path) {
  const auto read = [&](const std::string& name, const Tensor& like) {
    const std::string what = path + ": tensor '" + name + "'";
    const Tensor value = from_raw(file.get(name, like.sizes().vec(), path), what);
    if (value.scalar_type() != like.scalar_type()) {
      throw DataError(what + " has type " + torch::toString(value.scalar_type()) + ", expected " +
                      torch::toString(like.scalar_type()));
    }
    return value.to(like.device());
  };
  const Tensor counters = read(prefix + "counters", torch::zeros({2}, torch::kLong));
  steps_ = counters[0].item<std::int64_t>();
  updates_ = counters[1].item<std::int64_t>();
  for (auto& state : states_) {
    const std::string name = prefix + state.matrix.name;
    state.z = read(name + ".z", state.z);
    state.u = read(name + ".u", state.u);
    const Tensor values = read(name + ".state", torch::zeros({6}, torch::kDouble));
    const auto value = values.accessor<double, 1>();
    state.rho = value[0];
    state.scale = value[1];
    state.scaled = value[2] != 0;
    state.primal = value[3];
    state.dual = value[4];
    state.change = value[5];
  }
}

}  // namespace ernn
