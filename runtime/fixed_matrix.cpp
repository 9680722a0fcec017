#include "runtime/fixed_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "runtime/alignment.h"
#include "runtime/packing.h"

namespace ernn {

namespace {

constexpr int kPairWidth = 16;
/// Magnitudes inside a transform that IntNumbers::rotate() takes.
constexpr double kLargestInTransform = 1 << 28;

class ProductBuilder {
 public:
  ProductBuilder(Program<std::int32_t>& program, const Kernels& kernels,
                 const QuantisedMatrix& matrix, const Wire& from, const Format& input)
      : program_(program),
        kernels_(kernels),
        matrix_(matrix),
        shape_(matrix.shape),
        x_(program.arrange(from, {shape_.cols, shape_.block})),
        rows_{shape_.rows, shape_.block},
        input_(input) {}

  Wire build() {
    if (shape_.block == 1) return pairs_suffice() ? pair_dense() : wide_dense();
    return pairs_suffice() ? pair_circulant() : wide_circulant();
  }

 private:
  bool circulant() const { return shape_.block > 1; }
  /// What the weights are multiplied by.
  const Format& factor() const { return circulant() ? matrix_.spectrum : input_; }
  int sum_fraction() const { return matrix_.weight.fraction() + factor().fraction(); }
  const Format& sum_format() const { return circulant() ? matrix_.sum : matrix_.product; }

  bool pairs_suffice() const {
    if (matrix_.weight.width > kPairWidth || factor().width > kPairWidth) return false;
    if (!each_column_fits()) return false;
    if (!circulant()) return true;
    // A transform of k numbers makes them at most k times as large, and an inverse one at most 2 k
    // times, as accumulators.cpp has it.
    const double guard = std::ldexp(1.0, kTransformGuardBits) * shape_.block;
    return term(input_).magnitude * guard <= kLargestInTransform &&
           term(matrix_.sum).magnitude * guard * 2 <= kLargestInTransform;
  }

  /// A segment has at least one column, which must not overflow alone: with 16 bits on both sides
  /// a pair of smallest codes does.
  bool each_column_fits() const {
    const int columns = circulant() ? shape_.block_cols() : (shape_.cols + 1) / 2;
    for (int column = 0; column < columns; ++column) {
      const std::vector<double> more = growth(column);
      if (!std::all_of(more.begin(), more.end(), fits_32_bits)) return false;
    }
    return true;
  }

  /// |sum| of one output can grow by this much in a column (of pairs, when dense): [outputs].
  std::vector<double> growth(int column) const {
    const double largest = term(factor()).magnitude;
    std::vector<double> result;
    const std::size_t k = circulant() ? static_cast<std::size_t>(shape_.block) : 2;
    const auto rows = static_cast<std::size_t>(rows_.blocks());
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < k; i += 2) {
        const double both = std::abs(static_cast<double>(code(row, column, i))) +
                            std::abs(static_cast<double>(code(row, column, i + 1)));
        result.push_back(largest * both);
      }
    }
    return result;
  }

  /// Part i of block (row, column), or of the pair of dense columns.
  std::int32_t code(std::size_t row, int column, std::size_t i) const {
    const auto at = static_cast<std::size_t>(column);
    if (circulant()) {
      const auto columns = static_cast<std::size_t>(shape_.block_cols());
      return matrix_.codes[(row * columns + at) * static_cast<std::size_t>(shape_.block) + i];
    }
    const auto columns = static_cast<std::size_t>(shape_.cols);
    return 2 * at + i < columns ? matrix_.codes[row * columns + 2 * at + i] : 0;
  }

  /// Ends of runs of columns in which no sum of 32 bits overflows.
  std::vector<int> segment_ends(int columns) const {
    std::vector<int> ends;
    std::vector<double> sums;
    for (int column = 0; column < columns; ++column) {
      const std::vector<double> more = growth(column);
      if (sums.empty()) sums.assign(more.size(), 0.0);
      bool fits = true;
      for (std::size_t i = 0; i < more.size(); ++i) fits = fits && fits_32_bits(sums[i] + more[i]);
      if (!fits) {
        ends.push_back(column);
        std::fill(sums.begin(), sums.end(), 0.0);
      }
      for (std::size_t i = 0; i < more.size(); ++i) sums[i] += more[i];
    }
    ends.push_back(columns);
    return ends;
  }

