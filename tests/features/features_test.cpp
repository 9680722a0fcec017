// Golden values come from kaldi-native-fbank (float32, dither 0) on a generated signal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <thread>

#include "base/error.h"
#include "base/options.h"
#include "features/deltas.h"
#include "features/feature_extractor.h"

namespace ernn {
namespace {

using testing::HasSubstr;

constexpr double kTolerance = 1e-3;

std::vector<float> signal(int count = 8000) {
  std::vector<float> samples;
  std::uint64_t state = 12345;
  for (int i = 0; i < count; ++i) {
    state = (1103515245 * state + 12345) % (1ULL << 31U);
    samples.push_back(static_cast<float>(static_cast<int>((state >> 16U) & 0x3fffU) - 8192));
  }
  return samples;
}

FeatureOptions plain(FeatureType type, int bins, bool energy) {
  FeatureOptions options;
  options.preset = "";
  options.type = type;
  options.bins = bins;
  options.energy = energy;
  options.delta_order = 0;
  return options;
}

FrameMatrix features(const FeatureOptions& options) {
  return FeatureExtractor(options).compute(signal());
}

void expect_shape(const FrameMatrix& x, int rows, int cols) {
  ASSERT_EQ(x.rows, rows);
  ASSERT_EQ(x.cols, cols);
  ASSERT_EQ(x.data.size(), static_cast<std::size_t>(rows) * cols);
}

/// The mean of all values: a sum of thousands of float32 values is only known to about 1e-6 of it,
/// so the tolerance of single values is asked of the mean.
void expect_sum(const FrameMatrix& x, double sum) {
  const double found = std::accumulate(x.data.begin(), x.data.end(), 0.0);
  EXPECT_NEAR(found / static_cast<double>(x.data.size()), sum / static_cast<double>(x.data.size()),
              2e-5);
}

void expect_values(const FrameMatrix& x, int row, int col, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(x.at(row, col + static_cast<int>(i)), expected[i], kTolerance)
        << "row " << row << " column " << col + static_cast<int>(i);
  }
}

TEST(Signal, IsTheOneOfTheGoldenValues) {
  const auto samples = signal();
  EXPECT_THAT(std::vector<float>(samples.begin(), samples.begin() + 8),
              testing::ElementsAre(-3108, 1796, -2459, -4694, -7649, 7853, -4835, 3930));
  EXPECT_EQ(std::accumulate(samples.begin(), samples.end(), 0.0), 413563);
}

TEST(Fbank, Bins23) {
  const auto x = features(plain(FeatureType::fbank, 23, false));
  expect_shape(x, 48, 23);
  expect_sum(x, 25181.187);
  expect_values(x, 0, 0, {16.8481, 18.4552, 19.2380, 18.4379});
  expect_values(x, 0, 21, {26.1263, 26.7429});
  expect_values(x, 24, 0, {16.2816, 17.8683, 18.1060, 19.3254});
  expect_values(x, 24, 21, {26.4415, 26.2539});
  expect_values(x, 47, 0, {16.9633, 17.7427, 18.0350, 17.7739});
  expect_values(x, 47, 21, {26.7581, 26.5280});
}

TEST(Fbank, Bins40) {
  const auto x = features(plain(FeatureType::fbank, 40, false));
  expect_shape(x, 48, 40);
  expect_sum(x, 42576.848);
  expect_values(x, 0, 0, {14.7574, 16.4235, 17.8714, 17.9535});
  expect_values(x, 0, 38, {26.2672, 26.2639});
  expect_values(x, 24, 0, {15.4755, 15.4516, 17.4052, 17.1380});
  expect_values(x, 24, 38, {25.4357, 25.9491});
  expect_values(x, 47, 0, {15.7118, 16.7283, 15.8811, 17.9234});
  expect_values(x, 47, 38, {25.8326, 26.0477});
}

TEST(Fbank, EnergyIsTheFirstColumn) {
  const auto x = features(plain(FeatureType::fbank, 40, true));
  expect_shape(x, 48, 41);
  expect_sum(x, 43676.083);
  expect_values(x, 0, 0, {22.8591, 14.7574});
  expect_values(x, 24, 0, {22.8756, 15.4755});
  expect_values(x, 47, 0, {22.8664, 15.7118});
}

TEST(Fbank, HtkCompatPutsEnergyLast) {
  FeatureOptions options = plain(FeatureType::fbank, 40, true);
  options.htk_compat = true;
  const auto x = features(options);
  expect_values(x, 0, 0, {14.7574, 16.4235});
  expect_values(x, 0, 39, {26.2639, 22.8591});
}

TEST(Fbank, EnergyAfterTheWindowIsTheWindowedFrames) {
  FeatureOptions options = plain(FeatureType::fbank, 40, true);
  options.raw_energy = false;
  options.window = Window::rectangular;
  options.preemphasis = 0;
  // Nothing is left between the two places where energy is measured.
  expect_values(features(options), 0, 0, {22.8591});
  options.window = Window::hanning;
  // The square of a Hann window has the mean 3/8.
  EXPECT_NEAR(features(options).at(0, 0), 22.8591 + std::log(0.375), 0.1);
}

TEST(Fbank, PreemphasisTreatsTheFirstSampleAsItsOwnPredecessor) {
  FeatureOptions options = plain(FeatureType::fbank, 40, true);
  options.raw_energy = false;
  options.window = Window::rectangular;  // the others hide the first sample
  options.remove_dc = false;
  // The first sample is most of the frame's energy, so that its factor 0.03 shows.
  auto samples = signal(400);
  for (float& sample : samples) sample /= 1000;
  samples[0] = 30000;
  samples[1] = static_cast<float>(0.97 * 30000);
  double energy = std::pow(0.03 * samples[0], 2);
  for (std::size_t i = 1; i < samples.size(); ++i) {
    energy += std::pow(samples[i] - 0.97 * samples[i - 1], 2);
  }
  const auto x = FeatureExtractor(options).compute(samples);
  EXPECT_NEAR(x.at(0, 0), std::log(energy), 1e-5);
}

TEST(Fbank, CentredFramesReflectTheEnds) {
  FeatureOptions options = plain(FeatureType::fbank, 40, false);
  options.snip_edges = false;
  const auto x = features(options);
  expect_shape(x, 50, 40);
  expect_sum(x, 44343.140);
  expect_values(x, 0, 0, {15.2109, 16.2390, 16.4858, 18.1666});
  expect_values(x, 24, 0, {16.0533, 17.0753, 17.5981, 18.1879});
  expect_values(x, 49, 0, {14.7502, 16.7130, 16.9002, 18.0185});
}

TEST(Mfcc, WithoutEnergy) {
  const auto x = features(plain(FeatureType::mfcc, 23, false));
  expect_shape(x, 48, 13);
  expect_sum(x, 1256.819);
  expect_values(x, 0, 0,
                {109.3002, -33.0561, -7.5269, -10.4364, -5.2147, -4.4059, 0.0999, -2.1805, -2.9675,
                 -6.1354, -2.1531, -3.0369, -5.2156});
  expect_values(x, 24, 0, {109.1459, -33.4943, -7.9374, -14.5574});
  expect_values(x, 47, 0, {108.3006, -36.2641, -8.1894, -12.0620});
}

TEST(Mfcc, EnergyReplacesTheFirstCoefficient) {
  const auto x = features(plain(FeatureType::mfcc, 23, true));
  expect_shape(x, 48, 13);
  expect_sum(x, -2894.587);
  expect_values(x, 0, 0, {22.8591, -33.0561});
  expect_values(x, 24, 0, {22.8756, -33.4943});
  expect_values(x, 47, 0, {22.8664, -36.2641});
}

TEST(Mfcc, HtkCompatPutsTheScaledFirstCoefficientLast) {
  FeatureOptions options = plain(FeatureType::mfcc, 23, false);
  options.htk_compat = true;
  const auto x = features(options);
  expect_values(x, 0, 0, {-33.0561, -7.5269});
  expect_values(x, 0, 11, {-5.2156, 109.3002 * std::sqrt(2.0)});
}

TEST(Mfcc, Preset39) {
  FeatureOptions options;
  options.preset = "mfcc39";
  const auto x = features(options);
  expect_shape(x, 48, 39);
  expect_sum(x, 1282.485);
  expect_values(x, 0, 0, {109.3002, -33.0561});
  expect_values(x, 0, 13, {0.1015, -0.2535, -0.4183, 0.1662});
  expect_values(x, 0, 26, {0.0046, -0.0390, 0.0347, 0.0655});
  expect_values(x, 24, 13, {0.2256, 0.9833, 1.5822, -0.2248});
  expect_values(x, 24, 26, {0.0601, -0.0321, -0.0797, 0.6288});
}

TEST(Fbank, Preset123IsDeltasOfEnergyAndBins) {
  const auto x = features(FeatureOptions{});
  expect_shape(x, 48, 123);
  expect_sum(x, 43666.981);
  expect_values(x, 24, 0, {22.8756, 15.4755});
  expect_values(x, 24, 41, {0.0231, 0.0494, 0.2658});
  expect_values(x, 24, 82, {0.0064, 0.1279, 0.1140});
}

TEST(Fbank, Preset153) {
  FeatureOptions options;
  options.preset = "fbank153";
  EXPECT_EQ(feature_dimension(options), 153);
  expect_shape(features(options), 48, 153);
}

TEST(MelBank, MatchesKaldisWeights) {
  const auto sum = [](const MelBank& bank) {
    double total = 0;
    for (const auto& filter : bank.filters()) {
      total += std::accumulate(filter.weights.begin(), filter.weights.end(), 0.0);
    }
    return total;
  };
  const auto expect_filter = [](const MelBank::Filter& filter, int first,
                                const std::vector<double>& weights) {
    EXPECT_EQ(filter.first, first);
    ASSERT_EQ(filter.weights.size(), weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      EXPECT_NEAR(filter.weights[i], weights[i], 1e-4);
    }
  };
  const MelBank forty(40, 512, 16000, 20, 8000);
  expect_filter(forty.filters()[0], 1, {0.2551, 0.9436, 0.3955});
  EXPECT_EQ(forty.filters()[39].first, 225);
  EXPECT_EQ(forty.filters()[39].weights.size(), 255U - 225 + 1);
  EXPECT_NEAR(sum(forty), 246.400, kTolerance);
  const MelBank few(23, 512, 16000, 20, 8000);
  expect_filter(few.filters()[0], 1, {0.1493, 0.5524, 0.9392, 0.6888, 0.3308});
  EXPECT_NEAR(sum(few), 240.171, kTolerance);
}

TEST(MelBank, FiltersWithoutAnyFftBinAreRefused) {
  FeatureOptions options = plain(FeatureType::fbank, 200, false);
  EXPECT_THROW(FeatureExtractor{options}, UsageError);
}

TEST(Windows, Coefficients) {
  EXPECT_NEAR(make_window(Window::povey, 400)[100], 0.5566, 1e-4);
  for (const Window window : {Window::povey, Window::hanning}) {
    EXPECT_NEAR(make_window(window, 401)[0], 0, 1e-12);
    EXPECT_NEAR(make_window(window, 401)[200], 1, 1e-12);
    EXPECT_NEAR(make_window(window, 401)[400], 0, 1e-12);
  }
  EXPECT_NEAR(make_window(Window::hamming, 401)[0], 0.08, 1e-12);
  EXPECT_NEAR(make_window(Window::hamming, 401)[200], 1, 1e-12);
  EXPECT_NEAR(make_window(Window::blackman, 401)[0], 0, 1e-12);
  EXPECT_NEAR(make_window(Window::blackman, 401)[100], 0.34, 1e-12);
  EXPECT_EQ(make_window(Window::rectangular, 401)[0], 1);
}

TEST(Deltas, KernelsAreKaldis) {
  const auto scaled = [](const std::vector<double>& kernel, double factor) {
    std::vector<double> out;
    out.reserve(kernel.size());
    for (const double tap : kernel) out.push_back(tap * factor);
    return out;
  };
  const auto near = [](const std::vector<double>& expected) {
    std::vector<testing::Matcher<double>> matchers;
    matchers.reserve(expected.size());
    for (const double value : expected) matchers.emplace_back(testing::DoubleNear(value, 1e-12));
    return testing::ElementsAreArray(matchers);
  };
  EXPECT_THAT(scaled(delta_kernel(1, 2), 10), near({-2, -1, 0, 1, 2}));
  EXPECT_THAT(scaled(delta_kernel(2, 2), 100), near({4, 4, 1, -4, -10, -4, 1, 4, 4}));
}

TEST(Deltas, EndsRepeatTheLastFrame) {
  FrameMatrix x(3, 1);
  x.data = {0, 10, 30};
  const FrameMatrix y = add_deltas(x, 2, 2);
  // By hand: (-2 * 0 - 1 * 0 + 1 * 10 + 2 * 30) / 10 at the first frame and so on.
  EXPECT_NEAR(y.at(0, 1), 7.0, 1e-6);
  EXPECT_NEAR(y.at(1, 1), 9.0, 1e-6);
  EXPECT_NEAR(y.at(2, 1), 8.0, 1e-6);
  // (-10 * 0 - 4 * 10 + 1 * 30 + 4 * 30 + 4 * 30 + all zeros to the left) / 100.
  EXPECT_NEAR(y.at(0, 2), 2.3, 1e-6);
}

TEST(Framing, CountsAndCentres) {
  FeatureOptions options;
  EXPECT_EQ(frame_count(options, 0), 0);
  EXPECT_EQ(frame_count(options, 399), 0);
  EXPECT_EQ(frame_count(options, 400), 1);
  EXPECT_EQ(frame_count(options, 559), 1);
  EXPECT_EQ(frame_count(options, 560), 2);
  EXPECT_EQ(frame_centre(options, 0), 200);
  EXPECT_EQ(frame_centre(options, 10), 1800);
  options.snip_edges = false;
  EXPECT_EQ(frame_count(options, 79), 0);
  EXPECT_EQ(frame_count(options, 80), 1);
  EXPECT_EQ(frame_count(options, 8000), 50);
  EXPECT_EQ(frame_begin(options, 0), -120);
  EXPECT_EQ(frame_centre(options, 0), 80);
}

TEST(Framing, ShortAudioGivesNoFramesOrReflectsRepeatedly) {
  FeatureOptions options;
  for (const int count : {0, 1, 399}) {
    expect_shape(FeatureExtractor(options).compute(signal(count)), 0, 123);
  }
  options.snip_edges = false;
  const auto x = FeatureExtractor(options).compute(signal(85));
  expect_shape(x, 1, 123);
  for (const float value : x.data) EXPECT_TRUE(std::isfinite(value));
}

TEST(Framing, SilenceIsFlooredNotInfinite) {
  const auto x = FeatureExtractor(FeatureOptions{}).compute(std::vector<float>(800, 0.0F));
  EXPECT_NEAR(x.at(0, 0), std::log(1.1920929e-7), 1e-5);
  EXPECT_NEAR(x.at(0, 1), std::log(1.1920929e-7), 1e-5);
}

TEST(Framing, DitherRepeatsAndHasTheRightSize) {
  FeatureOptions options = plain(FeatureType::fbank, 40, true);
  options.dither = 100;
  const std::vector<float> silence(16000, 0.0F);
  const auto x = FeatureExtractor(options).compute(silence);
  EXPECT_EQ(x.data, FeatureExtractor(options).compute(silence).data);
  double energy = 0;
  for (int t = 0; t < x.rows; ++t) energy += std::exp(x.at(t, 0)) / x.rows;
  EXPECT_NEAR(std::sqrt(energy / 400), 100, 3);
}

TEST(Features, ExtractorIsSafeToShareBetweenThreads) {
  const auto expected = features(FeatureOptions{});
  std::vector<std::thread> threads;
  std::vector<FrameMatrix> results(4);
  threads.reserve(results.size());
  for (auto& result : results) {
    threads.emplace_back([&result] { result = features(FeatureOptions{}); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result.data, expected.data);
}

std::string refusal(const FeatureOptions& options) {
  try {
    resolve(options);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(FeatureOptions, NonsenseIsRefusedByName) {
  const auto with = [](auto change) {
    FeatureOptions options = plain(FeatureType::mfcc, 23, false);
    change(options);
    return refusal(options);
  };
  EXPECT_EQ(with([](auto&) {}), "accepted");
  EXPECT_THAT(with([](auto& o) { o.preset = "fbank124"; }), HasSubstr("did you mean 'fbank123'"));
  EXPECT_THAT(with([](auto& o) { o.sample_rate = 0; }), HasSubstr("features.sample_rate is 0"));
  EXPECT_THAT(with([](auto& o) { o.frame_length_ms = std::nan(""); }),
              HasSubstr("features.frame_length_ms is nan"));
  EXPECT_THAT(with([](auto& o) { o.frame_shift_ms = 0; }), HasSubstr("frame_shift_ms is 0"));
  EXPECT_THAT(with([](auto& o) { o.preemphasis = 2; }), HasSubstr("preemphasis is 2"));
  EXPECT_THAT(with([](auto& o) { o.dither = -1; }), HasSubstr("dither is -1"));
  EXPECT_THAT(with([](auto& o) { o.low_hz = 9000; }), HasSubstr("low_hz is 9000"));
  EXPECT_THAT(with([](auto& o) { o.high_hz = 9000; }), HasSubstr("high_hz is 9000"));
  EXPECT_THAT(with([](auto& o) { o.high_hz = -7990; }), HasSubstr("high_hz is -7990"));
  EXPECT_THAT(with([](auto& o) { o.bins = 2; }), HasSubstr("bins is 2"));
  EXPECT_THAT(with([](auto& o) { o.cepstra = 24; }), HasSubstr("cepstra is 24"));
  EXPECT_THAT(with([](auto& o) { o.delta_order = 3; }), HasSubstr("delta_order is 3"));
  EXPECT_THAT(with([](auto& o) { o.delta_window = 0; }), HasSubstr("delta_window is 0"));
}

TEST(FeatureOptions, PresetsDoNotHideAFieldThatSaysOtherwise) {
  FeatureOptions options;
  options.bins = 30;
  EXPECT_THAT(refusal(options), HasSubstr("features.bins is 30 but preset fbank123 has 40"));
  options = {};
  options.type = FeatureType::mfcc;
  EXPECT_THAT(refusal(options), HasSubstr("features.type is mfcc but preset fbank123 has fbank"));
  options = {};
  options.energy = false;
  EXPECT_THAT(refusal(options), HasSubstr("features.energy is false but preset fbank123 has true"));
  options = {};
  options.preset = "mfcc39";
  // What is written out with every key, resolved or not, is read back.
  EXPECT_EQ(refusal(read_options<FeatureOptions>(write_options(options))), "accepted");
  options = resolve(read_options<FeatureOptions>(write_options(resolve(options))));
  EXPECT_EQ(options.type, FeatureType::mfcc);
  EXPECT_EQ(options.bins, 23);
  EXPECT_FALSE(options.energy);
}

}  // namespace
}  // namespace ernn
