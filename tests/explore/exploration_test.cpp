#include "explore/exploration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "kernels.h"
#include "tests/support/markup.h"

namespace ernn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ExploredTrial trial(const std::string& name, double dev, long long numbers, TrialState state) {
  ExploredTrial one;
  one.record.name = name;
  one.record.cell = "lstm";
  one.record.state = state;
  one.record.dev_per = dev;
  one.record.test_per = dev + 1;
  one.record.numbers = one.record.multiplications = numbers;
  one.proposal.assignment = {{8, 4, 2}, numbers, 0.25};
  return one;
}

Exploration example() {
  Exploration exploration;
  exploration.name = "a <b> & 'c'";
  exploration.limit = 20.5;
  ExploredCell cell;
  cell.model = model_of(16, 8, 1, {lstm_layer(16, 0, 1)});
  cell.places = block_places(cell.model, 1.15);
  cell.dense.name = "dense-lstm";
  cell.dense.cell = "lstm";
  cell.dense.state = TrialState::finished;
  cell.dense.dev_per = 20;
  cell.dense.numbers = 9000;
  cell.sensitivity.curvature = "fisher";
  for (const MatrixShape& shape : matrix_shapes(cell.model))
    cell.sensitivity.matrices.push_back({shape.name, {1, 2, 4}, {0, 1e-3, 1e-2}, {0, 0.1, 0.3}});
  DatapathTable table(test_platform());
  cell.bounds.push_back(block_bounds(cell.model, cell.places, 1.15, {}, 1, table));
  exploration.cells.push_back(cell);
  exploration.trials = {trial("fine", 20.1, 4000, TrialState::finished),
                        trial("worse", 20.4, 4000, TrialState::finished),
                        trial("coarse", 20.3, 2000, TrialState::finished),
                        trial("given up", 30, 1000, TrialState::stopped),
                        trial("never", HUGE_VAL, 500, TrialState::open)};
  exploration.trials[3].dropped = "given up: <too bad>";
  exploration.trials[4].dropped = "not trained";
  for (ExploredTrial& one : exploration.trials) {
    one.meets = one.dropped.empty();
    if (!one.meets) continue;
    one.widths = {true,
                  {},
                  20.45,
                  {{"bits", 12, 20.45, true}, {"table_segments", 32, 0, false, "<few> codes"}}};
  }
  HardwareDesign good{"fine", "", {}, 12.5, 1e5, 1e6, 3, {}, 12.5};
  good.resources.dsp = 100;
  HardwareDesign none;
  none.name = "coarse";
  none.refusal = "even one block at a time: 9 DSP blocks are needed and 8 may be used";
  exploration.platforms = {{"board", test_platform(), {good, none}, "fine", 21.5, 1000},
                           {"empty", test_platform(), {}, "", 0, 0}};
  return exploration;
}

TEST(Exploration, ParetoFrontIsWhatNothingBeats) {
  EXPECT_THAT(pareto_of(example()), ElementsAre("fine", "coarse"));
}

TEST(Exploration, TableHasALineForEveryTrialAndPlatform) {
  const std::vector<std::string> lines = split(exploration_csv(example()), '\n');
  ASSERT_EQ(lines.size(), 1 + 1 + 5 * 2 + 1U);
  const auto columns = split(lines[0], ',').size();
  for (std::size_t i = 0; i + 1 < lines.size(); ++i)
    EXPECT_EQ(split(lines[i], ',').size(), columns) << lines[i];
  const auto cells = [&](std::size_t line) {
    std::map<std::string, std::string> named;
    for (std::size_t c = 0; c < columns; ++c)
      named[split(lines[0], ',')[c]] = split(lines[line], ',')[c];
    return named;
  };
  EXPECT_EQ(cells(2)["name"], "fine");
  EXPECT_EQ(cells(2)["latency_us"], "12.5000");
  EXPECT_EQ(cells(2)["dsp"], "100");
  EXPECT_EQ(cells(2)["chosen"], "1");
  EXPECT_EQ(cells(3)["platform"], "empty");
  EXPECT_EQ(cells(3)["dsp"], "");
  EXPECT_EQ(cells(10)["name"], "never");
  EXPECT_EQ(cells(10)["dev_per"], "");
}

