#include "explore/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "explore/published_designs.h"
#include "kernels.h"
#include "tests/support/markup.h"

namespace ernn {
namespace {

FoldingRequest request_for(const ModelOptions& model, int streams) {
  FoldingRequest request;
  request.model = model;
  request.widths = default_widths(model, {});
  request.streams = streams;
  return request;
}

const StageResources& stage_of(const std::vector<StageResources>& stages, const std::string& name) {
  for (const StageResources& stage : stages) {
    if (stage.name == name) return stage;
  }
  throw std::runtime_error("no stage " + name);
}

/// Weights, memories and multipliers of one stage by hand.
TEST(Resources, OfAMultiplication) {
  const ModelOptions model = model_of(153, 62, 16, {lstm_layer(1024, 512, 16)});
  Folding folding = unfolded(model);
  folding.layers[0].matrices[1] = {16, 4, 4};
  const KernelPlan plan = plan_for(model, resolve(folding, model));
  DatapathTable table(test_platform());
  const auto stages = kernel_resources(plan, table, 4);
  const StageResources& multiply = stage_of(stages, "layers.0.recurrent multiply");
  EXPECT_EQ(multiply.beats, 256 / 16 * 32 / 4);
  EXPECT_EQ(multiply.total.dsp, 16 * 4 * 23);
  EXPECT_EQ(multiply.multiplications, 16 * 4 * 23);
  EXPECT_EQ(multiply.weight_bits, 4096LL * 512 * 12 / 16);
  EXPECT_EQ(multiply.weight_bandwidth, 16 * 4 * 16 * 12);
  EXPECT_EQ(multiply.total.bram36, memory_cost(16 * 4 * 16 * 12, 128).bram36);
  const StageResources& cells = stage_of(stages, "layers.0 cells");
  EXPECT_EQ(cells.total.dsp, 11);
  EXPECT_EQ(cells.weight_bits, 7 * 1024 * 12);
  EXPECT_EQ(stage_of(stages, "layers.0.recurrent inverse").total.dsp, 4 * 14);
  long long bits = 0;
  for (const StageResources& stage : stages) bits += stage.weight_bits;
  // 62 outputs are padded to four blocks of 16 rows; one inverse at a time pads the biases too.
  EXPECT_EQ(bits, 12 * (parameter_count(model) + 2));
}

/// Stages of resources, formulas and simulation, with `rows` block rows at a time.
void names_and_order(int rows) {
  for (const ModelOptions& model :
       {model_of(39, 30, 8, {lstm_layer(64, 32, 8), gru_layer(64, GruReset::before, 8)}),
        model_of(39, 30, 1, {gru_layer(64, GruReset::after, 8), feedforward_layer(64, 8)}),
        model_of(39, 30, 1, {lstm_layer(64, 0, 4)})}) {
    const KernelPlan plan = plan_for(model, folds_near(model, rows, 1, 1, 1, 1));
    DatapathTable table(test_platform());
    const auto stages = kernel_resources(plan, table, 1);
    const NetworkTiming timing = time_kernel(plan, 1);
    const ProcessNetwork network = process_network(plan);
    ASSERT_EQ(stages.size(), timing.stages.size());
    ASSERT_EQ(network.processes.size(), timing.stages.size());
    for (std::size_t i = 0; i < stages.size(); ++i) {
      EXPECT_EQ(stages[i].name, timing.stages[i].name);
      EXPECT_EQ(network.processes[i].name, timing.stages[i].name);
      // The walk through the kernel's loops counts the same beats as the formulas.
      EXPECT_EQ(network.processes[i].beats, timing.stages[i].beats) << stages[i].name;
      EXPECT_EQ(network.processes[i].depth, timing.stages[i].depth) << stages[i].name;
      EXPECT_EQ(stages[i].beats, timing.stages[i].beats);
      EXPECT_EQ(stages[i].layer, timing.stages[i].layer);
    }
  }
}

/// 256 block rows, three at a time: 86 groups, the last one with two rows beyond the matrix.
TEST(Resources, OfRowsThatDoNotDivide) {
  const ModelOptions model = model_of(153, 62, 16, {lstm_layer(1024, 512, 16)});
  Folding folding = unfolded(model);
  folding.layers[0].matrices[1] = {3, 16, 1};
  const KernelPlan plan = plan_for(model, resolve(folding, model));
  DatapathTable table(test_platform());
  const auto stages = kernel_resources(plan, table, 4);
  const StageResources& multiply = stage_of(stages, "layers.0.recurrent multiply");
  EXPECT_EQ(multiply.beats, 86 * 2);
  EXPECT_EQ(multiply.total.dsp, 3 * 16 * 23);
  EXPECT_EQ(multiply.weight_bits, 258LL * 32 * 16 * 12);
  EXPECT_EQ(multiply.total.bram36, memory_cost(3 * 16 * 16 * 12, 172).bram36);
  EXPECT_EQ(stage_of(stages, "layers.0.recurrent inverse").beats, 256);
}

TEST(Resources, NamesAndOrderAreThoseOfTheTiming) {
  for (const int rows : {1, 3}) names_and_order(rows);
}

/// The formulas count what the walk through the kernel's loops does.
TEST(Resources, OfPortsThatDivideNoBlock) {
  const ModelOptions model = model_of(153, 62, 16, {lstm_layer(64, 32, 16)});
  for (int elements = 1; elements <= 20; ++elements) {
    const KernelPlan plan = plan_for(model, unfolded(model), {}, elements);
    const ProcessNetwork network = process_network(plan);
    EXPECT_EQ(plan.read_beats(), network.processes.front().beats) << elements;
    EXPECT_EQ(plan.write_beats(), network.processes.back().beats) << elements;
  }
  EXPECT_EQ(plan_for(model, unfolded(model), {}, 6).read_beats(), 10 * 3);
}

TEST(Energy, RestsOnTheInterval) {
  const ModelOptions model = model_of(39, 30, 8, {lstm_layer(64, 32, 8)});
  const KernelPlan plan = plan_for(model, unfolded(model));
  DatapathTable table(test_platform());
  const auto stages = kernel_resources(plan, table, 1);
  const Platform platform = test_platform();
  const Energy once = frame_energy(stages, 1000, platform);
  const Energy twice = frame_energy(stages, 2000, platform);
  EXPECT_DOUBLE_EQ(once.rest, 1.5 * 1000 / 200e6);
  EXPECT_DOUBLE_EQ(twice.clock, 2 * once.clock);
  EXPECT_DOUBLE_EQ(twice.multiply, once.multiply);
  EXPECT_GT(once.multiply, 0);
}

TEST(Estimate, TextPageAndJsonSayTheSame) {
  const ModelOptions model = model_of(39, 30, 8, {lstm_layer(64, 32, 8)});
  DatapathTable table(test_platform());
  const Estimate estimate =
      estimate_kernel(request_for(model, 4), unfolded(model), table, "a <network> & more");
  const auto json = estimate_json(estimate);
  EXPECT_NEAR(json["formulas"]["interleaved_interval_clocks"].get<double>() /
                  json["simulation"]["interleaved_interval_clocks"].get<double>(),
              1, 0.02);
  EXPECT_EQ(json["stages"].size(), estimate.stages.size());
  EXPECT_EQ(json["datapath"][0]["source"], "assumed");
  const std::string page = estimate_page(estimate);
  expect_well_formed(page);
  EXPECT_THAT(page, testing::HasSubstr("a &lt;network&gt; &amp; more"));
  const std::string text = estimate_text(estimate);
  for (const auto& stage : estimate.stages) {
    EXPECT_THAT(text, testing::HasSubstr(stage.name));
    EXPECT_THAT(page, testing::HasSubstr(stage.name));
  }
  EXPECT_THAT(text, testing::HasSubstr("0 measured"));
}

/// However few of them are asked for.
TEST(Estimate, StateIsOfAllStreamsThatTheKernelHas) {
  const ModelOptions model = model_of(39, 30, 8, {lstm_layer(64, 32, 8)});
  DatapathTable table(test_platform());
  Folding folding = unfolded(model);
  const auto memories = [&](int streams) {
    return estimate_kernel(request_for(model, streams), folding, table, "").total.bram36;
  };
  const double one = memories(1);
  folding.streams = 16;
  const double all = memories(16);
  EXPECT_GT(all, one);
  EXPECT_EQ(memories(1), all);
}

TEST(Estimate, ALayerThatJoinsFramesIsRefused) {
  LayerOptions layer = feedforward_layer(32, 8);
  layer.offsets = {-2, 0};
  const ModelOptions model = model_of(16, 8, 1, {layer});
  try {
    plan_for(model, unfolded(model));
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("model.layers.0.offsets: found 2 frames, expected 0 alone"));
  }
}

TEST(Estimate, WidthsOfAnArtefactAreItsFormats) {
  QuantisedNetwork network;
  QuantisedLayer& layer = network.layers.emplace_back();
  layer.options.type = LayerType::feedforward;
  layer.options.size = 8;
  layer.input = {11, 1};
  layer.bias = {10, 1};
  layer.output = {13, 2};
  QuantisedMatrix& matrix = layer.matrices.emplace_back();
  matrix.shape = {"output.input", 8, 8, 4};
  matrix.weight = {9, 1};
  matrix.spectrum = {15, 3};
  matrix.sum = {17, 3};
  matrix.product = {18, 3};
  const auto widths = widths_of(network);
  ASSERT_EQ(widths.size(), 1U);
  EXPECT_EQ(widths[0].bias, 10);
  EXPECT_EQ(widths[0].output, 13);
  const MatrixWidths& bits = widths[0].matrices[0];
  EXPECT_EQ(bits.input, 11);
  EXPECT_EQ(bits.weight, 9);
  EXPECT_EQ(bits.spectrum, 15);
  EXPECT_EQ(bits.sum, 17);
  EXPECT_EQ(bits.product, 18);
}

TEST(PublishedDesigns, RecalledFiguresAreMarked) {
  int recalled = 0;
  for (const PublishedDesign& design : published_designs()) {
    EXPECT_FALSE(design.how_known.empty()) << design.work;
    if (design.work.rfind("E-RNN", 0) != 0 && design.work.rfind("C-LSTM", 0) != 0) continue;
    EXPECT_EQ(design.how_known, "recalled, not re-read");
    ++recalled;
  }
  EXPECT_EQ(recalled, 3);
}

}  // namespace
}  // namespace ernn
