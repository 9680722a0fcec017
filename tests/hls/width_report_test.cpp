// Tables and page of widths over several stages, from results written by hand.
#include "train/width_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "tests/support/markup.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ScoreSheet scores(const std::vector<int>& errors) {
  ScoreSheet sheet;
  for (std::size_t u = 0; u < errors.size(); ++u) {
    UtteranceScore score;
    score.id = "u<" + std::to_string(u);
    score.counts.insertions = errors[u];
    score.counts.tokens = 10;
    score.counts.utterances = 1;
    sheet.add(score);
  }
  return sheet;
}

WidthResult result(int bits, const std::vector<int>& errors, double snr, int saturations) {
  WidthResult result;
  result.bits = bits;
  result.scores = scores(errors);
  result.measured = result.scores.utterances.size();
  result.stored_bits = 8000 * (bits + 1);
  if (bits == 0) return result;
  result.signals = {{"input", {bits, 3}, 1, snr + 10, 0.1, 0, 100},
                    {"layers.0.<cell>", {bits, 3}, 1, snr - 7, 0.1, saturations, 1000},
                    {"output.output", {bits, 3}, 1, snr, 0.1, 0, 100}};
  return result;
}

WidthStudy study(const std::string& cell, int block, int seed, int worse = 0) {
  return {cell,
          block,
          {seed},
          {result(0, {3, 5}, 0, 0), result(12, {3, 5 + worse}, 50, 2),
           result(8, {4, 5 + worse}, 30, 4)}};
}

