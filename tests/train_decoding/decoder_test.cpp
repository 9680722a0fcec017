#include "train/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "base/error.h"
#include "tests/support/decoder_model.h"

namespace ernn {
namespace {

using Phones = std::vector<int>;
using ::testing::HasSubstr;

constexpr float kInf = std::numeric_limits<float>::infinity();

FrameMatrix matrix(const std::vector<std::vector<float>>& rows) {
  FrameMatrix m(static_cast<int>(rows.size()), static_cast<int>(rows.front().size()));
  for (int t = 0; t < m.rows; ++t) {
    for (int c = 0; c < m.cols; ++c)
      m.at(t, c) = rows[static_cast<std::size_t>(t)][static_cast<std::size_t>(c)];
  }
  return m;
}

FrameMatrix random_posteriors(int frames, int outputs, std::mt19937& random) {
  std::uniform_real_distribution<float> logit(-2, 2);
  FrameMatrix m(frames, outputs);
  for (float& value : m.data) value = logit(random);
  log_softmax(m);
  return m;
}

DecoderModel random_model(int classes, std::mt19937& random) {
  std::uniform_int_distribution<int> phone(0, classes - 1);
  std::uniform_int_distribution<int> length(0, 6);
  std::vector<Phones> transcripts(5), labels(5);
  for (auto& transcript : transcripts) {
    transcript.resize(static_cast<std::size_t>(length(random)));
    for (int& p : transcript) p = phone(random);
  }
  for (auto& frames : labels) {
    frames.resize(10);
    for (int& p : frames) p = phone(random);
  }
  return estimate_decoder_model(transcripts, labels, classes);
}

double bigram(const DecoderModel& model, int classes, int previous, int next) {
  return model.log_bigram[static_cast<std::size_t>(previous) * (classes + 1) + next];
}

/// lm_weight log P(phones, end) - penalties; `classes` stands for start and end.
double grammar_score(const Phones& phones, const DecoderModel& model, const DecoderOptions& options,
                     int classes) {
  double score = 0;
  int previous = classes;
  for (const int phone : phones) {
    score +=
        options.lm_weight * bigram(model, classes, previous, phone) - options.insertion_penalty;
    previous = phone;
  }
  return score + options.lm_weight * bigram(model, classes, previous, classes);
}

/// Every segmentation of the frames from `begin` on, one after the other.
struct SegmentationSearch {
  const FrameMatrix& posteriors;
  const DecoderModel& model;
  const DecoderOptions& options;
  Phones phones;
  Phones best;
  double best_score = -std::numeric_limits<double>::infinity();
  long long seen = 0;

