#include "train/standard_error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"

namespace ernn {
namespace {

/// A sheet of utterances with these errors (all substitutions) and tokens.
ScoreSheet sheet_of(const std::vector<int>& errors, const std::vector<int>& tokens) {
  ScoreSheet sheet;
  for (std::size_t u = 0; u < errors.size(); ++u) {
    UtteranceScore score;
    score.id = "u" + std::to_string(u);
    score.counts.substitutions = errors[u];
    score.counts.tokens = tokens[u];
    score.counts.utterances = 1;
    sheet.add(score);
  }
  return sheet;
}

/// Standard deviation of 100 sum(errors) / sum(tokens) over utterances drawn with replacement.
double bootstrap(const std::vector<int>& errors, const std::vector<int>& tokens) {
  std::mt19937 random(4);
  std::uniform_int_distribution<std::size_t> draw(0, errors.size() - 1);
  double sum = 0, squares = 0;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    double e = 0, n = 0;
    for (std::size_t u = 0; u < errors.size(); ++u) {
      const std::size_t chosen = draw(random);
      e += errors[chosen];
      n += tokens[chosen];
    }
    sum += 100 * e / n;
    squares += 1e4 * e * e / n / n;
  }
  return std::sqrt(squares / kDraws - sum / kDraws * sum / kDraws);
}

TEST(StandardError, IsTheBootstraps) {
  std::mt19937 random(9);
  std::vector<int> errors, worse, changes, tokens;
  for (int u = 0; u < 60; ++u) {
    tokens.push_back(20 + static_cast<int>(random() % 40));
    errors.push_back(static_cast<int>(random() % 20));
    changes.push_back(static_cast<int>(random() % 5) - 1);
    worse.push_back(std::max(errors.back() + changes.back(), 0));
    changes.back() = worse.back() - errors.back();
  }
  const double expected = bootstrap(errors, tokens);
  EXPECT_NEAR(standard_error(sheet_of(errors, tokens)), expected, 0.04 * expected);
  const double change = bootstrap(changes, tokens);
  EXPECT_NEAR(standard_error_of_change(sheet_of(errors, tokens), sheet_of(worse, tokens)), change,
              0.04 * change);
}

// Equal lengths: the standard error of a mean, 100 sqrt(var / n) / length, var with n - 1.
TEST(StandardError, OfEqualUtterancesIsThatOfAMean) {
  EXPECT_NEAR(standard_error(sheet_of({1, 2, 6}, {10, 10, 10})), 10 * std::sqrt(7.0 / 3), 1e-9);
  EXPECT_EQ(standard_error(sheet_of({3}, {10})), 0);
  EXPECT_EQ(standard_error_of_change(sheet_of({1, 5}, {9, 7}), sheet_of({1, 5}, {9, 7})), 0);
}

TEST(StandardError, OfAChangeNeedsTheSameUtterances) {
  EXPECT_THROW(standard_error_of_change(sheet_of({1, 2}, {9, 7}), sheet_of({1}, {9})), DataError);
  EXPECT_THROW(standard_error_of_change(sheet_of({1, 2}, {9, 7}), sheet_of({1, 2}, {9, 8})),
               DataError);
}

}  // namespace
}  // namespace ernn
