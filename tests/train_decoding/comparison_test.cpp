#include "train/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/markup.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Errors = std::vector<UtteranceErrors>;

/// Writes what `ernn train` leaves of a finished stage.
void write_stage(const std::filesystem::path& run, const std::string& type, const std::string& name,
                 std::int64_t seed, const Errors& utterances, const std::string& cell = "lstm",
                 const std::string& protocol = "kaldi") {
  nlohmann::json scores;
  SummaryRow row;
  std::int64_t errors = 0;
  for (const auto& utterance : utterances) {
    scores["by_utterance"].push_back({utterance.id, utterance.tokens, utterance.errors});
    row.tokens += utterance.tokens;
    errors += utterance.errors;
  }
  make_folder(run / name / "test");
  write_file(run / name / "test" / "scores.json", scores.dump());
  row.stage = type;
  row.name = name;
  row.cell = cell;
  row.per = 100.0 * static_cast<double>(errors) / static_cast<double>(row.tokens);
  row.protocol = protocol;
  row.seed = seed;
  put_summary_row(run, row);
}

Comparison compare(const std::vector<std::filesystem::path>& runs,
                   const std::vector<std::pair<std::string, std::string>>& pairs = {}) {
  std::vector<std::string> left_out;
  ComparisonOptions options;
  options.pairs = pairs;
  return compare_runs(runs, options, left_out);
}

template <class Expected>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  }
  return "(no such error)";
}

TEST(Comparison, AddsUpFoldsAndAveragesSeeds) {
  const TemporaryFolder folder;
  // Two seeds, each with two test sets of 10 and 30 tokens.
  for (const int seed : {1, 2}) {
    for (const int fold : {0, 1}) {
      const auto run = folder.path() / (std::to_string(seed) + std::to_string(fold));
      const std::string id = fold == 0 ? "a" : "b";
      const std::int64_t tokens = fold == 0 ? 10 : 30;
      write_stage(run, "dense", "dense", seed, {{id, tokens, 2 + seed}});
      write_stage(run, "circulant", "circulant-k8", seed, {{id, tokens, 4 + seed * fold}});
    }
  }
  const auto& path = folder.path();
  const Comparison comparison = compare({path / "10", path / "11", path / "20", path / "21"});
  EXPECT_THAT(comparison.seeds, ElementsAre(1, 2));
  ASSERT_EQ(comparison.systems.size(), 2U);
  // 3 + 3 and 4 + 4 errors of 40 tokens
  EXPECT_THAT(comparison.systems[0].per, ElementsAre(15, 20));
  EXPECT_DOUBLE_EQ(comparison.systems[0].mean, 17.5);
  EXPECT_DOUBLE_EQ(comparison.systems[0].sd, std::sqrt(12.5));
  EXPECT_EQ(comparison.systems[0].row.tokens, 40);
  ASSERT_EQ(comparison.to_dense.size(), 1U);
  // 4 + 5 and 4 + 6 errors
  EXPECT_THAT(comparison.to_dense[0].by_seed, ElementsAre(22.5 - 15, 25 - 20));
}

TEST(Comparison, TheIntervalIsThatOfTheStandardError) {
  const TemporaryFolder folder;
  std::mt19937 engine(3);
  Errors dense, other;
  double mean = 0;
  std::vector<double> changes;
  for (int u = 0; u < 300; ++u) {
    const std::int64_t errors = static_cast<std::int64_t>(engine() % 8);
    const std::int64_t change = static_cast<std::int64_t>(engine() % 5) - 1;
    dense.push_back({std::to_string(1000 + u), 40, 10 + errors});
    other.push_back({std::to_string(1000 + u), 40, 10 + errors + change});
    changes.push_back(static_cast<double>(change));
    mean += static_cast<double>(change) / 300;
  }
  double squares = 0;
  for (const double change : changes) squares += (change - mean) * (change - mean);
  const double error = 100.0 / 40 * std::sqrt(squares / 299 / 300);
  for (const int seed : {1, 2}) {
    const auto run = folder.path() / std::to_string(seed);
    write_stage(run, "dense", "dense", seed, dense);
    write_stage(run, "direct", "direct-k8", seed, other);
  }
  const Comparison comparison =
      compare({folder.path() / "1", folder.path() / "2"}, {{"dense", "direct-k8"}});
  const Difference& difference = comparison.to_dense.at(0);
  EXPECT_NEAR(difference.mean, 100 * mean / 40, 1e-9);
  EXPECT_EQ(difference.sd, 0);
  EXPECT_NEAR((difference.high - difference.low) / 2, 1.96 * error, 0.1 * error);
  EXPECT_NEAR((difference.high + difference.low) / 2, difference.mean, 0.2 * error);
  EXPECT_TRUE(difference.is_beyond_chance());
  // The other way round the signs change and nothing else.
  ASSERT_EQ(comparison.pairs.size(), 1U);
  EXPECT_NEAR(comparison.pairs[0].mean, -difference.mean, 1e-12);
  EXPECT_NEAR(comparison.pairs[0].high, -difference.low, 0.2 * error);
}