  void visit(int begin, double acoustic) {
    if (begin == posteriors.rows) {
      ++seen;
      const double score = acoustic + grammar_score(phones, model, options, posteriors.cols);
      if (score > best_score) {
        best_score = score;
        best = phones;
      }
      return;
    }
    for (int phone = 0; phone < posteriors.cols; ++phone) {
      double segment = acoustic;
      phones.push_back(phone);
      for (int t = begin; t < posteriors.rows; ++t) {
        segment += posteriors.at(t, phone) -
                   options.prior_scale * model.log_prior[static_cast<std::size_t>(phone)];
        if (t + 1 - begin >= options.min_duration) visit(t + 1, segment);
      }
      phones.pop_back();
    }
  }
};

/// Sums every path of outputs into the phone string it stands for.
std::map<Phones, double> ctc_string_probabilities(const FrameMatrix& posteriors) {
  std::map<Phones, double> strings;
  std::vector<int> path(static_cast<std::size_t>(posteriors.rows), 0);
  while (true) {
    double log_probability = 0;
    Phones phones;
    int previous = 0;
    for (int t = 0; t < posteriors.rows; ++t) {
      const int output = path[static_cast<std::size_t>(t)];
      log_probability += posteriors.at(t, output);
      if (output != 0 && output != previous) phones.push_back(output - 1);
      previous = output;
    }
    strings[phones] += std::exp(log_probability);
    std::size_t digit = 0;
    while (digit < path.size() && ++path[digit] == posteriors.cols) path[digit++] = 0;
    if (digit == path.size()) return strings;
  }
}

TEST(DecoderModel, CountsWithAddOneByHand) {
  const DecoderModel model = estimate_decoder_model({{0, 1, 1}, {1}}, {{0, 0, 1, -1}, {1, 1}}, 2);
  // Frames: class 0 twice, class 1 three times, one more of each.
  ASSERT_EQ(model.log_prior.size(), 2U);
  EXPECT_NEAR(model.log_prior[0], std::log(3.0 / 7), 1e-15);
  EXPECT_NEAR(model.log_prior[1], std::log(4.0 / 7), 1e-15);
  // Pairs: 0-1, 1-1, start-0, start-1, 1-end twice; one more of each of the nine.
  const std::vector<double> expected = {1.0 / 4, 2.0 / 4, 1.0 / 4, 1.0 / 6, 2.0 / 6,
                                        3.0 / 6, 2.0 / 5, 2.0 / 5, 1.0 / 5};
  ASSERT_EQ(model.log_bigram.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(model.log_bigram[i], std::log(expected[i]), 1e-15) << i;
}

TEST(DecoderModel, RefusesClassesOutsideTheSet) {
  EXPECT_THROW(estimate_decoder_model({{0, 2}}, {}, 2), DataError);
  EXPECT_THROW(estimate_decoder_model({{-1}}, {}, 2), DataError);
  EXPECT_THROW(estimate_decoder_model({}, {{-2}}, 2), DataError);
  EXPECT_THROW(estimate_decoder_model({}, {}, 0), UsageError);
}

TEST(LogSoftmax, RowsAreDistributions) {
  FrameMatrix m = matrix({{1000, 1000}, {0, std::log(3.0F)}, {-kInf, 5}});
  log_softmax(m);
  EXPECT_FLOAT_EQ(m.at(0, 0), std::log(0.5F));
  EXPECT_FLOAT_EQ(m.at(1, 0), std::log(0.25F));
  EXPECT_FLOAT_EQ(m.at(1, 1), std::log(0.75F));
  EXPECT_EQ(m.at(2, 0), -kInf);
  EXPECT_FLOAT_EQ(m.at(2, 1), 0);
}

TEST(Greedy, MergesRepeats) {
  DecoderOptions options;
  options.type = DecoderType::greedy;
  const FrameMatrix m =
      matrix({{0, -1, -2}, {-1, -1, -2}, {-2, -3, -1}, {-1, -3, -2}, {-3, -2, -3}});
  EXPECT_EQ(decode(m, {}, options), (Phones{0, 2, 0, 1}));
  EXPECT_EQ(decode(FrameMatrix(0, 3), {}, options), Phones{});
}

TEST(CtcGreedy, RemovesBlanksAfterMerging) {
  DecoderOptions options;
  options.type = DecoderType::ctc_greedy;
  // outputs: 1 1 0 1 2 0: a repeat merged, a repeat kept across the blank
  FrameMatrix m(6, 3);
  const std::vector<int> path = {1, 1, 0, 1, 2, 0};
  for (int t = 0; t < 6; ++t) m.at(t, path[static_cast<std::size_t>(t)]) = 1;
  EXPECT_EQ(decode(m, {}, options), (Phones{0, 0, 1}));
}

TEST(Viterbi, EqualsExhaustiveSearch) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> weight(0, 2);
  int repeats = 0, longer = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const int classes = 2 + trial % 2;
    DecoderOptions options;
    options.min_duration = 1 + trial % 3;
    options.prior_scale = weight(random);
    options.lm_weight = weight(random);
    options.insertion_penalty = weight(random) - 1.5;
    const FrameMatrix m = random_posteriors(options.min_duration + trial % 5, classes, random);
    const DecoderModel model = random_model(classes, random);
    SegmentationSearch search{m, model, options, {}, {}};
    search.visit(0, 0);
    ASSERT_GT(search.seen, 0);
    EXPECT_EQ(decode(m, model, options), search.best) << "trial " << trial;
    for (std::size_t i = 1; i < search.best.size(); ++i)
      repeats += search.best[i] == search.best[i - 1] ? 1 : 0;
    longer += search.best.size() > 1 ? 1 : 0;
  }
  // The trials did reach what makes the search hard.
  EXPECT_GT(repeats, 10);
  EXPECT_GT(longer, 50);
}

TEST(Viterbi, MinimumDurationSuppressesShortPhones) {
  DecoderOptions options;
  options.prior_scale = 0;
  options.lm_weight = 0;
  options.min_duration = 3;
  const DecoderModel model = estimate_decoder_model({}, {}, 2);
  const FrameMatrix m =
      matrix({{0, -1}, {0, -1}, {-1, 0}, {0, -1}, {0, -1}, {-9, 0}, {-9, 0}, {-9, 0}});
  EXPECT_EQ(decode(m, model, options), (Phones{0, 1}));
  options.min_duration = 1;
  EXPECT_EQ(decode(m, model, options), (Phones{0, 1, 0, 1}));
}

TEST(Viterbi, AnUtteranceShorterThanTheMinimumIsOnePhone) {
  DecoderOptions options;
  options.min_duration = 5;
  const DecoderModel model = estimate_decoder_model({}, {}, 2);
  EXPECT_EQ(decode(matrix({{-2, 0}, {0, -1}}), model, options), Phones{1});
  EXPECT_EQ(decode(FrameMatrix(0, 2), model, options), Phones{});
}

TEST(Viterbi, PriorSubtractionFavoursRareClasses) {
  DecoderOptions options;
  options.lm_weight = 0;
  options.min_duration = 1;
  options.prior_scale = 0;
  // One class has 99 frames, the other none: log-priors log(100/101) and log(1/101).
  const DecoderModel model = estimate_decoder_model({}, {Phones(99, 0)}, 2);
  const FrameMatrix m = matrix({{0, -4}});
  EXPECT_EQ(decode(m, model, options), Phones{0});
  options.prior_scale = 1;
  EXPECT_EQ(decode(m, model, options), Phones{1});
}

TEST(CtcBeam, EqualsTheSumOverAllPaths) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> weight(0, 1.5);
  int differs_from_greedy = 0;
  for (int trial = 0; trial < 120; ++trial) {
    const int classes = 1 + trial % 3;
    const FrameMatrix m = random_posteriors(1 + trial % 6, classes + 1, random);
    const DecoderModel model = random_model(classes, random);
    DecoderOptions options;
    options.type = DecoderType::ctc_beam;
    options.beam = 100000;
    options.lm_weight = trial % 4 == 0 ? 0 : weight(random);
    options.insertion_penalty = weight(random) - 1;
    Phones best;
    double best_score = -std::numeric_limits<double>::infinity();
    for (const auto& [phones, probability] : ctc_string_probabilities(m)) {
      const double score = std::log(probability) + grammar_score(phones, model, options, classes);
      if (score > best_score) {
        best_score = score;
        best = phones;
      }
    }
    EXPECT_EQ(decode(m, model, options), best) << "trial " << trial;
    options.type = DecoderType::ctc_greedy;
    differs_from_greedy += decode(m, model, options) != best ? 1 : 0;
  }
  EXPECT_GT(differs_from_greedy, 20);
}

