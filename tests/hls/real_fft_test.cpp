// The kernel's real transforms: real numbers against the definition, fixed point against the plain
// integer version and, by a signal-to-noise ratio, against real numbers.
#include "hls/kernel/real_fft.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/hls/slow_transform.h"

namespace ernn {
namespace {

const double kPi = std::acos(-1.0);

/// X[b] = sum x[n] exp(-2 pi j b n / k), packed.
std::vector<double> naive_forward(const std::vector<double>& x) {
  const int k = static_cast<int>(x.size());
  std::vector<double> packed(x.size());
  for (int b = 0; b <= k / 2; ++b) {
    std::complex<double> sum = 0;
    for (int n = 0; n < k; ++n) sum += x[n] * std::polar(1.0, -2 * kPi * b * n / k);
    if (b == 0) packed[0] = sum.real();
    if (b == k / 2) packed[1] = sum.real();
    if (b > 0 && b < k / 2) {
      packed[2 * b] = sum.real();
      packed[2 * b + 1] = sum.imag();
    }
  }
  return packed;
}

template <int K>
class RealFft {
 public:
  using Point = ap_fixed<16, 4>;
  using Guarded = kernel::Finer<Point, kernel::kTransformGuardBits>;
  using Headroom = kernel::Grown<Guarded, 1>;
  using Forward = kernel::ForwardFft<K, Guarded>;
  using Inverse = kernel::InverseFft<K, Headroom>;

  static std::vector<double> forward_real(const std::vector<double>& in) {
    double x[K], out[K];
    std::copy(in.begin(), in.end(), x);
    kernel::ForwardFft<K, double>::run(x, out);
    return {out, out + K};
  }
  static std::vector<double> inverse_real(const std::vector<double>& in) {
    double x[K], out[K];
    std::copy(in.begin(), in.end(), x);
    kernel::InverseFft<K, double>::run(x, out);
    return {out, out + K};
  }
  static std::vector<std::int64_t> forward_codes(const std::vector<std::int64_t>& in) {
    Guarded x[K];
    typename Forward::Output out[K];
    for (int n = 0; n < K; ++n) x[n] = kernel::from_code<Point>(in[n]);
    Forward::run(x, out);
    std::vector<std::int64_t> codes;
    for (const auto& value : out) codes.push_back(value.raw());
    return codes;
  }
  static std::vector<std::int64_t> inverse_codes(const std::vector<std::int64_t>& in) {
    Headroom x[K];
    typename Inverse::Output out[K];
    for (int n = 0; n < K; ++n) x[n] = kernel::from_code<Point>(in[n]);
    Inverse::run(x, out);
    std::vector<std::int64_t> codes;
    for (const auto& value : out) codes.push_back(value.raw());
    return codes;
  }

  /// Random blocks of different size, and the corners of the range.
  static std::vector<std::vector<std::int64_t>> blocks() {
    std::vector<std::vector<std::int64_t>> blocks;
    std::mt19937_64 random(K);
    std::uniform_int_distribution<std::int64_t> any(-32768, 32767);
    for (int i = 0; i < 500; ++i) {
      std::vector<std::int64_t> block;
      block.reserve(K);
      for (int n = 0; n < K; ++n) block.push_back(any(random) >> (i % 12));
      blocks.push_back(block);
      for (auto& value : block) value = value < 0 ? -32768 : 32767;
      blocks.push_back(block);
    }
    // Signs that line up with each bin's cosine and sine drive that bin to its limit.
    for (int b = 0; b <= K / 2; ++b) {
      for (int phase = 0; phase < 8; ++phase) {
        std::vector<std::int64_t> block;
        block.reserve(K);
        for (int n = 0; n < K; ++n) {
          block.push_back(std::cos(2 * kPi * b * n / K + phase * kPi / 4) < 0 ? 32767 : -32768);
        }
        blocks.push_back(block);
      }
    }
    blocks.emplace_back(K, -32768);
    blocks.emplace_back(K, 32767);
    return blocks;
  }

  static void check() {
    using kernel::FormatOf;
    static_assert(FormatOf<typename Forward::Output>::fraction == 14, "two guard bits");
    double signal = 0, noise = 0;
    for (const auto& block : blocks()) {
      std::vector<double> real;
      std::vector<slow::Wide> guarded;
      for (const auto code : block) {
        real.push_back(static_cast<double>(code) / 4096);
        guarded.push_back(slow::Wide{code} * 4);
      }
      const auto found = forward_codes(block);
      const auto expected = slow::pack(slow::forward(guarded));
      const auto in_double = forward_real(real);
      const auto naive = naive_forward(real);
      for (int n = 0; n < K; ++n) {
        ASSERT_EQ(found[n], static_cast<std::int64_t>(expected[n])) << "k " << K << " at " << n;
        ASSERT_NEAR(in_double[n], naive[n], 1e-10) << "k " << K << " at " << n;
        signal += naive[n] * naive[n];
        noise += std::pow(static_cast<double>(found[n]) / 16384 - naive[n], 2);
      }
      const auto found_back = inverse_codes(block);
      const auto expected_back = slow::inverse(slow::unpack(guarded));
      for (int n = 0; n < K; ++n) {
        ASSERT_EQ(found_back[n], static_cast<std::int64_t>(expected_back[n]))
            << "inverse, k " << K << " at " << n;
      }
      const auto round_trip = inverse_real(in_double);
      for (int n = 0; n < K; ++n) ASSERT_NEAR(round_trip[n], K * real[n], 1e-9) << "k " << K;
    }
    // Rounding to 14 fraction bits against blocks up to full scale.
    EXPECT_GT(10 * std::log10(signal / std::max(noise, 1e-300)), 90.0) << "k " << K;
  }
};

TEST(RealFft, Constants) {
  for (int n = 0; n <= 16; ++n) {
    EXPECT_EQ(kernel::kCosineCodes[n], static_cast<int>(slow::constant(n))) << n;
    EXPECT_NEAR(kernel::kCosines[n], std::cos(2 * kPi * n / 64), 1e-15) << n;
  }
}

TEST(RealFft, Of2Points) {
  RealFft<2>::check();
}
TEST(RealFft, Of4Points) {
  RealFft<4>::check();
}
TEST(RealFft, Of8Points) {
  RealFft<8>::check();
}
TEST(RealFft, Of16Points) {
  RealFft<16>::check();
}
TEST(RealFft, Of32Points) {
  RealFft<32>::check();
}
TEST(RealFft, Of64Points) {
  RealFft<64>::check();
}

}  // namespace
}  // namespace ernn
