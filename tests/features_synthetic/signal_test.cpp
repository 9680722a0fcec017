#include "features/synthetic_signal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/sine.h"

namespace ernn {
namespace {

constexpr double kPi = 3.141592653589793;

TEST(Tilt, HasTheGainOfItsTransferFunction) {
  std::vector<float> low = sine(100, 8000);
  std::vector<float> high = sine(7000, 8000);
  const double low_before = mean_power(low, 0, low.size());
  const double high_before = mean_power(high, 0, high.size());
  apply_tilt(low, 0.3);
  apply_tilt(high, 0.3);
  const auto gain = [](double hz) { return 1 + 0.09 + 2 * 0.3 * std::cos(2 * kPi * hz / kRate); };
  EXPECT_NEAR(mean_power(low, 0, low.size()) / low_before, gain(100), 0.01);
  EXPECT_NEAR(mean_power(high, 0, high.size()) / high_before, gain(7000), 0.01);
}

TEST(Room, AnswersAnImpulseWithItsReflections) {
  CorpusRandom random(3, "room");
  const std::vector<Reflection> room = draw_room(0.3, kRate, random);
  std::vector<float> samples(2000, 0.0F);
  samples[0] = 1;
  apply_room(samples, room);
  double expected = 1;
  for (const Reflection& reflection : room) {
    EXPECT_GE(reflection.delay, 64U);
    EXPECT_LT(reflection.delay, 641U);
    EXPECT_LE(std::abs(reflection.gain), 0.3);
    expected += reflection.gain;
  }
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x);
  EXPECT_NEAR(sum, expected, 1e-6);
  EXPECT_EQ(samples.size(), 2000U);
}

TEST(Noise, HasPowerOneAndRepeats) {
  CorpusRandom random(5, "noise");
  CorpusRandom again(5, "noise");
  CorpusRandom other(6, "noise");
  const std::vector<float> noise = draw_noise(32000, kRate, random);
  EXPECT_NEAR(mean_power(noise, 0, noise.size()), 1, 1e-5);
  EXPECT_EQ(noise, draw_noise(32000, kRate, again));
  EXPECT_NE(noise, draw_noise(32000, kRate, other));
}

TEST(Random, IsTheOneOfTheStandardEngine) {
  // Fixed values: they may not change between libraries, or the same seed would give another
  // corpus. The engine's are those of the standard, the rest follows in exact arithmetic.
  CorpusRandom random(1, "a");
  std::vector<double> drawn(100000);
  double sum = 0;
  double squares = 0;
  for (double& x : drawn) {
    x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 100000, 0, 0.01);
  EXPECT_NEAR(squares / 100000, 1, 0.02);
  for (int i = 0; i < 1000; ++i) {
    const double u = random.uniform();
    EXPECT_GE(u, 0);
    EXPECT_LT(u, 1);
    EXPECT_LT(random.index(7), 7U);
  }
}

}  // namespace
}  // namespace ernn
