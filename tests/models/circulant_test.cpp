#include "models/circulant.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/utils.h>

#include <array>
#include <complex>
#include <vector>

#include "models/structured_matrix.h"
#include "tests/models/gradient_check.h"

namespace ernn {
namespace {

using torch::Tensor;

const torch::TensorOptions kDouble = torch::TensorOptions().dtype(torch::kDouble);

// W_ij[r, s] = c_ij[(r - s) mod k], entry by entry.
Tensor naive_dense(const Tensor& c, int64_t rows, int64_t cols) {
  const int64_t k = c.size(2);
  Tensor w = torch::empty({rows, cols}, kDouble);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t s = 0; s < cols; ++s)
      w[r][s] = c[r / k][s / k][(r % k - s % k + k) % k].item<double>();
  }
  return w;
}

class CirculantSizes : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { torch::manual_seed(7); }
  // A matrix that fills its blocks, and one that does not.
  std::vector<std::pair<int64_t, int64_t>> sizes() const {
    return {{2 * GetParam(), 3 * GetParam()}, {2 * GetParam() + 1, 3 * GetParam() - 1}};
  }
  Tensor columns(int64_t rows, int64_t cols) const {
    const int64_t k = GetParam();
    return torch::randn({(rows + k - 1) / k, (cols + k - 1) / k, k}, kDouble);
  }
};
INSTANTIATE_TEST_SUITE_P(Blocks, CirculantSizes, testing::Values(1, 2, 4, 8, 16, 32, 64),
                         testing::PrintToStringParamName());

TEST_P(CirculantSizes, ExpansionFollowsTheDefinition) {
  for (const auto& [rows, cols] : sizes()) {
    const Tensor c = columns(rows, cols);
    EXPECT_TRUE(torch::equal(dense_from_circulant(c, rows, cols), naive_dense(c, rows, cols)));
  }
}

TEST_P(CirculantSizes, SpectralProductEqualsTheDenseOne) {
  for (const auto& [rows, cols] : sizes()) {
    const Tensor c = columns(rows, cols);
    const Tensor x = torch::randn({5, cols}, kDouble);
    const Tensor y = CirculantSpectrum(c, rows, cols).matmul(x);
    ASSERT_EQ(y.sizes(), (torch::IntArrayRef{5, rows}));
    EXPECT_LT(largest_difference(y, x.mm(naive_dense(c, rows, cols).t())), 1e-12);
  }
}

TEST_P(CirculantSizes, SpectralGradientsEqualTheDenseOnes) {
  for (const auto& [rows, cols] : sizes()) {
    const Tensor c = columns(rows, cols).requires_grad_();
    const Tensor x = torch::randn({5, cols}, kDouble).requires_grad_();
    const auto spectral =
        torch::autograd::grad({weighted_sum(CirculantSpectrum(c, rows, cols).matmul(x))}, {c, x});
    const auto dense = torch::autograd::grad(
        {weighted_sum(x.mm(dense_from_circulant(c, rows, cols).t()))}, {c, x});
    EXPECT_LT(largest_difference(spectral[0], dense[0]), 1e-11);
    EXPECT_LT(largest_difference(spectral[1], dense[1]), 1e-11);
  }
}

TEST_P(CirculantSizes, PackedSpectrumIsTheDft) {
  const int64_t k = GetParam();
  const Tensor x = torch::randn({k}, kDouble);
  const Tensor spectrum = packed_rfft(x);
  for (int64_t bin = 0; 2 * bin <= k; ++bin) {
    std::complex<double> expected = 0;
    for (int64_t n = 0; n < k; ++n) {
      expected += x[n].item<double>() * std::polar(1.0, -2 * M_PI * static_cast<double>(bin * n) /
                                                            static_cast<double>(k));
    }
    const bool real = bin == 0 || 2 * bin == k;
    const int64_t place = bin == 0 ? 0 : real ? 1 : 2 * bin;
    if (k == 1 && bin > 0) break;
    EXPECT_NEAR(spectrum[place].item<double>(), expected.real(), 1e-12);
    EXPECT_NEAR(real ? 0 : spectrum[place + 1].item<double>(), expected.imag(), 1e-12);
  }
  EXPECT_LT(largest_difference(packed_irfft(spectrum), x), 1e-13);
}

TEST_P(CirculantSizes, ProjectionUndoesExpansion) {
  for (const auto& [rows, cols] : sizes()) {
    const Tensor w = naive_dense(columns(rows, cols), rows, cols);
    const Tensor back = dense_from_circulant(circulant_from_dense(w, GetParam()), rows, cols);
    EXPECT_LT(largest_difference(back, w), 1e-14);
  }
}