TEST(CtcBeam, MergesPathsThatGreedyMisses) {
  // Best path is two blanks (0.36), but the paths of "0" add up to 0.64.
  const float blank = std::log(0.6F), label = std::log(0.4F);
  const FrameMatrix m = matrix({{blank, label}, {blank, label}});
  const DecoderModel model = estimate_decoder_model({}, {}, 1);
  DecoderOptions options;
  options.lm_weight = 0;
  options.beam = 2;
  options.type = DecoderType::ctc_beam;
  EXPECT_EQ(decode(m, model, options), Phones{0});
  options.type = DecoderType::ctc_greedy;
  EXPECT_EQ(decode(m, model, options), Phones{});
}

TEST(CtcBeam, ANarrowBeamFindsAPlantedString) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> output(0, 4);
  FrameMatrix m(200, 5);
  std::vector<int> path;
  for (int t = 0; t < m.rows; ++t) {
    path.push_back(t % 4 == 0 ? output(random) : path.back());
    for (int c = 0; c < m.cols; ++c) m.at(t, c) = c == path.back() ? 3.0F : 0.0F;
  }
  log_softmax(m);
  Phones planted;
  for (std::size_t t = 0; t < path.size(); ++t) {
    if (path[t] != 0 && (t == 0 || path[t] != path[t - 1])) planted.push_back(path[t] - 1);
  }
  const DecoderModel model = random_model(4, random);
  DecoderOptions options;
  options.type = DecoderType::ctc_beam;
  options.lm_weight = 0.3;
  options.beam = 4;
  EXPECT_GT(planted.size(), 20U);
  EXPECT_EQ(decode(m, model, options), planted);
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Decode, RefusesWidthsThatDoNotFit) {
  const DecoderModel model = estimate_decoder_model({}, {}, 3);
  DecoderOptions options;
  for (const auto type : {DecoderType::greedy, DecoderType::viterbi}) {
    options.type = type;
    EXPECT_NO_THROW(decode(FrameMatrix(2, 3), model, options));
    EXPECT_THROW(decode(FrameMatrix(2, 4), model, options), UsageError);
  }
  for (const auto type : {DecoderType::ctc_greedy, DecoderType::ctc_beam}) {
    options.type = type;
    EXPECT_NO_THROW(decode(FrameMatrix(2, 4), model, options));
    EXPECT_THROW(decode(FrameMatrix(2, 3), model, options), UsageError);
  }
  options.type = DecoderType::viterbi;
  EXPECT_THROW(decode(FrameMatrix(2, 3), {}, options), UsageError);
  EXPECT_THROW(decode(FrameMatrix(2, 0), model, options), UsageError);
  EXPECT_THAT(message_of([&] { decode(FrameMatrix(2, 4), model, options); }),
              HasSubstr("viterbi: 4 outputs"));
}

