#include "features/phones.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/options.h"
#include "features/normalisation.h"

namespace ernn {
namespace {

constexpr auto k61 = PhoneInventory::timit61;
constexpr auto k48 = PhoneInventory::timit48;
constexpr auto k39 = PhoneInventory::timit39;

std::string fold(const std::string& symbol, PhoneInventory from, PhoneInventory to) {
  const int phone = fold_phone(from, phone_index(from, symbol), to);
  return phone < 0 ? "deleted" : phone_symbols(to)[static_cast<std::size_t>(phone)];
}

TEST(Phones, SetsHaveTheirSizesAndOrder) {
  EXPECT_EQ(phone_symbols(k61).size(), 61U);
  EXPECT_EQ(phone_symbols(k48).size(), 48U);
  EXPECT_EQ(phone_symbols(k39).size(), 39U);
  for (const auto inventory : {k61, k48, k39}) {
    const auto& symbols = phone_symbols(inventory);
    EXPECT_TRUE(std::is_sorted(symbols.begin(), symbols.end()));
    EXPECT_EQ(std::set<std::string>(symbols.begin(), symbols.end()).size(), symbols.size());
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      EXPECT_EQ(phone_index(inventory, symbols[i]), static_cast<int>(i));
    }
    EXPECT_EQ(phone_index(inventory, "zz"), -1);
    EXPECT_EQ(phone_index(inventory, ""), -1);
  }
  // The places that a file of trained weights depends on.
  EXPECT_EQ(phone_index(k61, "aa"), 0);
  EXPECT_EQ(phone_index(k61, "h#"), 27);
  EXPECT_EQ(phone_index(k61, "q"), 46);
  EXPECT_EQ(phone_index(k61, "zh"), 60);
}

TEST(Phones, SetsOfLeeAndHon) {
  const std::vector<std::string> expected48 = {
      "aa", "ae",  "ah", "ao", "aw",  "ax", "ay", "b",   "ch", "cl", "d",  "dh",
      "dx", "eh",  "el", "en", "epi", "er", "ey", "f",   "g",  "hh", "ih", "ix",
      "iy", "jh",  "k",  "l",  "m",   "n",  "ng", "ow",  "oy", "p",  "r",  "s",
      "sh", "sil", "t",  "th", "uh",  "uw", "v",  "vcl", "w",  "y",  "z",  "zh"};
  const std::vector<std::string> expected39 = {
      "aa", "ae", "ah", "aw", "ay",  "b",  "ch", "d",  "dh", "dx", "eh", "er", "ey",
      "f",  "g",  "hh", "ih", "iy",  "jh", "k",  "l",  "m",  "n",  "ng", "ow", "oy",
      "p",  "r",  "s",  "sh", "sil", "t",  "th", "uh", "uw", "v",  "w",  "y",  "z"};
  EXPECT_EQ(phone_symbols(k48), expected48);
  EXPECT_EQ(phone_symbols(k39), expected39);
}

TEST(Phones, EverySpecialRow) {
  struct Case {
    const char* from;
    const char* to48;
    const char* to39;
  };
  const Case cases[] = {{"ao", "ao", "aa"},    {"ax", "ax", "ah"},         {"ax-h", "ax", "ah"},
                        {"axr", "er", "er"},   {"el", "el", "l"},          {"em", "m", "m"},
                        {"en", "en", "n"},     {"bcl", "vcl", "sil"},      {"dcl", "vcl", "sil"},
                        {"gcl", "vcl", "sil"}, {"h#", "sil", "sil"},       {"pau", "sil", "sil"},
                        {"eng", "ng", "ng"},   {"hv", "hh", "hh"},         {"nx", "n", "n"},
                        {"ux", "uw", "uw"},    {"zh", "zh", "sh"},         {"ix", "ix", "ih"},
                        {"epi", "epi", "sil"}, {"pcl", "cl", "sil"},       {"tcl", "cl", "sil"},
                        {"kcl", "cl", "sil"},  {"q", "deleted", "deleted"}};
  std::set<std::string> special;
  for (const auto& [from, to48, to39] : cases) {
    special.insert(from);
    EXPECT_EQ(fold(from, k61, k48), to48);
    EXPECT_EQ(fold(from, k61, k39), to39);
    if (to48 != std::string("deleted")) {
      EXPECT_EQ(fold(to48, k48, k39), to39);
    }
  }
  for (const auto& symbol : phone_symbols(k61)) {
    if (special.count(symbol) > 0) continue;
    EXPECT_EQ(fold(symbol, k61, k48), symbol);
    EXPECT_EQ(fold(symbol, k61, k39), symbol);
    EXPECT_EQ(fold(symbol, k48, k39), symbol);
  }
}

TEST(Phones, FoldingToTheSameSetChangesNothingAndToALargerOneIsRefused) {
  for (const auto inventory : {k61, k48, k39}) {
    for (std::size_t i = 0; i < phone_symbols(inventory).size(); ++i) {
      EXPECT_EQ(fold_phone(inventory, static_cast<int>(i), inventory), static_cast<int>(i));
    }
  }
  EXPECT_THROW(fold_phone(k39, 0, k48), UsageError);
  EXPECT_THROW(fold_phone(k48, 0, k61), UsageError);
  EXPECT_EQ(fold_phone(k61, -1, k39), -1);
  EXPECT_EQ(fold_phone(k61, 61, k39), -1);
  EXPECT_STREQ(name_of(k48), "timit48");
}

TEST(Normalisation, PopulationMeanAndVariance) {
  FrameMatrix a(2, 2);
  a.data = {1, 5, 3, 5};
  FrameMatrix b(1, 2);
  b.data = {8, 5};
  NormalisationEstimator estimator;
  estimator.add(a);
  estimator.add(FrameMatrix());
  estimator.add(b);
  const Normalisation n = estimator.finish();
  // Mean 4; squares of 1, 3 and 8 have the mean 74 / 3.
  EXPECT_DOUBLE_EQ(n.mean[0], 4);
  EXPECT_NEAR(n.inverse_std[0], 1 / std::sqrt(74.0 / 3 - 16), 1e-12);
  EXPECT_DOUBLE_EQ(n.mean[1], 5);
  EXPECT_DOUBLE_EQ(n.inverse_std[1], 1e10);
  n.apply(a);
  EXPECT_NEAR(a.at(0, 0), -3 / std::sqrt(74.0 / 3 - 16), 1e-6);
  EXPECT_EQ(a.at(0, 1), 0);
}

TEST(Normalisation, WrongWidthAndNoFramesAreRefused) {
  NormalisationEstimator estimator;
  EXPECT_THROW(estimator.finish(), DataError);
  estimator.add(FrameMatrix(1, 2));
  EXPECT_THROW(estimator.add(FrameMatrix(1, 3)), DataError);
  FrameMatrix narrow(1, 1);
  EXPECT_THROW(estimator.finish().apply(narrow), DataError);
}

}  // namespace
}  // namespace ernn
