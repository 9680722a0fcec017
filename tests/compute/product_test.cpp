#include <cmath>
#include <limits>

#include "tests/compute/kernel_test.h"

namespace ernn::compute {
namespace {

struct Shape {
  Index rows, depth, columns;
};

std::vector<Shape> shapes() {
  std::vector<Shape> list = {{1, 1, 1}, {9, 300, 129}, {32, 64, 200}, {8, 5, 48}, {3, 0, 7}};
  for (Index rows = 1; rows <= 17; ++rows) list.push_back({rows, rows + 3, 3 * rows + 1});
  for (const Index columns : {2, 4, 8, 15, 16, 17, 31, 33, 47, 49, 95, 96, 97})
    list.push_back({5, 7, columns});
  return list;
}

template <class T>
double expected(const Shape& s, const std::vector<T>& a, const std::vector<T>& b, Index row,
                Index column, double& magnitude) {
  double sum = 0;
  for (Index i = 0; i < s.depth; ++i) {
    const double term = static_cast<double>(a[static_cast<std::size_t>(row * s.depth + i)]) *
                        static_cast<double>(b[static_cast<std::size_t>(i * s.columns + column)]);
    sum += term;
    magnitude += std::abs(term);
  }
  return sum;
}

TEST(MatrixProduct, EqualsThePlainSumsForEveryShape) {
  for_all_kernels([](Isa isa, auto type) {
    using T = decltype(type);
    const Kernels<T>& k = kernels<T>(isa);
    for (const Shape& s : shapes()) {
      SCOPED_TRACE(testing::Message() << s.rows << " x " << s.depth << " x " << s.columns);
      const auto a = random_numbers<T>(s.rows * s.depth, 1);
      const auto b = random_numbers<T>(s.depth * s.columns, 2);
      const auto addend = random_numbers<T>(s.rows * s.columns, 3);
      std::vector<T> packed(static_cast<std::size_t>(k.packed_size(s.depth, s.columns)));
      k.pack(b.data(), s.columns, 1, s.depth, s.columns, packed.data());
      // One number behind each row must stay as it is.
      const T untouched = T(77);
      std::vector<T> c(static_cast<std::size_t>(s.rows * (s.columns + 1)), untouched);
      std::vector<T> copy(c);
      ProductArguments<T> p;
      p.rows = s.rows;
      p.depth = s.depth;
      p.columns = s.columns;
      p.a = a.data();
      p.a_row = s.depth;
      p.b = packed.data();
      p.addend = addend.data();
      p.addend_row = s.columns;
      p.c = c.data();
      p.c_row = s.columns + 1;
      p.copy = copy.data();
      k.product(p);
      for (Index i = 0; i < s.rows; ++i) {
        for (Index j = 0; j < s.columns; ++j) {
          double magnitude = 1;
          const double sum =
              expected(s, a, b, i, j, magnitude) +
              static_cast<double>(addend[static_cast<std::size_t>(i * s.columns + j)]);
          const auto at = static_cast<std::size_t>(i * (s.columns + 1) + j);
          ASSERT_NEAR(c[at], sum, 8 * kRounding<T> * magnitude) << i << ", " << j;
          ASSERT_EQ(copy[at], c[at]);
        }
        ASSERT_EQ(c[static_cast<std::size_t>(i * (s.columns + 1) + s.columns)], untouched);
      }
    }
  });
}

// A transposed and B in place, as weight gradients use them.
TEST(MatrixProduct, ReadsATransposedAndBUnpacked) {
  for_all_kernels([](Isa isa, auto type) {
    using T = decltype(type);
    const Kernels<T>& k = kernels<T>(isa);
    const Shape s{11, 23, 37};
    const Index b_row = (s.columns + k.lanes - 1) / k.lanes * k.lanes;
    const auto a = random_numbers<T>(s.depth * s.rows, 4);
    const auto b = random_numbers<T>(s.depth * b_row, 5);
    std::vector<T> c(static_cast<std::size_t>(s.rows * s.columns));
    ProductArguments<T> p;
    p.rows = s.rows;
    p.depth = s.depth;
    p.columns = s.columns;
    p.a = a.data();
    p.a_row = 1;
    p.a_depth = s.rows;
    p.b = b.data();
    p.b_row = b_row;
    p.c = c.data();
    p.c_row = s.columns;
    k.product(p);
    for (Index i = 0; i < s.rows; ++i) {
      for (Index j = 0; j < s.columns; ++j) {
        double sum = 0;
        for (Index d = 0; d < s.depth; ++d) {
          sum += static_cast<double>(a[static_cast<std::size_t>(d * s.rows + i)]) *
                 static_cast<double>(b[static_cast<std::size_t>(d * b_row + j)]);
        }
        ASSERT_NEAR(c[static_cast<std::size_t>(i * s.columns + j)], sum, 400 * kRounding<T>);
      }
    }
  });
}

TEST(MatrixProduct, NanIsNotLost) {
  for_all_kernels([](Isa isa, auto type) {
    using T = decltype(type);
    const Kernels<T>& k = kernels<T>(isa);
    const T a = std::numeric_limits<T>::quiet_NaN();
    const T b = 0;
    std::vector<T> packed(static_cast<std::size_t>(k.packed_size(1, 1)));
    k.pack(&b, 1, 1, 1, 1, packed.data());
    T c = 0;
    ProductArguments<T> p;
    p.rows = p.depth = p.columns = 1;
    p.a = &a;
    p.a_row = 1;
    p.b = packed.data();
    p.c = &c;
    p.c_row = 1;
    k.product(p);
    EXPECT_TRUE(std::isnan(c));
  });
}

}  // namespace
}  // namespace ernn::compute