  PairProductPlan pair_plan(int bins, int columns) {
    PairProductPlan plan;
    plan.product.bins = bins;
    plan.product.groups = rows_.groups();
    plan.product.columns = columns;
    plan.product.from_stride = x_.layout.stride();
    plan.product.to_stride = rows_.stride();
    plan.product.weights = pairs(bins, columns);
    std::vector<int>& ends = program_.numbers();
    ends = segment_ends(columns);
    plan.segment_ends = ends.data();
    plan.segments = static_cast<int>(ends.size());
    if (circulant()) plan.start = starts(bins, ends);
    plan.narrow = make_narrowing<std::int32_t>(sum_fraction(), sum_format());
    plan.narrow_wide = make_narrowing<std::int64_t>(sum_fraction(), sum_format());
    return plan;
  }

  const std::int32_t* pairs(int bins, int columns) {
    std::int32_t* const weights = program_.constants<std::int32_t>(
        static_cast<std::size_t>(bins) * static_cast<std::size_t>(rows_.stride()) *
        static_cast<std::size_t>(columns));
    for_packed(bins, rows_, columns, kernels_.tile,
               [&](std::size_t place, int bin, int column, int row) {
                 for (int lane = 0; lane < kGroup && row + lane < rows_.blocks(); ++lane) {
                   const auto from = static_cast<std::size_t>(row) + static_cast<std::size_t>(lane);
                   const auto i = 2 * static_cast<std::size_t>(bin);
                   const auto low = static_cast<std::uint32_t>(code(from, column, i));
                   const auto high = static_cast<std::uint32_t>(code(from, column, i + 1));
                   weights[place * kGroup + static_cast<std::size_t>(lane)] =
                       static_cast<std::int32_t>((low & 0xFFFFU) | (high << 16U));
                 }
               });
    return weights;
  }

  /// The real part of a sum is taken as Re w Re x + Im w ~Im x, which is too small by Im w: -x
  /// might not fit 16 bits, but ~x = -x - 1 does. So sums begin with what will be missing.
  const std::int32_t* starts(int bins, const std::vector<int>& ends) {
    const auto stride = static_cast<std::size_t>(rows_.stride());
    const std::size_t segment = 2 * static_cast<std::size_t>(bins) * stride;
    std::int32_t* const start = program_.constants<std::int32_t>(ends.size() * segment);
    int column = 0;
    for (std::size_t s = 0; s < ends.size(); ++s) {
      for (; column < ends[s]; ++column) {
        for (std::size_t bin = 1; bin < static_cast<std::size_t>(bins); ++bin) {
          for (std::size_t row = 0; row < static_cast<std::size_t>(rows_.blocks()); ++row)
            start[s * segment + 2 * bin * stride + row] += code(row, column, 2 * bin + 1);
        }
      }
    }
    return start;
  }

  WideProductPlan wide_plan(int bins, int columns) {
    WideProductPlan plan;
    plan.product.bins = bins;
    plan.product.groups = rows_.groups();
    plan.product.columns = columns;
    plan.product.from_stride = x_.layout.stride();
    plan.product.to_stride = rows_.stride();
    plan.narrow = make_narrowing<std::int64_t>(sum_fraction(), sum_format());
    const std::size_t parts = circulant() ? 2 : 1;
    std::int32_t* const weights = program_.constants<std::int32_t>(
        parts * static_cast<std::size_t>(bins) * static_cast<std::size_t>(rows_.stride()) *
        static_cast<std::size_t>(columns));
    for_packed(bins, rows_, columns, kernels_.tile,
               [&](std::size_t place, int bin, int column, int row) {
                 for (int lane = 0; lane < kGroup && row + lane < rows_.blocks(); ++lane) {
                   const auto from = static_cast<std::size_t>(row) + static_cast<std::size_t>(lane);
                   std::int32_t* const to =
                       weights + place * parts * kGroup + static_cast<std::size_t>(lane);
                   if (!circulant()) {
                     to[0] = code(from, column / 2, static_cast<std::size_t>(column % 2));
                     continue;
                   }
                   const auto i = 2 * static_cast<std::size_t>(bin);
                   to[0] = code(from, column, i);
                   to[kGroup] = code(from, column, i + 1);
                 }
               });
    plan.product.weights = weights;
    return plan;
  }

