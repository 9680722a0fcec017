// How an ADMM stage is run; free of LibTorch.
#pragma once

#include <utility>
#include <vector>

namespace ernn {

/// How the penalty (rho/2) ||W - Z + U||^2 enters the training step. proximal: after the
/// optimiser's step, W moves to the minimiser of the penalty plus the distance to where the step
/// led, so an adaptive optimiser does not rescale it. gradient: rho (W - Z + U) is added to the
/// gradient of the loss.
enum class AdmmCoupling { proximal, gradient };

inline const std::vector<std::pair<AdmmCoupling, const char*>>& enum_names(AdmmCoupling) {
  static const std::vector<std::pair<AdmmCoupling, const char*>> names = {
      {AdmmCoupling::proximal, "proximal"}, {AdmmCoupling::gradient, "gradient"}};
  return names;
}

struct AdmmOptions {
  double rho = 1e-3;        ///< penalty at the start of the stage
  double rho_final = 1e-1;  ///< penalty at its end, growing geometrically with the updates; equal
                            ///< to rho = constant
  bool residual_balancing = false;  ///< adapt rho to the residuals instead of the growth
  double balancing_ratio = 10;      ///< act when one residual exceeds the other by this factor
  double balancing_factor = 2;      ///< multiply or divide rho by this
  int update_interval = 50;         ///< optimiser steps between updates of Z and U
  AdmmCoupling coupling = AdmmCoupling::proximal;
  double stop_primal = 1e-3;  ///< the stage may end when every relative primal residual and
  double stop_dual = 1e-3;    ///< every relative dual residual is below these
};

template <class Visitor>
void describe(Visitor& field, AdmmOptions& o) {
  field("rho", o.rho, "penalty at the start");
  field("rho_final", o.rho_final, "penalty at the end, reached geometrically");
  field("residual_balancing", o.residual_balancing, "adapt rho to the residuals instead");
  field("balancing_ratio", o.balancing_ratio, "ratio of the residuals at which rho changes");
  field("balancing_factor", o.balancing_factor, "factor by which it changes");
  field("update_interval", o.update_interval, "optimiser steps between updates of Z and U");
  field("coupling", o.coupling, "proximal or gradient");
  field("stop_primal", o.stop_primal, "relative primal residual at which the stage may end");
  field("stop_dual", o.stop_dual, "relative dual residual at which the stage may end");
}

}  // namespace ernn