TEST(Comparison, NothingIsBeyondChanceThatSeedsDisagreeOnOrThatOneSeedSays) {
  Difference difference;
  difference.by_seed = {1, 0.2};
  difference.mean = 0.6;
  difference.sd = 0.566;
  difference.low = 0.1;
  difference.high = 1;
  EXPECT_TRUE(difference.is_beyond_chance());
  difference.sd = 0.7;
  EXPECT_FALSE(difference.is_beyond_chance());
  difference.sd = 0.1;
  difference.low = -0.1;
  EXPECT_FALSE(difference.is_beyond_chance());
  difference.low = 0.1;
  difference.by_seed = {0.6};
  EXPECT_FALSE(difference.is_beyond_chance());
}

TEST(Comparison, LeavesOutWhatIsNotFinishedEverywhere) {
  const TemporaryFolder folder;
  for (const int seed : {1, 2}) {
    const auto run = folder.path() / std::to_string(seed);
    write_stage(run, "dense", "dense", seed, {{"a", 10, 1}});
    if (seed == 1) write_stage(run, "admm", "admm-k8", seed, {{"a", 10, 2}});
  }
  std::vector<std::string> left_out;
  const Comparison comparison =
      compare_runs({folder.path() / "1", folder.path() / "2"}, {}, left_out);
  EXPECT_EQ(comparison.systems.size(), 1U);
  EXPECT_THAT(left_out, ElementsAre("lstm admm-k8"));
}

TEST(Comparison, LooksAtSomeStagesOnlyInTheOrderAskedFor) {
  const TemporaryFolder folder;
  write_stage(folder.path(), "dense", "dense", 1, {{"a", 10, 1}});
  write_stage(folder.path(), "admm", "admm-k8", 1, {{"a", 10, 9}});
  write_stage(folder.path(), "circulant", "circulant-k8", 1, {{"a", 10, 2}});
  ComparisonOptions options;
  options.stages = {"circulant-k8", "dense"};
  std::vector<std::string> left_out;
  const Comparison comparison = compare_runs({folder.path()}, options, left_out);
  ASSERT_EQ(comparison.systems.size(), 2U);
  EXPECT_EQ(comparison.systems[0].row.name, "circulant-k8");
  EXPECT_EQ(comparison.systems[1].row.name, "dense");
  EXPECT_TRUE(left_out.empty());
  options.stages = {"circulant-k9"};
  EXPECT_THAT(message_of<UsageError>([&] { compare_runs({folder.path()}, options, left_out); }),
              HasSubstr("--stages: no finished stage is named 'circulant-k9'"));
}

TEST(Comparison, TheStageCalledDenseIsTheReferenceWhereThereIsOne) {
  const TemporaryFolder folder;
  write_stage(folder.path(), "dense", "start", 1, {{"a", 10, 5}});
  write_stage(folder.path(), "circulant", "circulant-k8", 1, {{"a", 10, 4}});
  const auto difference = [&] { return compare({folder.path()}).to_dense.at(0).mean; };
  EXPECT_DOUBLE_EQ(difference(), -10);
  write_stage(folder.path(), "dense", "dense", 1, {{"a", 10, 1}});
  const Comparison comparison = compare({folder.path()});
  EXPECT_EQ(comparison.to_dense.size(), 2U);  // of start, too
  for (const auto& found : comparison.to_dense)
    EXPECT_EQ(comparison.systems[found.base].row.name, "dense");
}