  TransformPlan forward_plan() const {
    return {shape_.block, x_.layout.blocks(), x_.layout.stride(), x_.layout.stride()};
  }
  TransformPlan inverse_plan() const {
    return {shape_.block, rows_.blocks(), rows_.stride(), rows_.stride()};
  }
  template <class T>
  Narrowing<T> to_spectrum() const {
    return make_narrowing<T>(input_.fraction() + kTransformGuardBits, matrix_.spectrum);
  }
  template <class T>
  Narrowing<T> to_product() const {
    return make_narrowing<T>(matrix_.sum.fraction() + kTransformGuardBits, matrix_.product);
  }

  Wire pair_circulant() {
    const PairProductPlan plan = pair_plan(shape_.block / 2, shape_.block_cols());
    const auto spectrum_narrowing = to_spectrum<std::int32_t>();
    const auto product_narrowing = to_product<std::int32_t>();
    const TransformPlan forward = forward_plan();
    const TransformPlan inverse = inverse_plan();
    const Wire spectrum = program_.reserve(x_.layout);
    const Wire sums = program_.reserve(rows_);
    const Wire x = x_;
    const Kernels& kernels = kernels_;
    program_.add([=, &kernels](std::int32_t* memory) {
      kernels.pair_forward(forward, spectrum_narrowing, memory + x.at, memory + spectrum.at);
      kernels.pair_product(plan, memory + spectrum.at, memory + sums.at);
      kernels.pair_inverse(inverse, product_narrowing, memory + sums.at, memory + sums.at);
    });
    return sums;
  }

  Wire wide_circulant() {
    const WideProductPlan plan = wide_plan(shape_.block / 2, shape_.block_cols());
    const auto spectrum_narrowing = to_spectrum<std::int64_t>();
    const auto product_narrowing = to_product<std::int64_t>();
    const TransformPlan forward = forward_plan();
    const TransformPlan inverse = inverse_plan();
    const Wire spectrum = program_.reserve(x_.layout);
    const Wire sums = program_.reserve(rows_);
    const Wire x = x_;
    const Kernels& kernels = kernels_;
    program_.add([=, &kernels](std::int32_t* memory) {
      kernels.wide_forward(forward, spectrum_narrowing, memory + x.at, memory + spectrum.at);
      kernels.wide_product(plan, memory + spectrum.at, memory + sums.at);
      kernels.wide_inverse(inverse, product_narrowing, memory + sums.at, memory + sums.at);
    });
    return sums;
  }

  Wire pair_dense() {
    const int columns = (shape_.cols + 1) / 2;
    const PairProductPlan plan = pair_plan(1, columns);
    const Wire pairs = program_.reserve({columns, 1});
    const Wire product = program_.reserve(rows_);
    const Wire x = x_;
    const Kernels& kernels = kernels_;
    program_.add([=, &kernels](std::int32_t* memory) {
      kernels.pair_columns(memory + x.at, memory + pairs.at, columns);
      kernels.pair_dense(plan, memory + pairs.at, memory + product.at);
    });
    return product;
  }

  Wire wide_dense() {
    const WideProductPlan plan = wide_plan(1, shape_.cols);
    const Wire product = program_.reserve(rows_);
    const Wire x = x_;
    const Kernels& kernels = kernels_;
    program_.add([=, &kernels](std::int32_t* memory) {
      kernels.wide_dense(plan, memory + x.at, memory + product.at);
    });
    return product;
  }

  Program<std::int32_t>& program_;
  const Kernels& kernels_;
  const QuantisedMatrix& matrix_;
  const MatrixShape& shape_;
  Wire x_;
  Layout rows_;
  Format input_;
};

}  // namespace

Wire add_product(Program<std::int32_t>& program, const Kernels& kernels,
                 const QuantisedMatrix& matrix, const Wire& from, const Format& input) {
  return ProductBuilder(program, kernels, matrix, from, input).build();
}

}  // namespace ernn
