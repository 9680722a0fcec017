// Formulas against the simulation, which walks the kernel's loops clock by clock.
#include "explore/timing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels.h"

namespace ernn {
namespace {

constexpr double kAgreement = 0.02;

struct Fold {
  int rows, cols, inverses, units, groups;
};

/// The last three do not divide the block rows.
const std::vector<Fold>& folds() {
  static const std::vector<Fold> list = {{1, 1, 1, 1, 1},  {4, 1, 1, 2, 1},   {1, 4, 1, 4, 1},
                                         {4, 4, 4, 8, 1},  {8, 2, 2, 4, 2},   {2, 8, 2, 8, 2},
                                         {16, 4, 8, 8, 4}, {8, 16, 8, 16, 2}, {3, 1, 1, 2, 1},
                                         {5, 2, 1, 4, 2},  {12, 2, 4, 8, 2}};
  return list;
}

struct Case {
  std::string name;
  ModelOptions model;
};

std::vector<Case> small_models() {
  std::vector<Case> cases;
  for (const int k : {4, 8, 16}) {
    const std::string end = fmt::format(" k{}", k);
    cases.push_back({"lstm" + end, model_of(39, 30, k, {lstm_layer(128, 0, k)})});
    cases.push_back({"lstm projection" + end, model_of(39, 30, k, {lstm_layer(128, 64, k)})});
    cases.push_back(
        {"gru before" + end, model_of(39, 30, k, {gru_layer(128, GruReset::before, k)})});
    cases.push_back({"gru after" + end, model_of(39, 30, 1, {gru_layer(96, GruReset::after, k)})});
    cases.push_back(
        {"two lstm" + end, model_of(39, 30, k, {lstm_layer(128, 64, k), lstm_layer(128, 64, k)})});
    cases.push_back({"lstm gru feed-forward" + end,
                     model_of(39, 30, k,
                              {lstm_layer(64, 0, k), gru_layer(128, GruReset::before, k),
                               feedforward_layer(64, k)})});
  }
  cases.push_back({"feed-forward", model_of(39, 30, 1, {feedforward_layer(128, 8)})});
  cases.push_back({"dense lstm", model_of(13, 10, 1, {lstm_layer(24, 0, 1)})});
  ModelOptions mixed =
      model_of(39, 30, 4, {lstm_layer(128, 64, 8), gru_layer(64, GruReset::after, 4)});
  mixed.layers[0].block = {16, 8, 4};
  mixed.layers[1].block = {8, 4, 1};
  cases.push_back({"mixed blocks", mixed});
  return cases;
}

void compare(const std::string& name, const KernelPlan& plan, int streams, int frames = 8) {
  SCOPED_TRACE(name);
  const NetworkTiming timing = time_kernel(plan, streams);
  const ProcessNetwork network = process_network(plan);
  const DataflowTrace trace = simulate_dataflow(network, {streams, frames, 0});
  const double interval = steady_interval(network, trace, frames, streams);
  EXPECT_NEAR(timing.interleaved / interval, 1, kAgreement)
      << "interval: formula " << timing.interleaved << ", simulation " << interval << ", slowest "
      << timing.bottleneck;
  if (streams > 1) return;
  const auto latency =
      static_cast<double>(trace.end_of(static_cast<int>(network.processes.size()) - 1, 0, 0));
  EXPECT_NEAR(timing.latency / latency, 1, kAgreement)
      << "latency: formula " << timing.latency << ", simulation " << latency;
}

class Agreement : public testing::TestWithParam<int> {};

TEST_P(Agreement, FormulasAndSimulation) {
  const int streams = GetParam();
  // Sanitizers look at the code, not at each number: every model and every fold is enough for them.
  const int every = ERNN_SANITIZED ? 5 : 1;
  int number = 0;
  for (const Case& one : small_models()) {
    for (const Fold& fold : folds()) {
      if (number++ % every != 0) continue;
      const Folding folding =
          folds_near(one.model, fold.rows, fold.cols, fold.inverses, fold.units, fold.groups);
      const std::string name =
          fmt::format("{}, {} x {} / {} / {} / {}, {} streams", one.name, fold.rows, fold.cols,
                      fold.inverses, fold.units, fold.groups, streams);
      compare(name, plan_for(one.model, folding), streams);
      StreamDepths shallow;
      shallow.gates_frames = 1;
      compare(name + ", one vector of gates, wide ports", plan_for(one.model, folding, shallow, 16),
              streams);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Streams, Agreement, testing::Values(1, 2, 3, 8, 16));

TEST(Timing, PublishedLayer) {
  for (const int k : {8, 16}) {
    const ModelOptions model = model_of(153, 62, k, {lstm_layer(1024, 512, k)});
    for (const int streams : {1, 4, 16}) {
      for (const int rows : {16, 20}) {
        compare(fmt::format("published layer k{} {} streams, {} rows", k, streams, rows),
                plan_for(model, folds_near(model, rows, 4, 4, 8, 1)), streams, 6);
      }
    }
  }
}

/// Many block rows and few inverse transforms: words come in long bursts.
TEST(Timing, LongBurstsOfAProduct) {
  const ModelOptions model = model_of(153, 62, 16, {gru_layer(1024, GruReset::before, 16)});
  Folding folding = unfolded(model);
  folding.layers[0].matrices = {{2, 10, 1}, {32, 1, 2}, {1, 32, 1}};
  folding.layers[0].units_parallel = 16;
  folding.layers[1].matrices = {{1, 8, 1}};
  StreamDepths shallow;
  shallow.gates_frames = 1;
  for (const int streams : {1, 2, 16}) {
    compare("three vectors of gates", plan_for(model, resolve(folding, model)), streams);
    compare("one", plan_for(model, resolve(folding, model), shallow, 16), streams);
  }
}

/// Units read a group's words in a burst. When the stream before them holds fewer, their product
/// stands still meanwhile, which the formulas do not count: then only the simulation tells.
TEST(Timing, StreamsShorterThanABurstAreSlower) {
  const ModelOptions model = model_of(39, 30, 16, {lstm_layer(128, 64, 16)});
  const Folding folding = folds_near(model, 1, 1, 1, 1, 1);
  StreamDepths two;
  two.product = 2;
  double intervals[2];
  const KernelPlan plans[2] = {plan_for(model, folding), plan_for(model, folding, two)};
  for (int i = 0; i < 2; ++i) {
    const ProcessNetwork network = process_network(plans[i]);
    intervals[i] = steady_interval(network, simulate_dataflow(network, {8, 8, 0}), 8, 8);
    EXPECT_EQ(formulas_hold(plans[i]), i == 0);
  }
  EXPECT_GT(intervals[1], 1.05 * intervals[0]);
}

/// By hand: a feed-forward network of one block product of 1 x 1, so that every step is seen.
TEST(Timing, OneBlockByHand) {
  const ModelOptions model = model_of(4, 4, 4, {});
  Folding folding = unfolded(model);
  const KernelPlan plan = plan_for(model, resolve(folding, model));
  const MatrixPlan& m = plan.layers[0].matrices[0];
  const int bias = plan.layers[0].write_depth;
  // Port: 4 elements; each process: handshake 1, beat 1, depth; a word is read in the clock after.
  const int port = 1 + 4 + plan.port_depth - 1;         // last clock in which the block is written
  const int spectra = port + 1 + m.transform_depth;     // written
  const int sums = spectra + 2 + 1 + m.multiply_depth;  // buffer handed over, handshake, beat
  const int product = sums + 1 + m.inverse_depth;
  const int output = product + 1 + bias;
  const int last = output + 1 + 3 + plan.port_depth;  // four elements leave
  const ProcessNetwork network = process_network(plan);
  const DataflowTrace trace = simulate_dataflow(network, {1, 1, 0});
  EXPECT_EQ(trace.end_of(static_cast<int>(network.processes.size()) - 1, 0, 0), last);
  EXPECT_NEAR(time_kernel(plan, 1).latency, last, 1.01);
}

TEST(Timing, RecurrenceBoundsOneStreamAndInterleavingFillsIt) {
  const ModelOptions model = model_of(39, 30, 8, {lstm_layer(128, 64, 8)});
  const KernelPlan plan = plan_for(model, folds_near(model, 8, 2, 2, 4, 1), {}, 16);
  const NetworkTiming timing = time_kernel(plan, 16);
  EXPECT_GT(timing.single, 2 * timing.interleaved);
  EXPECT_GE(timing.interleaved, timing.layers[0].interval);
}

}  // namespace
}  // namespace ernn
