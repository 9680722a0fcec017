#include "export/integer_transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <random>
#include <vector>

#include "export/quantised_network.h"
#include "export/real_transform.h"

namespace ernn {
namespace {

constexpr double kPi = 3.14159265358979323846;

/// The definition: packed bins of sum_n x[n] exp(-2 pi j b n / k).
std::vector<double> slow_rfft(const std::vector<double>& x) {
  const int k = static_cast<int>(x.size());
  std::vector<double> packed(x.size());
  for (int b = 0; b <= k / 2; ++b) {
    std::complex<double> sum = 0;
    for (int n = 0; n < k; ++n)
      sum += x[static_cast<std::size_t>(n)] * std::polar(1.0, -2 * kPi * (b * n % k) / k);
    if (b == 0) packed[0] = sum.real();
    if (b == k / 2) packed[1] = sum.real();
    if (b > 0 && b < k / 2) {
      packed[2 * static_cast<std::size_t>(b)] = sum.real();
      packed[2 * static_cast<std::size_t>(b) + 1] = sum.imag();
    }
  }
  return packed;
}

/// The definition of the unscaled inverse.
std::vector<double> slow_irfft(const std::vector<double>& packed) {
  const int k = static_cast<int>(packed.size());
  std::vector<double> x(packed.size());
  for (int n = 0; n < k; ++n) {
    double sum = packed[0] + (n % 2 == 0 ? packed[1] : -packed[1]);
    for (int b = 1; b < k / 2; ++b) {
      const std::complex<double> bin(packed[2 * static_cast<std::size_t>(b)],
                                     packed[2 * static_cast<std::size_t>(b) + 1]);
      sum += 2 * (bin * std::polar(1.0, 2 * kPi * (b * n % k) / k)).real();
    }
    x[static_cast<std::size_t>(n)] = sum;
  }
  return x;
}

std::vector<double> to_double(const std::vector<std::int64_t>& values) {
  return {values.begin(), values.end()};
}

TEST(Transform, ConstantsAreTheRoundedCosines) {
  for (int n = 0; n <= 16; ++n) {
    EXPECT_EQ(transform_constant(n),
              static_cast<std::int64_t>(std::floor(std::cos(2 * kPi * n / 64) * 65536 + 0.5)));
  }
}

TEST(Transform, FftwPacksAsDocumented) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (int k = 2; k <= 64; k *= 2) {
    RealTransform transform(k);
    std::vector<double> x(static_cast<std::size_t>(k));
    for (double& v : x) v = normal(random);
    std::vector<double> packed(x.size());
    std::vector<double> back(x.size());
    transform.forward(x.data(), packed.data());
    transform.inverse(packed.data(), back.data());
    const std::vector<double> expected = slow_rfft(x);
    const std::vector<double> scaled = slow_irfft(packed);
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(packed[i], expected[i], 1e-12);
      EXPECT_NEAR(back[i], scaled[i], 1e-11);
      EXPECT_NEAR(back[i], k * x[i], 1e-11);
    }
  }
}

/// Error of one output of the forward flow for |x| <= largest. Each level's rotated value is off by
/// at most sqrt(2) times the error of what it rotates (1 bit of Re and Im), by 1/2 for rounding and
/// by |Re| + |Im| times the constant's error 2^-17.
double forward_bound(int k, double largest) {
  double error = 0;
  double magnitude = 2 * largest;
  for (int size = 4; size <= k; size *= 2) {
    const double rotated =
        size == 4 ? error : 1.4143 * error + 0.5 + 2 * magnitude * std::ldexp(1.0, -17);
    error += rotated;
    magnitude *= 2;
  }
  return error;
}

TEST(Transform, IntegerForwardIsWithinTheRoundingBound) {
  std::mt19937 random(5);
  for (int k = 2; k <= 64; k *= 2) {
    for (int trial = 0; trial < 300; ++trial) {
      const int largest = 1 << (4 + trial % 14);
      std::uniform_int_distribution<int> uniform(-largest, largest);
      std::vector<std::int64_t> x(static_cast<std::size_t>(k));
      for (auto& v : x)
        v = trial % 3 == 0 ? (uniform(random) > 0 ? largest : -largest) : uniform(random);
      std::vector<std::int64_t> packed(x.size());
      integer_rfft(k, x.data(), packed.data());
      const std::vector<double> expected = slow_rfft(to_double(x));
      for (std::size_t i = 0; i < x.size(); ++i)
        ASSERT_LE(std::abs(static_cast<double>(packed[i]) - expected[i]),
                  forward_bound(k, largest) + 1e-6)
            << "k " << k << " number " << i;
    }
  }
}

/// The same for the inverse, from the widest level down: a half spectrum's bins are at most twice
/// as large and twice as wrong.
double inverse_bound(int k, double largest) {
  // Every output is a sum of k numbers of the last level's real pairs; errors enter per level.
  double error = 0;
  double magnitude = largest;
  for (int size = k; size >= 4; size /= 2) {
    const double rotated =
        size == 4 ? 2 * error : 1.4143 * 2 * error + 0.5 + 2 * 2 * magnitude * std::ldexp(1.0, -17);
    error = std::max(2 * error, rotated);
    magnitude *= 2 * 1.4143;
  }
  return 2 * error;
}