TEST(Exploration, PageTellsAllAndIsWellFormed) {
  const std::string page = exploration_page(example());
  expect_well_formed(page);
  expect_finite(page);
  EXPECT_THAT(page, HasSubstr("given up: &lt;too bad&gt;"));
  EXPECT_THAT(page, HasSubstr("9 DSP blocks are needed and 8 may be used"));
  EXPECT_THAT(page, HasSubstr("No trial is within the budget"));
  EXPECT_THAT(page, HasSubstr("layers.0.recurrent, k = 4: 0.01"));
  EXPECT_THAT(page, HasSubstr("21.50 %"));
  EXPECT_THAT(page, HasSubstr("no: &lt;few&gt; codes"));
}

TEST(Exploration, JsonAndTextSayTheSame) {
  const Exploration exploration = example();
  const auto json = exploration_json(exploration);
  EXPECT_EQ(json["trials"].size(), 5U);
  EXPECT_TRUE(json["trials"][4]["dev_per"].is_null());
  EXPECT_EQ(json["trials"][0]["blocks"].dump(), "[8,4,2]");
  EXPECT_EQ(json["platforms"][0]["chosen"], "fine");
  EXPECT_EQ(json["platforms"][0]["designs"][1]["refusal"],
            exploration.platforms[0].designs[1].refusal);
  const std::string text = unpadded(exploration_text(exploration));
  EXPECT_THAT(text, HasSubstr("4 given up: dropped, given up: <too bad>"));
  EXPECT_THAT(text, HasSubstr("| 3 coarse | even one block at a time: 9 DSP blocks"));
  EXPECT_THAT(text, HasSubstr("| 1 fine | chosen | 12 | 20.45 | 12.50 |"));
}

TEST(Exploration, TellsBlockSizesThatDoNotFitFromThoseThatDoNotPay) {
  Exploration exploration = example();
  BlockBounds& bounds = exploration.cells[0].bounds[0];
  bounds.lower = 32;
  bounds.arithmetic = 8;
  bounds.upper = 0;
  EXPECT_THAT(exploration_text(exploration),
              HasSubstr("fits with no block size worth training: k = 32 is the smallest that fits, "
                        "multiplications shrink up to 8\n"));
  bounds.lower = 0;
  bounds.costs[1].shortage = "9 DSP blocks are needed and 8 may be used";
  EXPECT_THAT(exploration_text(exploration),
              HasSubstr("fits with no block size: k = 2: 9 DSP blocks are needed"));
}

TEST(Exploration, SaysWhyThereIsNoDesignAndWhatWouldHelp) {
  Exploration exploration = example();
  EXPECT_EQ(why_no_design(exploration), "");
  exploration.platforms[0].chosen.clear();
  EXPECT_THAT(why_no_design(exploration), HasSubstr("no trial within the budget fits"));
  exploration.limit = 20;
  for (ExploredTrial& one : exploration.trials) one.meets = false;
  EXPECT_THAT(why_no_design(exploration),
              testing::AllOf(HasSubstr("the nearest, fine, has 20.10 %"),
                             HasSubstr("--per-budget of 0.60")));
  // Rounded to the nearest hundredth it would not be enough.
  exploration.trials[0].record.dev_per = 20.233;
  EXPECT_THAT(why_no_design(exploration), HasSubstr("--per-budget of 0.74"));
}

TEST(Exploration, OptionsAreChecked) {
  const auto message = [](const auto& change) {
    ExploreOptions options;
    change(options);
    try {
      validate(options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message([](ExploreOptions&) {}), "");
  EXPECT_THAT(message([](ExploreOptions& o) { o.gain = 1; }), HasSubstr("--gain: found 1"));
  EXPECT_THAT(message([](ExploreOptions& o) { o.streams = 33; }), HasSubstr("--streams"));
  EXPECT_THAT(message([](ExploreOptions& o) { o.per_budget = -1; }), HasSubstr("--per-budget"));
  EXPECT_THAT(message([](ExploreOptions& o) { o.stop_after = 0; }), HasSubstr("--stop-after"));
}

}  // namespace
}  // namespace ernn
