// Features of speech that comes in pieces are those of the whole.
#include "features/feature_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/error.h"

namespace ernn {
namespace {

std::vector<float> noise(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1000);
  std::vector<float> samples(count);
  for (float& sample : samples) sample = normal(random);
  return samples;
}

/// Pushes pieces of random sizes up to `most`.
FrameMatrix in_pieces(const FeatureOptions& options, const std::vector<float>& samples,
                      std::size_t most, std::size_t& largest_delay) {
  std::mt19937 random(5);
  FeatureStream stream(options);
  FrameMatrix found(0, stream.dimension());
  const auto sink = [&](const float* row) {
    found.data.insert(found.data.end(), row, row + found.cols);
    ++found.rows;
  };
  for (std::size_t at = 0; at < samples.size();) {
    const std::size_t count = std::min(1 + random() % most, samples.size() - at);
    stream.push(&samples[at], count, sink);
    at += count;
    const auto frames = static_cast<std::size_t>(found.rows) * 160;
    largest_delay = std::max(largest_delay, at - std::min(at, frames));
  }
  stream.finish(sink);
  return found;
}

void expect_equal(const FeatureOptions& options) {
  const FeatureExtractor whole(options);
  for (const std::size_t length : {0, 1, 100, 399, 400, 560, 1000, 2345, 16000}) {
    const std::vector<float> samples = noise(length, 3);
    const FrameMatrix expected = whole.compute(samples);
    for (const std::size_t most : {1, 160, 5000}) {
      std::size_t delay = 0;
      const FrameMatrix found = in_pieces(options, samples, most, delay);
      EXPECT_EQ(found.rows, expected.rows) << length << " samples";
      EXPECT_EQ(found.data, expected.data) << length << " samples in pieces of " << most;
    }
  }
}

TEST(FeatureStream, EqualsTheWholeUtterance) {
  for (const char* preset : {"mfcc39", "fbank123"}) {
    FeatureOptions options;
    options.preset = preset;
    expect_equal(options);
    options.snip_edges = false;
    expect_equal(options);
  }
}

TEST(FeatureStream, AnyNumberOfDeltas) {
  for (const int order : {0, 1}) {
    FeatureOptions options;
    options.preset = "";
    options.delta_order = order;
    options.delta_window = 3;
    options.htk_compat = true;
    expect_equal(options);
  }
}

TEST(FeatureStream, WaitsForTheDeltasOnly) {
  FeatureOptions options;
  std::size_t delay = 0;
  in_pieces(options, noise(16000, 3), 1, delay);
  // A frame's own 400 samples and the shifts of 4 frames ahead.
  EXPECT_EQ(delay, 400U + 4 * 160 - 1);
}

TEST(FeatureStream, RefusesDither) {
  FeatureOptions options;
  options.dither = 1;
  EXPECT_THROW(FeatureStream{options}, UsageError);
}

}  // namespace
}  // namespace ernn
