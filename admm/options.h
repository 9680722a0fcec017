// How ADMM is run, free of LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ernn {

/// constant: rho stays. geometric: rho grows by a constant factor per update, up to rho_final.
/// residual_balancing: rho is multiplied or divided by tau to keep the primal and dual residuals
/// within a factor mu of each other (Boyd et al. 2011, section 3.4.1), and never exceeds rho_final.
enum class RhoSchedule { constant, geometric, residual_balancing };
/// How the penalty reaches W. gradient: rho (W - Z + U) is added to the gradient and goes through
/// the optimiser; SGD diverges when lr rho exceeds 2. proximal: the optimiser sees the loss alone;
/// after each of its steps W moves by W <- (W + lr rho (Z - U)) / (1 + lr rho), whatever it divides
/// gradients by.
enum class Coupling { gradient, proximal };
/// none: every matrix has the same rho. gradient: rho is in units of ||loss gradient|| / ||W|| of
/// each matrix, measured at its first step.
enum class RhoScaling { none, gradient };

const std::vector<std::pair<RhoSchedule, const char*>>& enum_names(RhoSchedule);
const std::vector<std::pair<Coupling, const char*>>& enum_names(Coupling);
const std::vector<std::pair<RhoScaling, const char*>>& enum_names(RhoScaling);

/// Which coupling? With SGD they solve the same problem. With Adam the gradient coupling is
/// nearly powerless while the loss gradient is noisy, since Adam rescales the sum of both to steps
/// of size lr; the proximal one shrinks W - Z + U by 1 + lr rho per step (time constant
/// 1 / (lr rho) steps) and reaches the set. Its price: where it stands still, Adam's step and not
/// the gradient is balanced by the penalty, so with a loss that has no circulant minimum the
/// point reached is off the constrained optimum by how unevenly Adam scales the entries of one
/// wrapped diagonal. Training on in the circulant parametrisation removes that.
struct AdmmOptions {
  double rho = 1;
  double rho_final = 30;
  RhoSchedule schedule = RhoSchedule::geometric;
  std::int64_t rho_updates = 0;  ///< geometric: updates from rho to rho_final; 0 = the whole stage
  double mu = 10;
  double tau = 2;
  std::int64_t update_interval = 10;  ///< optimiser steps between updates of Z and U
  /// U <- U + dual_step (W - Z); 1 is textbook ADMM, which minimises over W before every update.
  /// A few optimiser steps do not, and U then grows faster than W can follow: W swings past the set
  /// and back. 0 chooses the largest step without overshoot, update_interval lr rho / 4 and at most
  /// 1: with d = W - Z, d' = -lr rho (d + U) and U' = dual_step / update_interval d are critically
  /// damped there.
  double dual_step = 0;
  Coupling coupling = Coupling::proximal;
  RhoScaling rho_scaling = RhoScaling::none;
  double eps_primal = 1e-3;
  double eps_dual = 1e-3;
};

/// What ADMM pulls matrices onto (admm/constraint_set.h, admm/balanced_sparse.h,
/// admm/fixed_point_grid.h).
enum class ConstraintKind { circulant, balanced_sparse, fixed_point };

const std::vector<std::pair<ConstraintKind, const char*>>& enum_names(ConstraintKind);

/// Balanced pruning (ESE, Han et al. 2017, section 3): the rows of a matrix are dealt to processing
/// elements in turn, and each element keeps as many entries as any other, those of the largest
/// magnitude. An entry is stored as a weight and the number of zeros before it.
struct SparsityOptions {
  /// Share of a matrix' entries that stay; 0 = as many as fit into the bits of the stage's
  /// circulant blocks with weights of `budget_bits`.
  double density = 0;
  int elements = 32;    ///< processing elements
  int index_bits = 4;   ///< of the number of zeros; more zeros take a stored zero in between
  int weight_bits = 0;  ///< weights of the finished model are rounded to so many bits, 0 = float
  int budget_bits = 12;
  double ramp = 0.5;         ///< share of the stage's steps in which entries are taken away
  int update_interval = 10;  ///< steps between takings
};

/// Throws UsageError naming the key (under `path`) and what would suit.
void validate(const AdmmOptions& options, const std::string& path);
void validate(const SparsityOptions& options, const std::string& path);

template <class Visitor>
void describe(Visitor& field, AdmmOptions& o) {
  field("rho", o.rho, "penalty at the start");
  field("rho_final", o.rho_final, "geometric: penalty at the end; residual_balancing: its limit");
  field("schedule", o.schedule, "constant, geometric or residual_balancing");
  field("rho_updates", o.rho_updates, "geometric: updates from rho to rho_final, 0 = whole stage");
  field("mu", o.mu, "residual_balancing: ratio of residuals that is tolerated");
  field("tau", o.tau, "residual_balancing: factor of one change");
  field("update_interval", o.update_interval, "optimiser steps between updates of Z and U");
  field("dual_step", o.dual_step, "how much of W - Z goes to U, 0 = as much as does not overshoot");
  field("coupling", o.coupling, "gradient or proximal (for Adam)");
  field("rho_scaling", o.rho_scaling, "none, or gradient: rho per matrix by its gradient's size");
  field("eps_primal", o.eps_primal, "converged when ||W - Z|| / ||W|| is at most this, and");
  field("eps_dual", o.eps_dual, "||Z - Z_old|| / ||W|| at most this, for every matrix");
}

template <class Visitor>
void describe(Visitor& field, SparsityOptions& o) {
  field("density", o.density, "share of entries that stay, 0 = the bits of the stage's blocks");
  field("elements", o.elements, "processing elements");
  field("index_bits", o.index_bits, "of the number of zeros before an entry");
  field("weight_bits", o.weight_bits, "of the finished model's weights, 0 = float");
  field("budget_bits", o.budget_bits, "density 0: bits of a circulant weight, and of an entry's");
  field("ramp", o.ramp, "share of the steps in which entries are taken away");
  field("update_interval", o.update_interval, "steps between takings");
}

}  // namespace ernn
