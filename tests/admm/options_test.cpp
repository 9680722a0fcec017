#include "admm/options.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/options.h"

namespace ernn {
namespace {

std::string refusal(const AdmmOptions& options) {
  try {
    validate(options, "stages.1.admm");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(AdmmOptions, DefaultsAreValid) {
  EXPECT_EQ(refusal({}), "");
}

TEST(AdmmOptions, WrongValuesAreRefusedByKey) {
  AdmmOptions options;
  options.rho = 0;
  EXPECT_EQ(refusal(options), "stages.1.admm.rho: found 0, expected a positive number");
  options = {};
  options.rho_final = options.rho / 2;
  EXPECT_EQ(refusal(options), "stages.1.admm.rho_final: found 0.5, expected at least rho");
  options.schedule = RhoSchedule::constant;
  EXPECT_EQ(refusal(options), "");
  options = {};
  options.update_interval = 0;
  EXPECT_EQ(refusal(options), "stages.1.admm.update_interval: found 0, expected at least 1");
  options = {};
  options.tau = 1;
  EXPECT_EQ(refusal(options), "stages.1.admm.tau: found 1, expected more than 1");
  options = {};
  options.mu = 0.5;
  EXPECT_EQ(refusal(options), "stages.1.admm.mu: found 0.5, expected more than 1");
  options = {};
  options.rho_scaling = RhoScaling::gradient;
  EXPECT_NE(refusal(options).find("needs coupling 'gradient'"), std::string::npos);
}

TEST(AdmmOptions, SurviveWritingAndReading) {
  AdmmOptions options;
  options.schedule = RhoSchedule::residual_balancing;
  options.coupling = Coupling::gradient;
  options.rho_scaling = RhoScaling::gradient;
  options.update_interval = 3;
  const auto back = read_options<AdmmOptions>(write_options(options));
  EXPECT_EQ(back.schedule, options.schedule);
  EXPECT_EQ(back.coupling, options.coupling);
  EXPECT_EQ(back.rho_scaling, options.rho_scaling);
  EXPECT_EQ(back.update_interval, 3);
}

}  // namespace
}  // namespace ernn
