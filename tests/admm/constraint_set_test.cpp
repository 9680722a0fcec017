#include "admm/constraint_set.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include "base/error.h"
#include "tests/admm/circulant_basis.h"

namespace ernn {
namespace {

using torch::Tensor;

struct Size {
  int64_t rows, cols, block;
};

void PrintTo(const Size& size, std::ostream* out) {
  *out << size.rows << "x" << size.cols << " k=" << size.block;
}

class Projection : public testing::TestWithParam<Size> {
 protected:
  Projection() : set(GetParam().block) {
    torch::manual_seed(4);
    w = torch::randn({GetParam().rows, GetParam().cols}, torch::kDouble);
    projected = set.project(w);
  }
  BlockCirculantSet set;
  Tensor w;
  Tensor projected;
};
// Matrices that fill their blocks, and some that leave the last ones with few entries.
INSTANTIATE_TEST_SUITE_P(Sizes, Projection,
                         testing::Values(Size{6, 4, 1}, Size{8, 8, 4}, Size{16, 8, 8},
                                         Size{7, 10, 4}, Size{5, 3, 8}, Size{9, 17, 8},
                                         Size{17, 9, 16}, Size{1, 1, 4}));

TEST_P(Projection, IsTheNearestMember) {
  const Tensor basis = circulant_basis(GetParam().rows, GetParam().cols, GetParam().block);
  const Tensor coordinates = torch::linalg_solve(basis.t().mm(basis), basis.t().mv(w.view(-1)));
  EXPECT_LT((basis.mv(coordinates).view_as(w) - projected).abs().max().item<double>(), 1e-12);
}

TEST_P(Projection, IsIdempotent) {
  EXPECT_LT((set.project(projected) - projected).abs().max().item<double>(), 1e-14);
}

TEST_P(Projection, LeavesAnOrthogonalResidual) {
  const Tensor member = set.project(torch::randn_like(w));
  EXPECT_NEAR(((w - projected) * member).sum().item<double>(), 0, 1e-12);
}

TEST(BlockCirculantSet, NamesItselfAndRefusesImpossibleBlocks) {
  EXPECT_EQ(BlockCirculantSet(8).text(), "block-circulant, k = 8");
  EXPECT_THROW(BlockCirculantSet(0), UsageError);
}

}  // namespace
}  // namespace ernn