TEST(Decode, RefusesNanByFrameAndOutput) {
  const DecoderModel model = estimate_decoder_model({}, {}, 2);
  for (const auto type : {DecoderType::greedy, DecoderType::viterbi}) {
    DecoderOptions options;
    options.type = type;
    FrameMatrix m(4, 2);
    m.at(2, 1) = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THROW(decode(m, model, options), DataError);
    EXPECT_THAT(message_of([&] { decode(m, model, options); }),
                HasSubstr("output 1 at frame 2 is NaN"));
    m.at(2, 1) = kInf;
    EXPECT_THROW(decode(m, model, options), DataError);
    m.at(2, 1) = -kInf;
    EXPECT_NO_THROW(decode(m, model, options));
  }
}

TEST(Decode, ImpossibleFramesAreAnError) {
  const DecoderModel model = estimate_decoder_model({}, {}, 2);
  DecoderOptions options;
  EXPECT_THROW(decode(matrix({{0, 0}, {-kInf, -kInf}}), model, options), DataError);
  options.type = DecoderType::ctc_beam;
  EXPECT_THROW(decode(matrix({{0, 0, 0}, {-kInf, -kInf, -kInf}}), model, options), DataError);
}

TEST(Decode, RefusesSenselessOptions) {
  const DecoderModel model = estimate_decoder_model({}, {}, 2);
  DecoderOptions options;
  options.min_duration = 0;
  EXPECT_THROW(decode(FrameMatrix(1, 2), model, options), UsageError);
  EXPECT_THROW(validate(options, "decoder"), UsageError);
  options = {};
  EXPECT_NO_THROW(validate(options, "decoder"));
  options.beam = 0;
  EXPECT_THROW(decode(FrameMatrix(1, 2), model, options), UsageError);
}

}  // namespace
}  // namespace ernn