TEST(Comparison, KeepsCellsApart) {
  const TemporaryFolder folder;
  write_stage(folder.path() / "l", "dense", "dense", 1, {{"a", 10, 1}}, "lstm");
  write_stage(folder.path() / "g", "dense", "dense", 1, {{"a", 10, 2}}, "gru");
  write_stage(folder.path() / "g", "circulant", "circulant-k8", 1, {{"a", 10, 5}}, "gru");
  const Comparison comparison =
      compare({folder.path() / "l", folder.path() / "g"}, {{"circulant-k8", "dense"}});
  ASSERT_EQ(comparison.systems.size(), 3U);
  EXPECT_EQ(comparison.systems[0].row.cell, "gru");
  ASSERT_EQ(comparison.pairs.size(), 1U);
  EXPECT_DOUBLE_EQ(comparison.pairs[0].mean, 30);
}

TEST(Comparison, RefusesWhatCannotBeCompared) {
  const TemporaryFolder folder;
  const auto& path = folder.path();
  write_stage(path / "1", "dense", "dense", 1, {{"a", 10, 1}});
  write_stage(path / "2", "dense", "dense", 2, {{"b", 10, 1}});
  write_stage(path / "3", "dense", "dense", 1, {{"a", 10, 3}});
  EXPECT_THAT(message_of<DataError>([&] {
                compare({path / "1", path / "2"});
              }),
              HasSubstr("lstm dense: seeds were not scored on the same utterances"));
  // Of the same length under both protocols, which forgive different errors.
  write_stage(path / "4", "dense", "dense", 2, {{"a", 10, 0}}, "lstm", "forgiving");
  EXPECT_THAT(
      message_of<DataError>([&] {
        compare({path / "1", path / "4"});
      }),
      testing::AllOf(HasSubstr("4/summary.json: lstm dense was scored with protocol forgiving"),
                     HasSubstr("expected kaldi as in"), HasSubstr("1/summary.json")));
  EXPECT_THAT(message_of<UsageError>([&] {
                compare({path / "1", path / "3"});
              }),
              HasSubstr("utterance a is in two runs of seed 1"));
  EXPECT_THAT(message_of<UsageError>([&] {
                compare({path / "1"}, {{"dense", "denes"}});
              }),
              HasSubstr("--pair: no finished stage is named 'denes'"));
  EXPECT_THAT(message_of<DataError>([&] { compare({path / "none"}); }),
              HasSubstr("has ernn train finished a stage?"));
  write_file(path / "1" / "dense" / "test" / "scores.json", "{}");
  EXPECT_THAT(message_of<DataError>([&] { compare({path / "1"}); }),
              HasSubstr("expected by_utterance, a list of [id, tokens, errors]"));
}

TEST(Comparison, PageIsWellFormedAndDrawsEveryMethod) {
  const TemporaryFolder folder;
  const auto& path = folder.path();
  write_stage(path, "dense", "dense", 1, {{"a", 10, 1}});
  for (const int k : {4, 8}) {
    write_stage(path, "circulant", "circulant-k" + std::to_string(k), 1, {{"a", 10, 2}});
    write_stage(path, "direct", "direct-k" + std::to_string(k), 1, {{"a", 10, 3}});
  }
  const Comparison comparison = compare({path}, {{"circulant-k8", "direct-k8"}});
  const std::string page = comparison_page(comparison);
  expect_well_formed(page);
  EXPECT_THAT(page, HasSubstr("PER over block size, LSTM"));
  const auto drawings = comparison_drawings(comparison);
  ASSERT_EQ(drawings.size(), 1U);
  expect_well_formed(drawings.at("lstm"));
  for (const char* name : {">dense<", ">circulant<", ">direct<"})
    EXPECT_THAT(drawings.at("lstm"), HasSubstr(name));
  EXPECT_THAT(unpadded(comparison_tables(comparison)),
              HasSubstr("| lstm | circulant-k8 | direct-k8 | -10.00 | -10.00 |"));
  const auto json = nlohmann::json::parse(comparison_json(comparison));
  EXPECT_EQ(json["systems"].size(), 5U);
  EXPECT_EQ(json["pairs"][0]["mean"], -10);
}

TEST(Comparison, WithoutBlockSizesThereIsNothingToDraw) {
  const TemporaryFolder folder;
  write_stage(folder.path(), "dense", "dense", 1, {{"a", 10, 1}});
  const Comparison comparison = compare({folder.path()});
  EXPECT_TRUE(comparison_drawings(comparison).empty());
  EXPECT_THAT(comparison_page(comparison), testing::Not(HasSubstr("<figure>")));
}

}  // namespace
}  // namespace ernn
