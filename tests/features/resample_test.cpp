#include "features/resample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/sine.h"

namespace ernn {
namespace {

class Resample : public testing::TestWithParam<double> {};

TEST_P(Resample, MovesASineToTheExpectedFrequency) {
  const double factor = GetParam();
  const std::vector<float> out = resample(sine(1000, 8000), factor);
  EXPECT_EQ(out.size(), static_cast<std::size_t>(7999 / factor) + 1);
  const std::vector<float> expected = sine(1000 * factor, out.size());
  // Away from the ends, where the kernel sees silence.
  for (std::size_t i = 40; i + 40 < out.size(); ++i) ASSERT_NEAR(out[i], expected[i], 2.0) << i;
}

INSTANTIATE_TEST_SUITE_P(Factors, Resample, testing::Values(0.7, 0.88, 1.0, 1.15, 1.4));

TEST(Resample, RemovesWhatWouldFoldBack) {
  const std::vector<float> out = resample(sine(7500, 8000), 1.15);
  double power = 0;
  for (std::size_t i = 100; i + 100 < out.size(); ++i)
    power += static_cast<double>(out[i]) * out[i] / static_cast<double>(out.size() - 200);
  EXPECT_LT(power, 1e-4 * 500000);  // 40 dB below the sine
}

}  // namespace
}  // namespace ernn
