#include "explore/width_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "base/error.h"

namespace ernn {
namespace {

constexpr double kReal = 20;
constexpr int kSegmentsNeeded = 32;

int weight_bits(const ExportOptions& options) {
  const auto own = options.widths.find("weight");
  return own == options.widths.end() ? options.bits : own->second;
}

int segments(const ExportOptions& options) {
  return options.table_segments > 0 ? options.table_segments : kSegmentsNeeded;
}

/// Errors that rise with every bit less.
WidthMeasure fake(const ExportOptions& options) {
  const double rise = 0.005 * (16 - options.bits) + 0.01 * (4 - options.guard_bits) +
                      0.008 * (options.bits - weight_bits(options)) + 0.6 / segments(options);
  return {kReal + rise, segments(options)};
}

TEST(WidthChoice, IsTheNarrowestKindByKind) {
  WidthRequest request;
  for (const double budget : {0.02, 0.05, 0.1, 0.15, 0.2}) {
    request.budget = budget;
    std::set<std::string> asked;
    const WidthChoice choice = choose_widths(request, kReal, [&](const ExportOptions& options) {
      const std::string name =
          std::to_string(options.bits) + " " + std::to_string(options.guard_bits) + " " +
          std::to_string(weight_bits(options)) + " " + std::to_string(segments(options));
      EXPECT_TRUE(asked.insert(name).second) << name << " twice";
      return fake(options);
    });
    // Every combination there is, compared in the order of the kinds.
    using Widths = std::tuple<int, int, int, int>;
    bool any = false;
    Widths best;
    for (const int bits : {16, 12, 10, 8, 6}) {
      for (const int guard : {4, 2, 0}) {
        for (int weight = bits; weight >= 4; --weight) {
          for (int pieces = kSegmentsNeeded; pieces >= 2; pieces /= 2) {
            ExportOptions options;
            options.bits = bits;
            options.guard_bits = guard;
            options.widths["weight"] = weight;
            options.table_segments = pieces;
            if (fake(options).per > kReal + budget) continue;
            const Widths one{bits, guard, weight, pieces};
            if (!any || one < best) best = one;
            any = true;
          }
        }
      }
    }
    ASSERT_EQ(choice.met, any) << budget;
    if (!any) continue;
    EXPECT_EQ(Widths(choice.options.bits, choice.options.guard_bits, weight_bits(choice.options),
                     segments(choice.options)),
              best)
        << budget;
    EXPECT_EQ(choice.per, fake(choice.options).per);
    EXPECT_EQ(asked.size(), choice.trials.size());
  }
}

TEST(WidthChoice, NothingIsKeptWhenTheWidestIsTooWorse) {
  WidthRequest request;
  request.budget = 0.01;
  const WidthChoice choice = choose_widths(request, kReal, fake);
  EXPECT_FALSE(choice.met);
  ASSERT_EQ(choice.trials.size(), 1U);
  EXPECT_EQ(choice.trials[0].value, 16);
  EXPECT_FALSE(choice.trials[0].kept);
}

/// As long as there are widths of which one can be made.
TEST(WidthChoice, WidthsThatMakeNoNetworkAreNotKept) {
  WidthRequest request;
  request.signals = {};
  const WidthChoice choice = choose_widths(request, kReal, [](const ExportOptions& options) {
    if (options.bits < 10 || options.guard_bits < 2) throw UsageError("too coarse for a table");
    return WidthMeasure{kReal, 2};
  });
  EXPECT_TRUE(choice.met);
  EXPECT_EQ(choice.options.bits, 10);
  EXPECT_EQ(choice.options.guard_bits, 2);
  ASSERT_EQ(choice.trials.size(), 6U);  // 16, 12, 10, 8 bits; 2, 0 guard bits
  for (const std::size_t refused : {3U, 5U}) {
    EXPECT_FALSE(choice.trials[refused].kept);
    EXPECT_EQ(choice.trials[refused].refusal, "too coarse for a table");
  }
  EXPECT_EQ(choice.trials[2].refusal, "");
  // What the widest cannot have either is the configuration's mistake, and errors of data are none
  // of widths.
  EXPECT_THROW(choose_widths(request, kReal,
                             [](const ExportOptions&) -> WidthMeasure { throw UsageError("no"); }),
               UsageError);
  EXPECT_THROW(choose_widths(request, kReal,
                             [](const ExportOptions& options) {
                               if (options.bits < 16) throw DataError("broken");
                               return WidthMeasure{kReal, 2};
                             }),
               DataError);
}

/// Guarded signals start from their own width.
TEST(WidthChoice, SignalsAreNarrowedFromWhereTheyAre) {
  WidthRequest request;
  request.bits = {12};
  request.signals = {"cell", "gate"};
  request.options.guard_bits = 3;
  std::vector<std::pair<std::string, int>> tried;
  const WidthChoice choice = choose_widths(request, kReal, [](const ExportOptions& options) {
    return WidthMeasure{options.widths.empty() ? kReal : kReal + 9, 2};
  });
  for (const WidthTrial& trial : choice.trials) tried.emplace_back(trial.kind, trial.value);
  EXPECT_THAT(tried, testing::ElementsAre(testing::Pair("bits", 12), testing::Pair("guard_bits", 1),
                                          testing::Pair("cell", 12), testing::Pair("gate", 11)));
}

}  // namespace
}  // namespace ernn