TEST(Transform, IntegerInverseIsWithinTheRoundingBound) {
  std::mt19937 random(6);
  for (int k = 2; k <= 64; k *= 2) {
    for (int trial = 0; trial < 300; ++trial) {
      const int largest = 1 << (4 + trial % 14);
      std::uniform_int_distribution<int> uniform(-largest, largest);
      std::vector<std::int64_t> packed(static_cast<std::size_t>(k));
      for (auto& v : packed) v = uniform(random);
      std::vector<std::int64_t> y(packed.size());
      integer_irfft(k, packed.data(), y.data());
      const std::vector<double> expected = slow_irfft(to_double(packed));
      for (std::size_t i = 0; i < y.size(); ++i)
        ASSERT_LE(std::abs(static_cast<double>(y[i]) - expected[i]),
                  inverse_bound(k, largest) + 1e-6)
            << "k " << k << " number " << i;
    }
  }
}

/// Bound when each stage halves: what is halved and rounded is off by no more than its larger
/// operand and 1/2; rotations as above, of magnitudes that do not grow.
double halved_bound(int k, double largest) {
  double error = 0;
  for (int size = 2; size <= k; size *= 2)
    error = 1.4143 * (error + 0.5) + 0.5 + 4 * largest * std::ldexp(1.0, -17);
  return error;
}

TEST(Transform, HalvingStagesDivideByK) {
  std::mt19937 random(11);
  for (int k = 2; k <= 64; k *= 2) {
    for (int trial = 0; trial < 300; ++trial) {
      const int largest = 1 << (6 + trial % 12);
      std::uniform_int_distribution<int> uniform(-largest, largest);
      std::vector<std::int64_t> values(static_cast<std::size_t>(k));
      for (auto& v : values) v = uniform(random);
      std::vector<std::int64_t> forward(values.size());
      std::vector<std::int64_t> inverse(values.size());
      integer_rfft(k, values.data(), forward.data(), StageScale::half);
      integer_irfft(k, values.data(), inverse.data(), StageScale::half);
      const std::vector<double> packed = slow_rfft(to_double(values));
      const std::vector<double> scaled = slow_irfft(to_double(values));
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double bound = halved_bound(k, largest);
        ASSERT_LE(std::abs(static_cast<double>(forward[i]) - packed[i] / k), bound) << k;
        // A half spectrum's sums reach twice its bins, so halving keeps their size.
        ASSERT_LE(std::abs(static_cast<double>(inverse[i]) - scaled[i] / k), bound) << k;
      }
    }
  }
}

TEST(Transform, HalvingRoundsUp) {
  const std::vector<std::int64_t> x = {3, 2};
  std::vector<std::int64_t> packed(2);
  integer_rfft(2, x.data(), packed.data(), StageScale::half);
  EXPECT_EQ(packed, (std::vector<std::int64_t>{3, 1}));
  const std::vector<std::int64_t> below = {-3, 2};
  integer_irfft(2, below.data(), packed.data(), StageScale::half);
  EXPECT_EQ(packed, (std::vector<std::int64_t>{0, -2}));
}

// k = 2 and 4 have no constants: integers come out exactly, and come back times k.
TEST(Transform, SmallSizesAreExactForEveryInput) {
  for (const int k : {2, 4}) {
    const int range = k == 2 ? 40 : 7;
    const int count = 2 * range + 1;
    int combinations = 1;
    for (int i = 0; i < k; ++i) combinations *= count;
    for (int index = 0; index < combinations; ++index) {
      std::vector<std::int64_t> x(static_cast<std::size_t>(k));
      int rest = index;
      for (auto& v : x) {
        v = rest % count - range;
        rest /= count;
      }
      std::vector<std::int64_t> packed(x.size());
      std::vector<std::int64_t> back(x.size());
      integer_rfft(k, x.data(), packed.data());
      integer_irfft(k, packed.data(), back.data());
      const std::vector<double> expected = slow_rfft(to_double(x));
      for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_NEAR(static_cast<double>(packed[i]), expected[i], 1e-9);
        ASSERT_EQ(back[i], k * x[i]);
      }
    }
  }
}

TEST(Transform, RoundTripIsWithinTheSumOfBothBounds) {
  std::mt19937 random(8);
  std::uniform_int_distribution<int> uniform(-32768, 32767);
  for (int k = 2; k <= 64; k *= 2) {
    std::vector<std::int64_t> x(static_cast<std::size_t>(k));
    for (auto& v : x) v = uniform(random);
    std::vector<std::int64_t> packed(x.size());
    std::vector<std::int64_t> back(x.size());
    integer_rfft(k, x.data(), packed.data());
    integer_irfft(k, packed.data(), back.data());
    const double bound = k * forward_bound(k, 32768) + inverse_bound(k, 32768.0 * k);
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_LE(std::abs(static_cast<double>(back[i] - k * x[i])), bound);
  }
}

}  // namespace
}  // namespace ernn
