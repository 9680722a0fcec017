#include "admm/fixed_point_grid.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>

#include "base/error.h"
#include "models/circulant.h"

namespace ernn {
namespace {

using torch::Tensor;

/// The codes of what is stored of first columns.
Tensor codes(const Tensor& c, int width, int integer) {
  return packed_rfft(c) / static_cast<double>(c.size(2)) * std::ldexp(1.0, width - integer);
}

TEST(FixedPointGridSet, ProjectsOntoCodes) {
  torch::manual_seed(1);
  for (const int k : {2, 4, 8, 64}) {
    const Tensor c = torch::randn({3, 2, k}, torch::kDouble);
    const Tensor z = FixedPointGridSet(5, 1).project(c);
    const Tensor found = codes(z, 5, 1);
    EXPECT_LT((found - found.round()).abs().max().item<double>(), 1e-9);
    EXPECT_GE(found.min().item<double>(), -15 - 1e-9);
    EXPECT_LE(found.max().item<double>(), 15 + 1e-9);
    EXPECT_LT((FixedPointGridSet(5, 1).project(z) - z).abs().max().item<double>(), 1e-12);
  }
}

// Every other member that differs by a step in one or two codes, or by random steps in all, is
// farther off. Distances are those of the parameters, whose sum of squares is a weighted one of
// codes.
TEST(FixedPointGridSet, NoOtherMemberIsNearer) {
  torch::manual_seed(2);
  constexpr int kWidth = 4;
  constexpr int kInteger = 0;
  const double step = std::ldexp(1.0, kInteger - kWidth);
  for (const int k : {2, 4, 8}) {
    for (int n = 0; n < 10; ++n) {
      const Tensor c = torch::randn({1, 1, k}, torch::kDouble);
      const Tensor z = FixedPointGridSet(kWidth, kInteger).project(c);
      const double nearest = (c - z).norm().item<double>();
      const Tensor at = codes(z, kWidth, kInteger).round();
      const auto try_codes = [&](const Tensor& other) {
        const Tensor limited = other.clamp(-7, 7);
        const double distance = (c - packed_irfft(limited * step * k)).norm().item<double>();
        EXPECT_GE(distance, nearest - 1e-12) << "k = " << k;
      };
      for (int i = 0; i < k; ++i) {
        for (int j = 0; j < k; ++j) {
          for (const int a : {-1, 1}) {
            for (const int b : {-1, 0, 1}) {
              Tensor other = at.clone();
              other[0][0][i] += a;
              other[0][0][j] += b;
              try_codes(other);
            }
          }
        }
      }
      for (int m = 0; m < 50; ++m) try_codes(at + torch::randint(-2, 3, {1, 1, k}));
      EXPECT_GT((c - packed_irfft((at + 1).clamp(-7, 7) * step * k)).norm().item<double>(),
                nearest);
    }
  }
}

TEST(FixedPointGridSet, RoundsADenseMatrixEntryByEntry) {
  const Tensor w = torch::tensor({{0.124F, 0.125F, -0.125F}, {-0.126F, 7.F, -7.F}});
  const Tensor expected = torch::tensor({{0.F, 0.25F, 0.F}, {-0.25F, 1.75F, -1.75F}});
  EXPECT_TRUE(torch::equal(FixedPointGridSet(4, 2).project(w), expected));
}

TEST(FixedPointGridSet, NamesItselfAndRefusesImpossibleWidths) {
  EXPECT_EQ(FixedPointGridSet(6, -1).text(), "fixed point <6,-1>");
  EXPECT_THROW(FixedPointGridSet(1, 0), UsageError);
  EXPECT_THROW(FixedPointGridSet(25, 0), UsageError);
}

}  // namespace
}  // namespace ernn
