// The kernel's matrix-vector product: real numbers against the dense matrix, fixed point against
// plain integers, and folds against each other.
#include "hls/kernel/matrix_vector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/hls/slow_transform.h"

namespace ernn {
namespace {

/// A matrix of ROWS x COLS in fixed point, with folds, read in transfers of TRANSFER elements.
template <int ROWS, int COLS, int K, int RowsParallel = 1, int ColsParallel = 1,
          int InversesParallel = 1, int Transfer = K, int Gates = 1, int GroupRows = 1>
struct FixedMatrix {
  static constexpr int rows = ROWS, cols = COLS, block = K;
  static constexpr int gates = Gates, group_rows = GroupRows;
  static constexpr int rows_parallel = RowsParallel, cols_parallel = ColsParallel;
  static constexpr int inverses_parallel = InversesParallel;
  static constexpr int transfer = Transfer;
  static constexpr int spectrum_signal = 0, sum_signal = 1, product_signal = 2;
  typedef ap_fixed<12, 2> Input;
  typedef ap_fixed<12, -1> Weight;
  typedef ap_fixed<16, 7> Spectrum;
  typedef ap_fixed<16, 5> Sum;
  typedef ap_fixed<16, 6> Product;
  typedef std::int16_t Code;
};

/// The same with real numbers.
template <int ROWS, int COLS, int K, int RowsParallel = 1>
struct RealMatrix : FixedMatrix<ROWS, COLS, K, RowsParallel> {
  typedef double Input;
  typedef double Weight;
  typedef double Spectrum;
  typedef double Sum;
  typedef double Product;
  typedef double Code;
};

struct Record {
  std::map<int, std::map<int, std::int64_t>> values;
  std::map<int, int> saturated;
};

struct RecordingProbe {
  Record* record;
  template <class T>
  void value(int signal, int index, const T& value) const {
    record->values[signal][index] = value.raw();
  }
  void saturated(int signal) const { ++record->saturated[signal]; }
};

/// y = W x through the streams. `x` has M::cols elements, `y` comes in the matrix's order.
template <class M, class Element, class Probe>
std::vector<typename M::Product> multiply(const Element& x, const kernel::MatrixWeights<M>& weights,
                                          Probe probe) {
  using Transfer = kernel::Beat<typename M::Input, M::transfer>;
  using Product = kernel::ProductBeat<M>;
  ::hls::stream<Transfer> in("in");
  ::hls::stream<typename Product::type> out("out");
  for (int first = 0; first < M::cols; first += M::transfer) {
    Transfer transfer;
    for (int n = 0; n < M::transfer; ++n) {
      // What lies beyond the vector must not matter.
      transfer.at[n] = first + n < M::cols ? x(first + n) : x(0);
    }
    in.write(transfer);
  }
  kernel::matrix_vector<M, M::transfer>(in, weights, out, probe);
  EXPECT_TRUE(in.empty());
  constexpr int k = M::block;
  std::vector<typename M::Product> y(static_cast<std::size_t>(kernel::MatrixSizes<M>::p) * k);
  for (int beat = 0; beat < Product::count; ++beat) {
    const typename Product::type product = out.read();
    for (int n = 0; n < Product::size; ++n) {
      const int row = kernel::block_row<M>(beat * M::inverses_parallel + n / k);
      y[static_cast<std::size_t>(row) * k + static_cast<std::size_t>(n % k)] = product.at[n];
    }
  }
  EXPECT_TRUE(out.empty());
  y.resize(M::rows);
  return y;
}

template <class M>
struct Problem {
  using Sizes = kernel::MatrixSizes<M>;
  std::vector<std::int64_t> x;
  kernel::MatrixWeights<M> weights;

  explicit Problem(unsigned seed, std::int64_t weight_limit) {
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<std::int64_t> input(-2048, 2047);
    std::uniform_int_distribution<std::int64_t> weight(-weight_limit - 1, weight_limit);
    x.reserve(M::cols);
    for (int c = 0; c < M::cols; ++c) x.push_back(input(random));
    for (auto& row : weights.code) {
      for (auto& block : row) {
        for (auto& code : block) code = static_cast<std::int16_t>(weight(random));
      }
    }
  }

  std::vector<std::int64_t> run(Record& record) const {
    std::vector<std::int64_t> y;
    const auto element = [this](int c) { return kernel::from_code<typename M::Input>(x[c]); };
    for (const auto& value : multiply<M>(element, weights, RecordingProbe{&record}))
      y.push_back(value.raw());
    return y;
  }

