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
