#include "admm/options.h"

#include <fmt/format.h>

#include "base/error.h"

namespace ernn {

const std::vector<std::pair<RhoSchedule, const char*>>& enum_names(RhoSchedule) {
  static const std::vector<std::pair<RhoSchedule, const char*>> names = {
      {RhoSchedule::constant, "constant"},
      {RhoSchedule::geometric, "geometric"},
      {RhoSchedule::residual_balancing, "residual_balancing"}};
  return names;
}

const std::vector<std::pair<Coupling, const char*>>& enum_names(Coupling) {
  static const std::vector<std::pair<Coupling, const char*>> names = {
      {Coupling::gradient, "gradient"}, {Coupling::proximal, "proximal"}};
  return names;
}

const std::vector<std::pair<RhoScaling, const char*>>& enum_names(RhoScaling) {
  static const std::vector<std::pair<RhoScaling, const char*>> names = {
      {RhoScaling::none, "none"}, {RhoScaling::gradient, "gradient"}};
  return names;
}

const std::vector<std::pair<ConstraintKind, const char*>>& enum_names(ConstraintKind) {
  static const std::vector<std::pair<ConstraintKind, const char*>> names = {
      {ConstraintKind::circulant, "circulant"},
      {ConstraintKind::balanced_sparse, "balanced_sparse"},
      {ConstraintKind::fixed_point, "fixed_point"}};
  return names;
}

void validate(const SparsityOptions& options, const std::string& path) {
  const auto require = [&path](bool good, const char* key, auto value, const char* expected) {
    if (good) return;
    throw UsageError(fmt::format("{}.{}: found {}, expected {}", path, key, value, expected));
  };
  require(options.density >= 0 && options.density <= 1, "density", options.density, "0 to 1");
  require(options.elements >= 1, "elements", options.elements, "at least 1");
  require(options.index_bits >= 1 && options.index_bits <= 16, "index_bits", options.index_bits,
          "1 to 16");
  require(options.weight_bits == 0 || (options.weight_bits >= 2 && options.weight_bits <= 24),
          "weight_bits", options.weight_bits, "0 for float, or 2 to 24");
  require(options.budget_bits >= 2 && options.budget_bits <= 32, "budget_bits", options.budget_bits,
          "2 to 32");
  require(options.ramp >= 0 && options.ramp <= 1, "ramp", options.ramp, "0 to 1");
  require(options.update_interval >= 1, "update_interval", options.update_interval, "at least 1");
}

void validate(const AdmmOptions& options, const std::string& path) {
  const auto refuse = [&path](const char* key, auto value, const char* expected) {
    throw UsageError(fmt::format("{}.{}: found {}, expected {}", path, key, value, expected));
  };
  if (!(options.rho > 0)) refuse("rho", options.rho, "a positive number");
  if (options.schedule != RhoSchedule::constant && !(options.rho_final >= options.rho))
    refuse("rho_final", options.rho_final, "at least rho");
  if (options.rho_updates < 0) refuse("rho_updates", options.rho_updates, "0 or more");
  if (!(options.mu > 1)) refuse("mu", options.mu, "more than 1");
  if (!(options.tau > 1)) refuse("tau", options.tau, "more than 1");
  if (options.update_interval < 1) refuse("update_interval", options.update_interval, "at least 1");
  if (!(options.dual_step >= 0 && options.dual_step < 1.618))
    refuse("dual_step", options.dual_step, "0 to 1.618");
  if (!(options.eps_primal >= 0)) refuse("eps_primal", options.eps_primal, "0 or more");
  if (!(options.eps_dual >= 0)) refuse("eps_dual", options.eps_dual, "0 or more");
  if (options.rho_scaling == RhoScaling::gradient && options.coupling == Coupling::proximal) {
    throw UsageError(fmt::format(
        "{}.rho_scaling: 'gradient' needs coupling 'gradient'; the proximal step is in units of W "
        "already, use 'none'",
        path));
  }
}

}  // namespace ernn
