// ADMM: pulls weight matrices onto constraint sets while an optimiser minimises a loss.
//
// For each matrix W with set S, the scaled form (Boyd et al. 2011, section 3.1.1) of
//   minimise loss(W) subject to W = Z, Z in S:
//   W: optimiser steps on loss + (rho/2) ||W - Z + U||^2
//   Z = P_S(W + U),  U = U + W - Z                           every update_interval steps
// Start: Z = P_S(W), U = 0. U is the dual divided by rho: when rho changes, U is rescaled so that
// rho U stays.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "admm/constraint_set.h"
#include "admm/options.h"
#include "base/tensor_file.h"

namespace ernn {

/// `tensor` is the parameter itself, of the shape that its set takes; the optimiser moves it in
/// place.
struct ConstrainedMatrix {
  std::string name;
  torch::Tensor tensor;
  std::shared_ptr<const ConstraintSet> set;
};

/// Where a matrix stands. All but rho are relative to ||W||, in Frobenius norms.
struct AdmmResidual {
  std::string name;
  double rho = 0;       ///< the penalty in force, scaling included
  double primal = 0;    ///< ||W - Z||, now
  double dual = 0;      ///< rho ||Z - Z_old|| at the last update
  double change = 0;    ///< ||Z - Z_old|| at the last update
  double distance = 0;  ///< ||W - P(W)||, now
};

/// One step of training:
///   loss.backward(); solver.add_penalty_gradients(); optimiser.step(); solver.after_step(lr);
class AdmmSolver {
 public:
  /// Throws UsageError (validate(options, "admm")), and for geometric with rho_updates 0, which the
  /// caller must replace by the number of updates in its stage.
  AdmmSolver(std::vector<ConstrainedMatrix> matrices, AdmmOptions options);

  /// Adds rho (W - Z + U) to every matrix's gradient (coupling gradient; nothing otherwise).
  void add_penalty_gradients();
  /// Counts the step, makes the proximal move, and updates Z, U and rho when that is due.
  void after_step(double learning_rate);

  std::vector<AdmmResidual> residuals() const;
  /// True when, at the last update, every matrix had ||W - Z|| <= eps_primal ||W|| and
  /// ||Z - Z_old|| <= eps_dual ||W||.
  bool converged() const;

  std::int64_t steps() const { return steps_; }
  std::int64_t updates() const { return updates_; }

  /// The whole state (Z, U, rho, counters, last residuals), exactly, under names that start with
  /// `prefix`. The matrices themselves are the caller's to keep.
  void save(TensorFile& file, const std::string& prefix) const;
  /// Continues bit for bit where save() stood. Throws DataError naming `path` and the tensor.
  void load(const TensorFile& file, const std::string& prefix, const std::string& path);

 private:
  struct State {
    ConstrainedMatrix matrix;
    torch::Tensor z;
    torch::Tensor u;
    double rho = 0;
    double scale = 1;    // of rho_scaling
    bool scaled = true;  // false until the scale has been measured
    double primal = 1;   // at the last update
    double dual = 0;
    double change = 1;
  };

  void update(State& state, double learning_rate) const;
  void set_rho(State& state, double rho) const;

  AdmmOptions options_;
  std::vector<State> states_;
  std::int64_t steps_ = 0;
  std::int64_t updates_ = 0;
};

}  // namespace ernn
