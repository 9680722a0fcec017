#include "compute/structured_product.h"

#include <stdexcept>

#include "tests/compute/circulant_reference.h"

namespace ernn::compute {
namespace {

std::vector<MatrixSize> sizes() {
  std::vector<MatrixSize> list = {{1, 1, 1}, {40, 300, 1}, {70, 33, 1}};
  for (const Index block : {2, 4, 8, 16, 32, 64}) {
    list.push_back({3 * block, 2 * block, block});
    list.push_back({2 * block + 1, 3 * block - 1, block});  // not multiples
    list.push_back({1, 1, block});
    list.push_back({block, 20 * block, block});
    list.push_back({36 * block, block, block});
  }
  return list;
}

template <class Function>
void for_all_problems(Function check) {
  for_all_kernels([&](Isa isa, auto type) {
    for (const MatrixSize& size : sizes()) {
      for (const Index n : {1, 3, 70, 300}) {
        if (n > 3 && size.rows * size.cols > 4000) continue;
        SCOPED_TRACE(testing::Message() << size.rows << " x " << size.cols << ", block "
                                        << size.block << ", " << n << " rows");
        check(isa, Problem<decltype(type)>(size, n));
      }
    }
  });
}

template <class T>
void check_forward(Isa isa, const Problem<T>& problem) {
  const MatrixSize& s = problem.size;
  const StructuredProduct<T> product(isa, s, StructuredProduct<T>::Side::forward,
                                     problem.weight.data());
  ProductScratch<T> scratch;
  std::vector<T> y = problem.dy;  // added to
  product.multiply({problem.x.data(), s.cols}, problem.n, {y.data(), s.rows}, {y.data(), s.rows},
                   scratch);
  for (Index i = 0; i < problem.n; ++i) {
    for (Index row = 0; row < s.rows; ++row) {
      double sum = static_cast<double>(problem.dy[static_cast<std::size_t>(i * s.rows + row)]);
      for (Index col = 0; col < s.cols; ++col) {
        sum += problem.w[static_cast<std::size_t>(row * s.cols + col)] *
               static_cast<double>(problem.x[static_cast<std::size_t>(i * s.cols + col)]);
      }
      ASSERT_NEAR(y[static_cast<std::size_t>(i * s.rows + row)], sum, problem.tolerance(s.cols));
    }
  }
}

TEST(StructuredProduct, ForwardEqualsTheDenseMatrix) {
  for_all_problems([](Isa isa, const auto& problem) { check_forward(isa, problem); });
}

template <class T>
void check_backward(Isa isa, const Problem<T>& problem) {
  const MatrixSize& s = problem.size;
  const StructuredProduct<T> product(isa, s, StructuredProduct<T>::Side::backward,
                                     problem.weight.data());
  ProductScratch<T> scratch;
  std::vector<T> dx(problem.x.size(), T(5));
  product.multiply({problem.dy.data(), s.rows}, problem.n, {}, {dx.data(), s.cols}, scratch);
  for (Index i = 0; i < problem.n; ++i) {
    for (Index col = 0; col < s.cols; ++col) {
      ASSERT_NEAR(dx[static_cast<std::size_t>(i * s.cols + col)], problem.dx(i, col),
                  problem.tolerance(s.rows));
    }
  }
}

TEST(StructuredProduct, BackwardEqualsTheTransposedMatrix) {
  for_all_problems([](Isa isa, const auto& problem) { check_backward(isa, problem); });
}

template <class T>
void check_gradient(Isa isa, const Problem<T>& problem) {
  const MatrixSize& s = problem.size;
  WeightGradient<T> gradient(isa, s);
  ProductScratch<T> scratch;
  SpectraBuffer<T> x_spectra(isa, s.block, s.cols, Operand::input, problem.n);
  SpectraBuffer<T> dy_spectra(isa, s.block, s.rows, Operand::derivative, problem.n);
  const auto add = [&](Index begin, Index end) {
    const Rows<const T> x{problem.x.data(), s.cols};
    const Rows<const T> dy{problem.dy.data(), s.rows};
    gradient.add_spectra(x_spectra.prepend(x.from(begin), end - begin),
                         dy_spectra.prepend(dy.from(begin), end - begin), end - begin);
  };
  add(0, problem.n / 3);  // in two parts
  add(problem.n / 3, problem.n);
  std::vector<T> found = problem.weight;
  gradient.finish(found.data(), scratch);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected_gradient(problem, static_cast<Index>(i)),
                problem.tolerance(problem.n * s.block))
        << i;
  }
}

TEST(WeightGradient, EqualsTheSumsOverWrappedDiagonals) {
  for_all_problems([](Isa isa, const auto& problem) {
    if (problem.size.block > 1) check_gradient(isa, problem);
  });
}

// Rather than computed with the blocks of another size.
TEST(StructuredProduct, OtherBlockSizesAreRefused) {
  const std::vector<double> weight(128 * 128);
  for (const Index block : {3, 6, 96, 128}) {
    for (const auto side :
         {StructuredProduct<double>::Side::forward, StructuredProduct<double>::Side::backward}) {
      EXPECT_THROW(
          StructuredProduct<double>(best_isa(), {block, block, block}, side, weight.data()),
          std::invalid_argument)
          << block;
    }
  }
}

TEST(WeightGradient, OfNothingIsZero) {
  WeightGradient<float> gradient(best_isa(), {8, 8, 4});
  ProductScratch<float> scratch;
  std::vector<float> found(16, 3.0F);
  gradient.finish(found.data(), scratch);
  for (const float value : found) EXPECT_EQ(value, 0.0F);
}

}  // namespace
}  // namespace ernn::compute
