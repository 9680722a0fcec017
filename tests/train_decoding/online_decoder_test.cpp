// Decoding frame by frame gives what decoding the whole gives, and never takes anything back.
#include "train/online_decoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/options.h"
#include "tests/support/decoder_model.h"

namespace ernn {
namespace {

/// Posteriors that favour one output for a few frames each.
FrameMatrix made_up_posteriors(int frames, int outputs, std::mt19937& random) {
  std::normal_distribution<float> normal;
  FrameMatrix rows(frames, outputs);
  int favourite = 0;
  for (int t = 0; t < frames; ++t) {
    if (random() % 6 == 0) favourite = static_cast<int>(random() % outputs);
    for (int c = 0; c < outputs; ++c) rows.at(t, c) = normal(random) + (c == favourite ? 3.0F : 0);
  }
  log_softmax(rows);
  return rows;
}

DecoderModel made_up_model(int classes, std::mt19937& random) {
  std::vector<std::vector<int>> strings(5);
  for (auto& string : strings) {
    for (int i = 0; i < 30; ++i) string.push_back(static_cast<int>(random() % classes));
  }
  return estimate_decoder_model(strings, strings, classes);
}

void expect_whole(DecoderType type, int min_duration) {
  SCOPED_TRACE(name_of(type));
  std::mt19937 random(7);
  DecoderOptions options;
  options.type = type;
  options.min_duration = min_duration;
  constexpr int kClasses = 9;
  const int outputs = type == DecoderType::ctc_greedy ? kClasses + 1 : kClasses;
  for (const int frames : {0, 1, 2, 3, 5, 17, 400, 1000}) {
    const DecoderModel model = made_up_model(kClasses, random);
    const FrameMatrix posteriors = made_up_posteriors(frames, outputs, random);
    OnlineDecoder decoder(model, options, outputs);
    std::vector<int> phones;
    long long end = 0;
    const auto take = [&](const std::vector<PhoneSpan>& spans, long long now) {
      for (const PhoneSpan& span : spans) {
        phones.push_back(span.phone);
        EXPECT_GE(span.start, end);
        if (type != DecoderType::ctc_greedy) {
          EXPECT_EQ(span.start, end);
        }
        EXPECT_GT(span.end, span.start);
        EXPECT_LE(span.end, now);
        end = span.end;
      }
    };
    for (int t = 0; t < frames; ++t) take(decoder.push(posteriors.row(t)), t + 1);
    const std::size_t early = phones.size();
    take(decoder.finish(), frames);
    if (type != DecoderType::ctc_greedy) {
      EXPECT_EQ(end, frames);
    }
    EXPECT_EQ(phones, decode(posteriors, model, options)) << frames << " frames";
    if (frames >= 400) {
      EXPECT_GE(early + 8, phones.size()) << frames << " frames";
    }
  }
}

TEST(OnlineDecoder, EqualsDecodingTheWhole) {
  expect_whole(DecoderType::greedy, 1);
  expect_whole(DecoderType::ctc_greedy, 1);
  expect_whole(DecoderType::viterbi, 1);
  expect_whole(DecoderType::viterbi, 3);
  expect_whole(DecoderType::viterbi, 6);
}

TEST(OnlineDecoder, RefusesWhatItCannotDo) {
  std::mt19937 random(7);
  const DecoderModel model = made_up_model(4, random);
  DecoderOptions options;
  options.type = DecoderType::ctc_beam;
  EXPECT_THROW(OnlineDecoder(model, options, 5), UsageError);
  options.type = DecoderType::viterbi;
  EXPECT_THROW(OnlineDecoder(model, options, 5), UsageError);
}

TEST(OnlineDecoder, RefusesFramesThatAreNoPosteriors) {
  std::mt19937 random(7);
  const DecoderModel model = made_up_model(4, random);
  for (const DecoderType type : {DecoderType::greedy, DecoderType::viterbi}) {
    for (const float wrong :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      DecoderOptions options;
      options.type = type;
      OnlineDecoder decoder(model, options, 4);
      FrameMatrix rows = made_up_posteriors(2, 4, random);
      decoder.push(rows.row(0));
      rows.at(1, 2) = wrong;
      try {
        decoder.push(rows.row(1));
        ADD_FAILURE() << name_of(type) << " took " << wrong;
      } catch (const DataError& error) {
        EXPECT_EQ(std::string(error.what()).rfind("log-posterior of output 2 at frame 1 is ", 0),
                  0U);
      }
    }
  }
}

}  // namespace
}  // namespace ernn