TEST(Circulant, GradientsEqualFiniteDifferences) {
  torch::manual_seed(3);
  for (const int64_t k : {1, 2, 4, 8}) {
    const int64_t rows = 2 * k + 1;
    const int64_t cols = 3 * k - 1;
    const Tensor c = torch::randn({3, 3, k}, kDouble).requires_grad_();
    const Tensor columns = c.detach().narrow(1, 0, (cols + k - 1) / k).clone().requires_grad_();
    const Tensor x = torch::randn({3, cols}, kDouble).requires_grad_();
    const auto spectral = [&] {
      return weighted_sum(CirculantSpectrum(columns, rows, cols).matmul(x).tanh());
    };
    const auto dense = [&] {
      return weighted_sum(x.mm(dense_from_circulant(columns, rows, cols).t()).tanh());
    };
    check_gradient(spectral, columns, "spectral c");
    check_gradient(spectral, x, "spectral x");
    check_gradient(dense, columns, "dense c");
  }
}

// Many inputs are taken in chunks.
TEST(Circulant, ManyInputsEqualTheDenseProductAndGradients) {
  torch::manual_seed(8);
  const Tensor c = torch::randn({3, 2, 4}, kDouble).requires_grad_();
  const Tensor x = torch::randn({1300, 7}, kDouble).requires_grad_();
  const Tensor spectral = CirculantSpectrum(c, 10, 7).matmul(x);
  const Tensor dense = x.mm(dense_from_circulant(c, 10, 7).t());
  EXPECT_LT(largest_difference(spectral, dense), 1e-12);
  const auto a = torch::autograd::grad({weighted_sum(spectral)}, {c, x});
  const auto b = torch::autograd::grad({weighted_sum(dense)}, {c, x});
  EXPECT_LT(largest_difference(a[0], b[0]), 1e-10);
  EXPECT_LT(largest_difference(a[1], b[1]), 1e-12);
}

TEST(Circulant, WrongShapeIsRefused) {
  EXPECT_THROW(dense_from_circulant(torch::zeros({2, 2, 4}), 9, 8), c10::Error);
}

// Odd sizes have no bin k/2, whose place another number would take.
TEST(Circulant, SpectraOfOtherBlockSizesAreRefused) {
  for (const int64_t k : {0, 3, 5, 6, 12, 128}) {
    EXPECT_THROW(packed_rfft(torch::randn({2, k})), c10::Error) << k;
    EXPECT_THROW(packed_irfft(torch::randn({2, k})), c10::Error) << k;
    if (k > 0) {
      EXPECT_THROW(CirculantSpectrum(torch::randn({1, 1, k}), k, k), c10::Error) << k;
    }
  }
}

TEST(StructuredMatrix, BlockSizeOneIsTheDenseProductExactly) {
  StructuredMatrix matrix(MatrixShape{"m", 5, 7, 1});
  randomise(*matrix, 1, 1);
  const Tensor x = torch::randn({4, 3, 7});
  const Tensor bias = torch::randn({5});
  EXPECT_TRUE(torch::equal(matrix->forward(x, bias), torch::linear(x, matrix->weight, bias)));
  EXPECT_TRUE(torch::equal(matrix->dense(), matrix->weight));
}

TEST(StructuredMatrix, ForwardEqualsItsOwnDenseMatrix) {
  ASSERT_FALSE(spectral_is_faster(70, 50));
  ASSERT_TRUE(spectral_is_faster(400, 330));
  for (const auto& [rows, cols, block] : std::vector<std::array<int, 3>>{
           {70, 50, 2}, {70, 50, 64}, {400, 330, 2}, {400, 330, 8}, {400, 330, 64}}) {
    StructuredMatrix matrix(MatrixShape{"m", rows, cols, block});
    randomise(*matrix, 0.1, 1);
    const Tensor x = torch::randn({40, 3, cols});
    const Tensor bias = torch::randn({rows});
    EXPECT_LT(largest_difference(matrix->forward(x, bias), torch::linear(x, matrix->dense(), bias)),
              5e-6);
    EXPECT_EQ(matrix->weight.numel(), matrix->shape().stored());
  }
}

// The same bound gives products of the same variance, whatever the block size.
TEST(StructuredMatrix, InitialVarianceOfTheProductDoesNotDependOnTheBlockSize) {
  const Tensor x = torch::randn({256}, at::detail::createCPUGenerator(5));
  const double expected = x.square().sum().item<double>() / 3 * 0.01;
  for (const int block : {1, 8, 64}) {
    StructuredMatrix matrix(MatrixShape{"m", 2048, 256, block});
    matrix->initialise(0.1, at::detail::createCPUGenerator(6));
    const double variance = matrix->forward(x).square().mean().item<double>();
    EXPECT_NEAR(variance / expected, 1, 0.15) << block;
  }
}

}  // namespace
}  // namespace ernn