  /// The page's data flow on plain integers; k = 1 is the dense sum.
  std::vector<std::int64_t> expected() const {
    const int k = M::block;
    std::vector<std::int64_t> y;
    std::vector<slow::Bins> spectra(Sizes::q);
    for (int j = 0; j < Sizes::q && k > 1; ++j) {
      std::vector<slow::Wide> block;
      block.reserve(k);
      for (int n = 0; n < k; ++n) block.push_back(j * k + n < M::cols ? x[j * k + n] * 4 : 0);
      std::vector<std::int64_t> packed;
      packed.reserve(k);
      for (const auto value : slow::pack(slow::forward(block)))
        packed.push_back(slow::narrow(value, 12, 16, 9));
      spectra[j] = slow::unpack(packed);
    }
    for (int i = 0; i < Sizes::p; ++i) {
      const auto& row = weights.code[place_of(i)];
      if (k == 1) {
        slow::Wide sum = 0;
        for (int j = 0; j < Sizes::q; ++j) sum += slow::Wide{row[j][0]} * x[j];
        y.push_back(slow::narrow(sum, 23, 16, 10));
        continue;
      }
      slow::Bins sum(k / 2 + 1);
      for (int j = 0; j < Sizes::q; ++j) {
        const auto& block = row[j];
        const slow::Bins w = slow::unpack(std::vector<std::int64_t>(block, block + k));
        for (int b = 0; b <= k / 2; ++b) {
          sum[b].re += w[b].re * spectra[j][b].re - w[b].im * spectra[j][b].im;
          sum[b].im += w[b].re * spectra[j][b].im + w[b].im * spectra[j][b].re;
        }
      }
      std::vector<slow::Wide> packed;
      for (const auto value : slow::pack(sum))
        packed.push_back(slow::narrow(value, 22, 16, 11) * 4);
      const auto wide = slow::inverse(slow::unpack(packed));
      for (int n = 0; n < k && i * k + n < M::rows; ++n)
        y.push_back(slow::narrow(wide[n], 13, 16, 10));
    }
    return y;
  }

  /// Where the weights of block row `i` stand: all gates of a group of rows follow each other.
  static int place_of(int i) {
    const int of_gate = Sizes::p / M::gates;
    const int gate = i / of_gate;
    const int group = i % of_gate / M::group_rows;
    return (group * M::gates + gate) * M::group_rows + i % M::group_rows;
  }
};

template <class M>
void check_fixed() {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    // Some with full-scale weights, which drive sums into their limits.
    const Problem<M> problem(seed, seed % 4 == 0 ? 2047 : 255);
    Record record;
    EXPECT_EQ(problem.run(record), problem.expected())
        << M::rows << "x" << M::cols << " k " << M::block << " seed " << seed;
    EXPECT_EQ(record.values[2].size(), static_cast<std::size_t>(M::rows));
    if (M::block > 1) {
      EXPECT_EQ(record.values[0].size(),
                static_cast<std::size_t>(kernel::MatrixSizes<M>::q * M::block));
      EXPECT_EQ(record.values[1].size(),
                static_cast<std::size_t>(kernel::MatrixSizes<M>::p * M::block));
    }
  }
}

TEST(CirculantProduct, MatchesPlainIntegers) {
  check_fixed<FixedMatrix<12, 10, 1>>();
  check_fixed<FixedMatrix<12, 10, 2>>();
  check_fixed<FixedMatrix<13, 9, 4>>();
  check_fixed<FixedMatrix<24, 21, 8>>();
  check_fixed<FixedMatrix<32, 40, 16>>();
  check_fixed<FixedMatrix<40, 96, 32>>();
  check_fixed<FixedMatrix<128, 100, 64>>();
}

TEST(CirculantProduct, FoldsChangeNothing) {
  check_fixed<FixedMatrix<24, 32, 8, 3, 1>>();
  check_fixed<FixedMatrix<24, 32, 8, 1, 4>>();
  check_fixed<FixedMatrix<24, 32, 8, 3, 2>>();
  check_fixed<FixedMatrix<12, 10, 1, 4, 5>>();
  check_fixed<FixedMatrix<24, 32, 4, 6, 4, 2>>();
  check_fixed<FixedMatrix<32, 32, 1, 8, 4, 8>>();
}

/// Rows beyond the matrix have weights here, of which nothing may come out.
TEST(CirculantProduct, RowsThatDoNotDivideChangeNothing) {
  check_fixed<FixedMatrix<40, 32, 8, 3, 1>>();
  check_fixed<FixedMatrix<40, 32, 8, 4, 2>>();
  check_fixed<FixedMatrix<37, 21, 8, 2, 3>>();
  check_fixed<FixedMatrix<64, 32, 8, 6, 4, 2>>();
  check_fixed<FixedMatrix<64, 32, 4, 12, 2, 4>>();
  check_fixed<FixedMatrix<13, 9, 1, 5, 3>>();
  check_fixed<FixedMatrix<22, 10, 1, 12, 5, 2>>();
  check_fixed<FixedMatrix<64, 32, 8, 3, 1, 1, 8, 4, 1>>();
  check_fixed<FixedMatrix<48, 32, 4, 10, 2, 2, 4, 3, 2>>();
}

TEST(CirculantProduct, TransfersOfAnySizeChangeNothing) {
  check_fixed<FixedMatrix<24, 21, 8, 1, 1, 1, 1>>();
  check_fixed<FixedMatrix<24, 21, 8, 1, 1, 1, 2>>();
  check_fixed<FixedMatrix<24, 21, 8, 1, 1, 1, 32>>();
  check_fixed<FixedMatrix<24, 21, 4, 1, 1, 1, 16>>();
  check_fixed<FixedMatrix<13, 21, 1, 1, 1, 1, 8>>();
}

TEST(CirculantProduct, GatesOfAGroupFollowEachOther) {
  check_fixed<FixedMatrix<64, 32, 8, 1, 1, 1, 8, 4, 1>>();
  check_fixed<FixedMatrix<64, 32, 8, 4, 2, 2, 8, 4, 2>>();
  check_fixed<FixedMatrix<48, 32, 4, 6, 2, 2, 4, 3, 2>>();
  check_fixed<FixedMatrix<24, 10, 1, 3, 5, 1, 1, 3, 4>>();
}

/// Spectra whose sum does not fit.
template <int RowsParallel>
struct TightMatrix : FixedMatrix<24, 64, 8, RowsParallel> {
  typedef ap_fixed<16, 1> Sum;
};

TEST(CirculantProduct, SaturationsAreCountedBySignal) {
  using M = TightMatrix<1>;
  Problem<M> problem(3, 2047);
  Record record;
  problem.run(record);
  int at_limit = 0;
  for (const auto& [index, code] : record.values[1]) at_limit += code == 32767 || code == -32768;
  EXPECT_GT(record.saturated[1], 0);
  EXPECT_LE(record.saturated[1], at_limit);
  EXPECT_EQ(record.saturated.count(0), 0U);
}

TEST(CirculantProduct, RowsBeyondTheMatrixAreNotCounted) {
  int counted = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    // The weights are the same but for the row beyond, which has some in the second.
    const Problem<TightMatrix<1>> plain(seed, 2047);
    const Problem<TightMatrix<2>> folded(seed, 2047);
    Record expected, record;
    EXPECT_EQ(folded.run(record), plain.run(expected));
    EXPECT_EQ(record.values, expected.values);
    EXPECT_EQ(record.saturated, expected.saturated);
    counted += expected.saturated[1];
  }
  EXPECT_GT(counted, 0);
}

