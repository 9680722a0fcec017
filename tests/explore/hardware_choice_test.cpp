#include "explore/hardware_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/options.h"
#include "kernels.h"

namespace ernn {
namespace {

HardwareCandidate candidate(const std::string& name, const ModelOptions& model, int bits,
                            double per) {
  QuantisationOptions options;
  options.bits = bits;
  return {name, model, default_widths(model, options), per};
}

/// So small that every folding can be tried.
std::vector<HardwareCandidate> small_candidates() {
  const ModelOptions fine = model_of(16, 8, 8, {feedforward_layer(32, 8)});
  const ModelOptions coarse = model_of(16, 8, 8, {feedforward_layer(32, 16)});
  return {candidate("fine", fine, 12, 20), candidate("coarse", coarse, 12, 20.4)};
}

Platform device(int dsp, int lut) {
  Platform platform = test_platform();
  platform.dsp = dsp;
  platform.lut = lut;
  platform.usable = 1;
  return platform;
}

/// The objective of the best of all folds.
double exhaustive(const HardwareCandidate& candidate, FoldingObjective objective, int streams,
                  DatapathTable& table) {
  FoldingRequest request;
  request.model = candidate.model;
  request.widths = candidate.widths;
  request.streams = streams;
  request.objective = objective;
  return search_all_foldings(request, table).value.clocks;
}

TEST(HardwareChoice, AgreesWithExhaustiveSearch) {
  const auto candidates = small_candidates();
  for (const auto& [objective, folding] :
       {std::pair{DesignObjective::latency, FoldingObjective::latency},
        std::pair{DesignObjective::throughput, FoldingObjective::throughput}}) {
    DatapathTable table(device(120, 40000));
    std::vector<HardwareDesign> designs;
    std::size_t best = 0;
    std::vector<double> clocks;
    for (const HardwareCandidate& one : candidates) {
      designs.push_back(design_hardware(one, {objective, 4}, table));
      ASSERT_TRUE(designs.back().fits()) << designs.back().refusal;
      clocks.push_back(exhaustive(one, folding, 4, table));
      if (clocks.back() < clocks[best]) best = clocks.size() - 1;
    }
    const int chosen = best_design(candidates, designs);
    ASSERT_GE(chosen, 0);
    // choose_folding() itself is within two percent of all folds.
    const double reached = clocks[static_cast<std::size_t>(chosen)];
    EXPECT_LE(reached, 1.02 * clocks[best]) << name_of(objective);
    if (objective == DesignObjective::latency) {
      EXPECT_NEAR(designs[static_cast<std::size_t>(chosen)].latency_us * 200 / reached, 1, 0.021);
    }
  }
}

TEST(HardwareChoice, SaysWhatDoesNotFit) {
  const auto candidates = small_candidates();
  DatapathTable tiny(device(10, 60000));
  const HardwareDesign none = design_hardware(candidates[1], {DesignObjective::latency, 4}, tiny);
  EXPECT_FALSE(none.fits());
  EXPECT_THAT(none.refusal, testing::HasSubstr("DSP blocks are needed and 10 may be used"));
  EXPECT_EQ(best_design({candidates[1]}, {none}), -1);
  EXPECT_EQ(best_design({}, {}), -1);
}

TEST(HardwareChoice, EqualDesignsAreToldApartByErrors) {
  const auto candidates = small_candidates();
  HardwareDesign same;
  same.value = 3;
  HardwareDesign refused;
  refused.refusal = "no";
  const std::vector<HardwareCandidate> three = {candidates[0], candidates[0], candidates[1]};
  EXPECT_EQ(best_design(three, {refused, same, same}), 1);
  HardwareDesign better = same;
  better.value = 2.9;
  EXPECT_EQ(best_design(three, {refused, same, better}), 2);
}

TEST(HardwareChoice, EnergyTakesTheBetterOfTwoFoldings) {
  const auto candidates = small_candidates();
  for (const HardwareCandidate& one : candidates) {
    DatapathTable table(device(120, 40000));
    const auto energy_of = [&](DesignObjective objective) {
      return design_hardware(one, {objective, 4}, table).energy_uj;
    };
    EXPECT_EQ(energy_of(DesignObjective::energy), std::min(energy_of(DesignObjective::latency),
                                                           energy_of(DesignObjective::throughput)));
  }
}

}  // namespace
}  // namespace ernn
