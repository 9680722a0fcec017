#include "explore/choose_folding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/options.h"
#include "kernels.h"

namespace ernn {
namespace {

Platform small_device(int dsp, int lut) {
  Platform platform = test_platform();
  platform.dsp = dsp;
  platform.lut = lut;
  platform.usable = 1;
  return platform;
}

FoldingRequest request_for(const ModelOptions& model, FoldingObjective objective, int streams) {
  FoldingRequest request;
  request.model = model;
  request.widths = default_widths(model, {});
  request.objective = objective;
  request.streams = streams;
  request.port_elements = 8;
  return request;
}

struct Small {
  ModelOptions model;
  int dsp, lut;
};

std::vector<Small> small_cases() {
  return {{model_of(16, 8, 8, {lstm_layer(16, 0, 8)}), 160, 60000},
          {model_of(8, 4, 4, {gru_layer(8, GruReset::before, 4)}), 90, 40000},
          {model_of(16, 8, 8, {feedforward_layer(32, 8)}), 120, 40000},
          {model_of(16, 8, 8, {feedforward_layer(32, 8)}), 60, 14000}};
}

/// Nothing that fits is better by more than two percent.
TEST(ChooseFolding, AgreesWithExhaustiveSearch) {
  for (const Small& small : small_cases()) {
    for (const FoldingObjective objective :
         {FoldingObjective::latency, FoldingObjective::throughput}) {
      const FoldingRequest request = request_for(small.model, objective, 4);
      DatapathTable table(small_device(small.dsp, small.lut));
      const ChosenFolding all = search_all_foldings(request, table);
      const ChosenFolding chosen = choose_folding(request, table);
      EXPECT_TRUE(chosen.value.fits);
      EXPECT_GE(chosen.value.clocks, all.value.clocks);
      EXPECT_LE(chosen.value.clocks, 1.02 * all.value.clocks)
          << name_of(objective) << ", " << small.dsp << " DSP, " << all.tried << " foldings, "
          << chosen.tried << " tried";
      EXPECT_NO_THROW(resolve(chosen.folding, small.model));
    }
  }
}

TEST(ChooseFolding, MoreMultipliersAreFaster) {
  const ModelOptions model = model_of(153, 62, 16, {lstm_layer(256, 128, 16)});
  double before = 1e18;
  for (const int dsp : {400, 800, 1600}) {
    DatapathTable table(small_device(dsp, 400000));
    const ChosenFolding chosen =
        choose_folding(request_for(model, FoldingObjective::throughput, 8), table);
    EXPECT_LT(chosen.value.clocks, before) << dsp;
    EXPECT_LE(chosen.value.resources.dsp, dsp);
    before = chosen.value.clocks;
  }
}

TEST(ChooseFolding, SaysWhyNothingFits) {
  const ModelOptions model = model_of(153, 62, 16, {lstm_layer(256, 128, 16)});
  DatapathTable table(small_device(50, 400000));
  EXPECT_THAT([&] { choose_folding(request_for(model, FoldingObjective::latency, 1), table); },
              testing::ThrowsMessage<UsageError>(
                  testing::AllOf(testing::HasSubstr("DSP blocks are needed and 50 may be used"),
                                 testing::HasSubstr("larger block sizes"))));
}

TEST(ChooseFolding, FoldsGoThroughYaml) {
  const ModelOptions model = model_of(16, 8, 8, {lstm_layer(16, 0, 8)});
  DatapathTable table(small_device(300, 80000));
  const ChosenFolding chosen =
      choose_folding(request_for(model, FoldingObjective::throughput, 4), table);
  const std::string yaml = write_options(chosen.folding).to_yaml();
  const auto again = read_options<Folding>(ConfigNode::from_yaml_text(yaml, "folds"));
  const FoldingRequest request = request_for(model, FoldingObjective::throughput, 4);
  EXPECT_EQ(again.streams, 4);
  EXPECT_EQ(value_folding(resolve(again, model), request, table).clocks, chosen.value.clocks);
}

}  // namespace
}  // namespace ernn
