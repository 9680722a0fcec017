#include "compute/shared_derivatives.h"

#include "tests/compute/circulant_reference.h"

namespace ernn::compute {
namespace {

/// Frames of rows, the first `counts[t]` of `batch` are there. Some matrices have dy in common.
template <class T>
struct Layer {
  Index batch;
  std::vector<Index> counts;
  std::vector<T> dy;  // also where there is no row: what must not be read
  std::vector<Problem<T>> problems;

  Layer(const std::vector<MatrixSize>& sizes, Index rows, std::vector<Index> frames)
      : batch(rows), counts(std::move(frames)) {
    unsigned seed = 0;
    for (const MatrixSize& size : sizes) {
      problems.emplace_back(size, batch * static_cast<Index>(counts.size()), seed += 10);
      Problem<T>& problem = problems.back();
      if (dy.empty()) dy = problem.dy;
      problem.dy = dy;
      for (std::size_t t = 0; t < counts.size(); ++t) {
        for (Index n = counts[t]; n < batch; ++n) {
          for (Index i = 0; i < size.rows; ++i)
            problem.dy[static_cast<std::size_t>(row(t, n) * size.rows + i)] = 0;
        }
      }
    }
  }

  Index row(std::size_t t, Index n) const { return static_cast<Index>(t) * batch + n; }
};

/// The rows of utterances begin ... end - 1 of every frame, the last frame first.
template <class T>
void take_all(const Layer<T>& layer, Index begin, Index end, SharedDerivatives<T>& derivatives) {
  for (std::size_t t = layer.counts.size(); t-- > 0;) {
    const Index count = std::min(layer.counts[t], end) - begin;
    if (count <= 0) continue;
    const Rows<const T> dy{layer.dy.data(), layer.problems.front().size.rows};
    derivatives.take(dy.from(layer.row(t, begin)), count, layer.row(t, begin));
  }
  derivatives.flush();
}

template <class T>
void check(Isa isa, const Layer<T>& layer, Index parts) {
  std::vector<StructuredProduct<T>> products;
  std::vector<std::vector<T>> dx;
  for (const auto& problem : layer.problems) {
    products.emplace_back(isa, problem.size, StructuredProduct<T>::Side::backward,
                          problem.weight.data());
    dx.emplace_back(problem.x.size(), T(0));
  }
  // The first matrix has no dx; the last one adds to what is there.
  std::vector<SharedMatrix<T>> matrices;
  for (std::size_t i = 0; i < layer.problems.size(); ++i) {
    const Problem<T>& problem = layer.problems[i];
    const Index cols = problem.size.cols;
    const bool last = i + 1 == layer.problems.size();
    if (last) std::fill(dx[i].begin(), dx[i].end(), T(2));
    matrices.push_back({problem.size,
                        {problem.x.data(), cols},
                        i > 0 ? &products[i] : nullptr,
                        {dx[i].data(), cols},
                        last});
  }
  std::vector<SharedDerivatives<T>> collected;
  for (Index part = 0; part < parts; ++part) {
    collected.emplace_back(isa, matrices, layer.batch);
    take_all(layer, layer.batch * part / parts, layer.batch * (part + 1) / parts, collected.back());
  }
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const Problem<T>& problem = layer.problems[i];
    SCOPED_TRACE(testing::Message() << "matrix " << i << ", block " << problem.size.block);
    for (std::size_t part = 1; part < collected.size(); ++part)
      collected[0].add(i, collected[part]);
    std::vector<T> gradient = problem.weight;
    collected[0].finish(i, gradient.data());
    for (std::size_t at = 0; at < gradient.size(); ++at) {
      ASSERT_NEAR(gradient[at], expected_gradient(problem, static_cast<Index>(at)),
                  problem.tolerance(problem.n * problem.size.block))
          << at;
    }
    const double before = matrices[i].adds ? 2 : 0;
    for (Index n = 0; n < problem.n; ++n) {
      for (Index col = 0; col < problem.size.cols; ++col) {
        const double expected = (i > 0 ? problem.dx(n, col) : 0) + before;
        ASSERT_NEAR(dx[i][static_cast<std::size_t>(n * problem.size.cols + col)], expected,
                    problem.tolerance(problem.size.rows));
      }
    }
  }
}

TEST(SharedDerivatives, EqualTheDenseMatrices) {
  for_all_kernels([](Isa isa, auto type) {
    using T = decltype(type);
    for (const Index k : {2, 8, 16, 64}) {
      const Index rows = 3 * k;
      const std::vector<MatrixSize> sizes = {
          {rows, 2 * k, k}, {rows, 3 * k - 1, k}, {rows, k + 1, k == 2 ? 4 : k / 2}};
      const std::vector<std::vector<Index>> frames = {
          {1}, {5, 5, 5}, {5, 4, 4, 1}, std::vector<Index>(30, 5)};
      for (const auto& counts : frames) {
        if (rows > 100 && counts.size() > 4) continue;
        SCOPED_TRACE(testing::Message() << "block " << k << ", " << counts.size() << " frames");
        const Layer<T> layer(sizes, counts[0], counts);
        check(isa, layer, 1);
        if (counts[0] > 1) check(isa, layer, 2);
      }
    }
    // More rows in a frame than a chunk has, and chunks that frames do not fill.
    check(isa, Layer<T>({{8, 4, 4}, {8, 8, 4}}, 70, {70, 70, 3}), 1);
    check(isa, Layer<T>({{8, 4, 4}, {8, 8, 4}}, 23, {23, 23, 23, 20, 7}), 2);
  });
}

TEST(SharedDerivatives, OfTheLastRowsAreReadAgain) {
  const Problem<double> problem({24, 16, 8}, 6);
  const StructuredProduct<double> product(
      best_isa(), problem.size, StructuredProduct<double>::Side::backward, problem.weight.data());
  SharedDerivatives<double> derivatives(best_isa(),
                                        {{problem.size, {problem.x.data(), 16}, nullptr, {}}}, 3);
  ProductScratch<double> scratch;
  const Rows<const double> dy{problem.dy.data(), 24};
  for (const Index first : {3, 0}) {
    derivatives.take(dy.from(first), 3, first);
    std::vector<double> dx(3 * 16);
    product.multiply_spectra(derivatives.last(0), 3, {}, {dx.data(), 16}, scratch);
    for (Index n = 0; n < 3; ++n) {
      for (Index col = 0; col < 16; ++col)
        EXPECT_NEAR(dx[static_cast<std::size_t>(n * 16 + col)], problem.dx(first + n, col), 1e-12);
    }
  }
}

}  // namespace
}  // namespace ernn::compute