/// c of one block: y[r] = sum_s c[(r - s) mod k] x[s]; the weight is rfft(c) / k.
template <class M>
void check_real() {
  constexpr int k = M::block;
  using Sizes = kernel::MatrixSizes<M>;
  std::mt19937_64 random(k);
  std::normal_distribution<double> normal;
  kernel::MatrixWeights<M> weights;
  std::vector<double> expected(static_cast<std::size_t>(Sizes::p) * k, 0.0);
  typename M::Input flat[M::cols];
  for (auto& value : flat) value = normal(random);
  for (int i = 0; i < Sizes::p; ++i) {
    for (int j = 0; j < Sizes::q; ++j) {
      double c[k];
      for (auto& value : c) value = normal(random);
      for (int r = 0; r < k; ++r) {
        for (int s = 0; s < k; ++s) {
          if (j * k + s < M::cols) expected[i * k + r] += c[(r - s + k) % k] * flat[j * k + s];
        }
      }
      double* packed = weights.code[i][j];
      std::fill(packed, packed + k, 0.0);
      const double pi = std::acos(-1.0);
      for (int b = 0; b <= k / 2; ++b) {
        for (int n = 0; n < k; ++n) {
          const double re = c[n] * std::cos(2 * pi * b * n / k) / k;
          const double im = -c[n] * std::sin(2 * pi * b * n / k) / k;
          if (b == 0) {
            packed[0] += re;
          } else if (b == k / 2) {
            packed[1] += re;
          } else {
            packed[2 * b] += re;
            packed[2 * b + 1] += im;
          }
        }
      }
    }
  }
  const auto y = multiply<M>([&](int c) { return flat[c]; }, weights, kernel::NoProbe());
  for (int r = 0; r < M::rows; ++r) EXPECT_NEAR(y[r], expected[r], 1e-10);
}

TEST(CirculantProduct, IsTheBlockCirculantMatrix) {
  check_real<RealMatrix<12, 10, 1>>();
  check_real<RealMatrix<12, 10, 2>>();
  check_real<RealMatrix<13, 9, 4>>();
  check_real<RealMatrix<24, 21, 8>>();
  check_real<RealMatrix<32, 40, 16>>();
  check_real<RealMatrix<40, 96, 32>>();
  check_real<RealMatrix<128, 100, 64>>();
  check_real<RealMatrix<40, 21, 8, 3>>();
}

}  // namespace
}  // namespace ernn
