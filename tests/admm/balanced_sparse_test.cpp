#include "admm/balanced_sparse.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace ernn {
namespace {

using torch::Tensor;

/// Entries of element e, in its order.
std::vector<double> entries_of(const Tensor& w, std::int64_t e, std::int64_t elements) {
  std::vector<double> entries;
  for (std::int64_t c = 0; c < w.size(1); ++c) {
    for (std::int64_t r = e; r < w.size(0); r += elements)
      entries.push_back(w[r][c].item<double>());
  }
  return entries;
}

std::int64_t nonzeros(const std::vector<double>& entries) {
  return std::count_if(entries.begin(), entries.end(), [](double x) { return x != 0; });
}

TEST(BalancedSparseSet, EveryElementKeepsTheSameNumber) {
  torch::manual_seed(5);
  // 13 rows for 4 elements: the first has one more row than the others.
  const Tensor w = torch::randn({13, 7}, torch::kDouble);
  const Tensor projected = BalancedSparseSet(5, 4).project(w);
  for (std::int64_t e = 0; e < 4; ++e) EXPECT_EQ(nonzeros(entries_of(projected, e, 4)), 5) << e;
}

TEST(BalancedSparseSet, ProjectionIsNearerThanEveryOtherChoice) {
  torch::manual_seed(6);
  const Tensor w = torch::randn({4, 3}, torch::kDouble);
  const Tensor projected = BalancedSparseSet(2, 2).project(w);
  const double distance = (w - projected).square().sum().item<double>();
  double nearest = 1e9;
  // Every choice of 2 of the 6 entries of each of 2 elements.
  for (int a = 0; a < (1 << 6); ++a) {
    for (int b = 0; b < (1 << 6); ++b) {
      if (__builtin_popcount(a) != 2 || __builtin_popcount(b) != 2) continue;
      double lost = 0;
      for (int e = 0; e < 2; ++e) {
        const auto entries = entries_of(w, e, 2);
        for (int i = 0; i < 6; ++i) {
          if (((e == 0 ? a : b) >> i & 1) == 0)
            lost += entries[static_cast<std::size_t>(i)] * entries[static_cast<std::size_t>(i)];
        }
      }
      nearest = std::min(nearest, lost);
    }
  }
  EXPECT_NEAR(distance, nearest, 1e-12);
  EXPECT_TRUE(torch::equal(BalancedSparseSet(2, 2).project(projected), projected));
  // What stays is unchanged.
  EXPECT_TRUE(((projected == w) | (projected == 0)).all().item<bool>());
}

TEST(BalancedSparseSet, KeepsExactlySoManyAmongEqualsToo) {
  const Tensor mask = BalancedSparseSet(3, 2).mask(torch::ones({6, 4}));
  EXPECT_EQ(mask.sum().item<std::int64_t>(), 6);
  // More than there are: all.
  EXPECT_EQ(BalancedSparseSet(100, 2).mask(torch::ones({6, 4})).sum().item<std::int64_t>(), 24);
}

TEST(BalancedSparseSet, NamesItselfAndRefusesNothingKept) {
  EXPECT_EQ(BalancedSparseSet(5, 4).text(),
            "balanced sparse, 5 entries in each of 4 processing elements");
  EXPECT_THROW(BalancedSparseSet(0, 4), UsageError);
  EXPECT_THROW(BalancedSparseSet(1, 0), UsageError);
}

TEST(KeptAt, IsTheDensityOfWhatTheElementsHave) {
  EXPECT_EQ(kept_at(0.25, 64, 40, 32), 20);
  EXPECT_EQ(kept_at(1, 64, 40, 32), 80);
  EXPECT_EQ(kept_at(0.001, 64, 40, 32), 1);
  // 16 rows: one of 32 elements in two has a row, and keeps 0.25 of it.
  EXPECT_EQ(kept_at(0.25, 16, 40, 32), 10);
  EXPECT_EQ(kept_at(1, 16, 40, 32), 40);
  // 48 rows: 16 elements have two, 16 have one. As many each, until those with one have no more.
  EXPECT_EQ(kept_at(0.5, 48, 40, 32), 30);
  EXPECT_EQ(kept_at(0.75, 48, 40, 32), 50);  // 16 x 50 + 16 x 40
  EXPECT_EQ(kept_at(1, 48, 40, 32), 80);
  for (const std::int64_t rows : {5, 16, 33, 48, 64}) {
    for (const double density : {0.1, 0.25, 0.6, 0.9, 1.0}) {
      const std::int64_t kept = kept_at(density, rows, 40, 32);
      const Tensor mask = BalancedSparseSet(kept, 32).mask(torch::ones({rows, 40}));
      // An element's number is rounded, so the sum is off by half an entry of each at most.
      EXPECT_NEAR(mask.sum().item<double>(), density * static_cast<double>(rows * 40), 16)
          << rows << " rows, density " << density;
    }
  }
}

/// The entries that an element stores, counted by writing them down and reading them again.
std::int64_t written_entries(const std::vector<double>& entries, int index_bits) {
  std::vector<std::pair<std::size_t, double>> stored;
  std::size_t zeros = 0;
  for (const double entry : entries) {
    if (entry == 0 && zeros < (std::size_t{1} << index_bits) - 1) {
      ++zeros;
      continue;
    }
    stored.emplace_back(zeros, entry);  // a zero where the count is full
    zeros = 0;
  }
  while (!stored.empty() && stored.back().second == 0) stored.pop_back();  // nothing behind them
  std::vector<double> read;
  for (const auto& [gap, entry] : stored) {
    read.insert(read.end(), gap, 0.0);
    read.push_back(entry);
  }
  read.resize(entries.size(), 0.0);
  EXPECT_EQ(read, entries);
  return static_cast<std::int64_t>(stored.size());
}

TEST(StoredEntries, AreThoseOfAWriter) {
  torch::manual_seed(7);
  for (const double density : {0.5, 0.1, 0.02, 0.0}) {
    for (const int index_bits : {1, 2, 4}) {
      const Tensor mask = torch::rand({29, 23}) < density;
      std::int64_t expected = 0;
      for (std::int64_t e = 0; e < 8; ++e)
        expected += written_entries(entries_of(mask, e, 8), index_bits);
      EXPECT_EQ(stored_entries(mask, 8, index_bits), expected)
          << "density " << density << ", index bits " << index_bits;
    }
  }
}

TEST(KeptWithin, FillsTheBitsAndNoMore) {
  torch::manual_seed(8);
  const Tensor w = torch::randn({64, 40});
  for (const std::int64_t bits : {2000, 8000, 20000}) {
    const std::int64_t kept = kept_within(w, 16, 4, 16, bits, "w");
    const auto stored = [&](std::int64_t count) {
      return 16 * stored_entries(BalancedSparseSet(count, 16).mask(w), 16, 4);
    };
    EXPECT_LE(stored(kept), bits);
    EXPECT_GT(stored(kept + 1), bits);
  }
  // More bits than there are entries keep all of them.
  EXPECT_EQ(kept_within(w, 16, 4, 16, 1 << 20, "w"), 4 * 40);
}

TEST(KeptWithin, RefusesTooFewBits) {
  try {
    kept_within(torch::ones({64, 40}), 16, 4, 16, 100, "layers.0.input");
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_STREQ(
        error.what(),
        "layers.0.input: not one entry in each of 16 processing elements fits into 100 "
        "bits with index_bits 4; set sparsity.index_bits higher or sparsity.elements lower");
  }
}

}  // namespace
}  // namespace ernn
