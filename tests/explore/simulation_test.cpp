#include "explore/dataflow_simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

#include "explore/schedule_chart.h"
#include "kernels.h"

namespace ernn {
namespace {

std::vector<int> every(int beats) {
  std::vector<int> list(static_cast<std::size_t>(beats));
  std::iota(list.begin(), list.end(), 0);
  return list;
}

/// Two processes in one loop, joined by a stream or a buffer.
ProcessNetwork pair_of(int beats_a, int depth_a, int beats_b, int depth_b, bool buffer,
                       long long capacity, bool recurrent) {
  ProcessNetwork network;
  Channel channel;
  channel.name = "between";
  channel.buffer = buffer;
  channel.capacity = capacity;
  network.channels = {channel};
  network.recurrent = {recurrent};
  Process a;
  a.name = "a";
  a.beats = beats_a;
  a.depth = depth_a;
  a.writes = {Port{0, buffer ? std::vector<int>{} : every(beats_a)}};
  Process b = a;
  b.name = "b";
  b.beats = beats_b;
  b.depth = depth_b;
  b.writes = {};
  std::vector<int> reads;
  reads.reserve(static_cast<std::size_t>(beats_a));
  for (int i = 0; i < beats_a; ++i) reads.push_back(i * (beats_b / beats_a));
  b.reads = {Port{0, buffer ? std::vector<int>{} : reads}};
  network.processes = {a, b};
  return network;
}

TEST(Dataflow, AVectorTakesBeatsDepthAndHandshake) {
  const ProcessNetwork network = pair_of(10, 3, 10, 5, true, 2, false);
  const DataflowTrace trace = simulate_dataflow(network, {1, 3, 0});
  // a: starts at 0, beats 1 ... 10, last write at 13, again at 15.
  EXPECT_EQ(trace.end_of(0, 0, 0), 13);
  EXPECT_EQ(trace.end_of(0, 1, 0), 15 + 13);
  // b: has the buffer at 15, beats 16 ... 25.
  EXPECT_EQ(trace.end_of(1, 0, 0), 15 + 10 + 5);
}

TEST(Dataflow, AStreamStartsTheReaderAtTheFirstWord) {
  const ProcessNetwork network = pair_of(10, 3, 10, 5, false, 2, false);
  const DataflowTrace trace = simulate_dataflow(network, {1, 1, 0});
  // The first word is written at 4 and read at 5, the last read at 14.
  EXPECT_EQ(trace.end_of(1, 0, 0), 14 + 5);
}

TEST(Dataflow, AFullStreamHoldsTheWriterUp) {
  // b reads every fourth clock: a, 10 beats, ends when b has made room for its last word.
  const ProcessNetwork network = pair_of(10, 3, 40, 5, false, 2, false);
  const DataflowTrace trace = simulate_dataflow(network, {1, 1, 0});
  // b's beats 5 ... 44; word 7 is read at 33, so that word 9 is written at 34.
  EXPECT_EQ(trace.end_of(0, 0, 0), 34);
  EXPECT_EQ(trace.end_of(1, 0, 0), 49);
}

TEST(Dataflow, ABufferIsTwoVectorsDeep) {
  const ProcessNetwork network = pair_of(10, 3, 100, 5, true, 2, false);
  const DataflowTrace trace = simulate_dataflow(network, {1, 5, 0});
  // Both halves are full after 30; the next vector starts when b is done with the first one.
  EXPECT_EQ(trace.end_of(0, 1, 0), 28);
  EXPECT_EQ(trace.end_of(1, 0, 0), 15 + 105);
  EXPECT_EQ(trace.end_of(0, 2, 0), 15 + 107 + 13);
}

TEST(Dataflow, ARecurrentLoopWaitsForTheWholeFrame) {
  const ProcessNetwork network = pair_of(10, 3, 10, 5, true, 2, true);
  const DataflowTrace trace = simulate_dataflow(network, {2, 2, 0});
  // Stream 1 overlaps stream 0; frame 1 begins two clocks after b's last vector is done.
  EXPECT_EQ(trace.end_of(0, 0, 1), 28);
  const auto done = trace.end_of(1, 0, 1) + 2;
  EXPECT_EQ(trace.end_of(0, 1, 0), done + kFrameLoopClocks + 13);
}

TEST(Dataflow, SaysWhatWaitsWhenNothingCanGoOn) {
  ProcessNetwork network = pair_of(10, 3, 10, 5, false, 2, false);
  network.processes[1].reads[0].beats.push_back(10);
  network.processes[1].beats = 11;  // one word that never comes
  try {
    simulate_dataflow(network, {1, 1, 0});
    FAIL() << "the simulation went on";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("b (vector 0, beat 10)"));
  }
}

TEST(Dataflow, AChartHasABarForEveryVector) {
  const ProcessNetwork network = pair_of(10, 3, 10, 5, true, 2, false);
  const DataflowTrace trace = simulate_dataflow(network, {1, 3, 0});
  ScheduleChart chart;
  chart.title = "pair <a & b>";
  chart.to = trace.clocks;
  const std::string svg = render_schedule(chart, network, trace);
  std::size_t bars = 0;
  for (auto at = svg.find("class=\"bar\""); at != std::string::npos;
       at = svg.find("class=\"bar\"", at + 1))
    ++bars;
  EXPECT_EQ(bars, 6U);
  EXPECT_THAT(svg, testing::HasSubstr("pair &lt;a &amp; b&gt;"));
}

}  // namespace
}  // namespace ernn