TEST(WidthReport, SeedsAreCountedTogether) {
  WidthStudy other = study("gru", 8, 2, 1);
  other.results[1].signals[1].snr_db = 53;
  const auto merged = merge_runs({study("lstm", 4, 1), study("gru", 8, 1), study("gru", 4, 1),
                                  other, study("lstm", 4, 2), study("lstm", 4, 3, 3)});
  ASSERT_EQ(merged.size(), 3U);
  EXPECT_EQ(merged[0].cell, "gru");
  EXPECT_EQ(merged[0].block, 4);
  EXPECT_EQ(merged[1].block, 8);
  EXPECT_EQ(merged[1].seeds, (std::vector<std::int64_t>{1, 2}));
  const WidthResult& twelve = merged[1].results[1];
  EXPECT_EQ(twelve.scores.total.errors(), 8 + 9);
  EXPECT_EQ(twelve.scores.total.tokens, 40);
  EXPECT_EQ(twelve.scores.utterances[1].counts.errors(), 5 + 6);
  EXPECT_EQ(twelve.signals[1].saturations, 4);
  EXPECT_EQ(twelve.signals[1].values, 2000);
  EXPECT_DOUBLE_EQ(twelve.signals[1].snr_db, (43 + 53) / 2.0);
  EXPECT_EQ(merged[2].seeds, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_DOUBLE_EQ(merged[2].results[2].signals[0].snr_db, 40);
}

WidthStudy fold(int seed, const std::string& utterance, const std::vector<int>& errors) {
  WidthStudy one = study("gru", 8, seed);
  for (WidthResult& result : one.results) {
    result.scores = scores(errors);
    for (std::size_t u = 0; u < errors.size(); ++u)
      result.scores.utterances[u].id = utterance + std::to_string(u);
    result.measured = errors.size();
  }
  return one;
}

TEST(WidthReport, RunsOfOneSeedAreOneLargerTestSet) {
  WidthStudy loud = fold(1, "b", {2});
  loud.results[1].signals[1].snr_db = 58;
  // Seed 2 has its folds in another order.
  const auto merged =
      merge_runs({fold(1, "a", {3, 5}), loud, fold(2, "b", {4}), fold(2, "a", {1, 1})});
  ASSERT_EQ(merged.size(), 1U);
  EXPECT_EQ(merged[0].seeds, (std::vector<std::int64_t>{1, 2}));
  const WidthResult& twelve = merged[0].results[1];
  ASSERT_EQ(twelve.scores.utterances.size(), 3U);
  EXPECT_EQ(twelve.scores.utterances[0].counts.errors(), 3 + 1);  // a0
  EXPECT_EQ(twelve.scores.utterances[2].counts.errors(), 2 + 4);  // b0
  EXPECT_EQ(twelve.scores.total.tokens, 60);
  EXPECT_EQ(twelve.measured, 3U);
  EXPECT_EQ(twelve.signals[1].saturations, 4 * 2);
  EXPECT_DOUBLE_EQ(twelve.signals[1].snr_db, (43 * 3 + 58) / 4.0);
}

std::string refusal(const std::vector<WidthStudy>& studies) {
  try {
    merge_runs(studies);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(WidthReport, TestSetsOfOneSeedAreDisjointAndOfAllSeedsTheSame) {
  EXPECT_THAT(refusal({fold(1, "a", {3, 5}), fold(1, "a", {2})}),
              HasSubstr("utterance a0 is in two runs of seed 1"));
  EXPECT_THAT(refusal({fold(1, "a", {3}), fold(1, "b", {5}), fold(2, "a", {2})}),
              HasSubstr("seeds 1 and 2 were not measured on the same utterances"));
}

TEST(WidthReport, WhatDoesNotCompareIsRefused) {
  WidthStudy fewer = study("gru", 8, 2);
  fewer.results.pop_back();
  EXPECT_THROW(merge_runs({study("gru", 8, 1), fewer}), UsageError);
  WidthStudy others = study("gru", 8, 2);
  others.results[1].scores.utterances[0].id = "v";
  EXPECT_THROW(merge_runs({study("gru", 8, 1), others}), UsageError);
  WidthStudy signals = study("gru", 8, 2);
  signals.results[1].signals[0].signal = "hidden";
  EXPECT_THROW(merge_runs({study("gru", 8, 1), signals}), UsageError);
}

TEST(WidthReport, TablesHoldChangesErrorsAndWorstSignals) {
  const std::string text = unpadded(width_comparison({study("gru", 8, 1)}));
  // 8 of 20; one error more in the first utterance: residuals +-0.5, so 100 sqrt(2 / 4 * 2) / 20.
  EXPECT_THAT(text,
              HasSubstr("| gru | 8 | 1 | 20 | 40.00 ± 10.00 | +0.00 ± 0.00 | +5.00 ± 5.00 |"));
  EXPECT_THAT(text, HasSubstr("protocol kaldi, 2 utterances"));
  EXPECT_THAT(text, HasSubstr("| gru | 8 | 12 | 13.0 | 50.0 | 43.0 | layers.0.<cell> | 2 | 1666.67 "
                              "| layers.0.<cell> |"));
}

TEST(WidthReport, ThePageShowsEverySignalAtEveryWidth) {
  WidthStudy exact = study("lstm", 4, 1);
  exact.results[1].signals[0].snr_db = std::numeric_limits<double>::infinity();
  const std::string page = width_page({study("gru", 8, 1), exact, study("lstm", 16, 1)});
  expect_well_formed(page);
  expect_finite(page);
  EXPECT_THAT(page, AllOf(HasSubstr("GRU: signals"), HasSubstr("LSTM: signals"),
                          HasSubstr("layers.0.&lt;cell&gt;"), Not(HasSubstr("http"))));
  // 3 signals x 2 widths x 3 studies.
  EXPECT_EQ(count(page, "background:rgb(213 94 0"), 18);
  EXPECT_THAT(page, HasSubstr(">exact</td>"));
  // Saturations below the SNR, and in words.
  EXPECT_THAT(page, HasSubstr(">43.0<br/><b>2</b></td>"));
  EXPECT_THAT(page, HasSubstr("GRU, k = 8, 8 bits, layers.0.&lt;cell&gt;: SNR 23.0 dB; 4 of 1000 "
                              "values limited"));
  EXPECT_EQ(count(page, "<figure>"), 2);
}

}  // namespace
}  // namespace ernn
