// A network at several widths against what the emulator and the double reference say one by one.
#include "train/width_sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "export/emulator.h"
#include "export/quantise.h"
#include "tests/hls/test_projects.h"
#include "train/label_delay.h"

namespace ernn {
namespace {

using testing::HasSubstr;

constexpr int kInputs = 6;
constexpr int kDelay = 2;

ModelContext context() {
  ModelContext context;
  context.mean.assign(kInputs, 0.25);
  context.inverse_std.assign(kInputs, 4.0);
  context.phones = PhoneInventory::timit39;
  context.label_delay = kDelay;
  context.decoder.type = DecoderType::greedy;
  return context;
}

/// As they are before normalisation, which gives `normalised` back.
UtteranceSet speech(const std::vector<FrameMatrix>& normalised) {
  std::vector<LabelledUtterance> utterances;
  for (const FrameMatrix& features : normalised) {
    LabelledUtterance& utterance = utterances.emplace_back();
    utterance.id = "speaker_" + std::to_string(utterances.size());
    utterance.features = features;
    for (float& value : utterance.features.data) value = 0.25F + 0.25F * value;
    utterance.frame_labels.assign(static_cast<std::size_t>(features.rows), 1);
    utterance.phones = {1, 2, 3};
  }
  return utterances;
}

struct Problem {
  FloatNetwork network =
      random_network(project_model(kInputs, 39, {lstm_layer(16, 8, {4, 4, 4})}, 1), 7, 1.5);
  std::vector<FrameMatrix> frames = random_utterances(3, 30, kInputs, 8);
  RangeProfile profile = profile_ranges(network, frames);

  std::vector<WidthResult> sweep(const std::vector<int>& bits,
                                 std::optional<std::size_t> measured = {}) const {
    WidthSweep sweep;
    sweep.bits = bits;
    sweep.measured = measured;
    sweep.quiet = true;
    return sweep_widths(network, profile, {}, context(), speech(frames), sweep);
  }
};

TEST(WidthSweep, WiderCodesAreCloserToRealNumbers) {
  const Problem problem;
  const std::vector<WidthResult> results = problem.sweep({8, 12, 16});
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].bits, 0);
  EXPECT_TRUE(results[0].signals.empty());
  EXPECT_EQ(results[0].scores.total.tokens, 9);
  for (std::size_t w = 2; w < results.size(); ++w) {
    // Four bits are 24 dB.
    const double gained = results[w].signals.back().snr_db - results[w - 1].signals.back().snr_db;
    EXPECT_NEAR(gained, 24, 6);
    EXPECT_GT(results[w].stored_bits, results[w - 1].stored_bits);
  }
  EXPECT_EQ(results[3].scores.total.errors(), results[0].scores.total.errors());
}

TEST(WidthSweep, ScoresAreThoseOfTheEmulator) {
  const Problem problem;
  const std::vector<WidthResult> results = problem.sweep({8});
  ExportOptions options;
  options.bits = 8;
  const QuantisedNetwork network = quantise(problem.network, problem.profile, options);
  EXPECT_EQ(results[1].stored_bits, stored_bits(network));
  Emulator emulator(network);
  std::int64_t ignored = 0;
  ScoreSheet expected;
  for (const FrameMatrix& frames : problem.frames) {
    emulator.reset();
    const FrameMatrix delayed = with_delay_frames(frames, kDelay);
    FrameMatrix logits(delayed.rows, network.outputs());
    const CodeFrames codes = quantise_frames(delayed, network.input_format(), ignored);
    for (int t = 0; t < delayed.rows; ++t) {
      const auto row = emulator.step(codes[static_cast<std::size_t>(t)]);
      for (int i = 0; i < network.outputs(); ++i) {
        logits.at(t, i) = static_cast<float>(
            dequantise(row[static_cast<std::size_t>(i)], network.logit_format()));
      }
    }
    expected.add(score_utterance("u", {1, 2, 3}, decode_utterance(context(), logits),
                                 PhoneInventory::timit39, ScoringProtocol::kaldi));
  }
  EXPECT_EQ(results[1].scores.total.errors(), expected.total.errors());
  std::int64_t saturations = 0;
  for (const SaturationCount& count : emulator.saturations()) saturations += count.count;
  std::int64_t found = 0;
  for (const SignalError& signal : results[1].signals)
    found += signal.signal == "input" ? 0 : signal.saturations;
  EXPECT_EQ(found, saturations);
}

TEST(WidthSweep, PhoneErrorsAreTheSameHoweverManyUtterancesAreMeasured) {
  const Problem problem;
  const std::vector<WidthResult> all = problem.sweep({12, 6});
  EXPECT_NE(all[2].scores.total.errors(), all[0].scores.total.errors()) << "6 bits change nothing";
  for (const std::size_t measured : {0U, 1U, 2U, 9U}) {
    const std::vector<WidthResult> some = problem.sweep({12, 6}, measured);
    ASSERT_EQ(some.size(), all.size());
    for (std::size_t w = 0; w < all.size(); ++w) {
      ASSERT_EQ(some[w].scores.utterances.size(), problem.frames.size());
      for (std::size_t u = 0; u < problem.frames.size(); ++u) {
        EXPECT_EQ(some[w].scores.utterances[u].id, all[w].scores.utterances[u].id);
        EXPECT_EQ(some[w].scores.utterances[u].counts.errors(),
                  all[w].scores.utterances[u].counts.errors());
      }
      EXPECT_EQ(some[w].signals.empty(), w == 0 || measured == 0);
      EXPECT_EQ(measured_text(some[2]).empty(), measured >= problem.frames.size());
      if (some[w].signals.empty()) continue;
      const auto parts = static_cast<std::int64_t>(std::min(measured, problem.frames.size()));
      EXPECT_EQ(some[w].signals[0].values, all[w].signals[0].values * parts /
                                               static_cast<std::int64_t>(problem.frames.size()));
    }
  }
}

TEST(WidthSweep, ScoresAloneAreThoseOfTheSweep) {
  const Problem problem;
  const ScoreSheet expected = problem.sweep({6})[1].scores;
  ExportOptions options;
  options.bits = 6;
  const ScoreSheet found = score_quantised(quantise(problem.network, problem.profile, options),
                                           context(), speech(problem.frames));
  EXPECT_EQ(found.protocol, expected.protocol);
  ASSERT_EQ(found.utterances.size(), expected.utterances.size());
  for (std::size_t u = 0; u < expected.utterances.size(); ++u)
    EXPECT_EQ(found.utterances[u].counts.errors(), expected.utterances[u].counts.errors());
}

TEST(WidthSweep, TextAndJsonHoldEveryWidth) {
  const Problem problem;
  const std::vector<WidthResult> results = problem.sweep({10, 9});
  EXPECT_THAT(width_table(results), HasSubstr("float"));
  EXPECT_THAT(width_table(results), HasSubstr("protocol kaldi\n"));
  EXPECT_THAT(width_table(problem.sweep({10}, 1)),
              HasSubstr("protocol kaldi; signals of 1 of 3 utterances\n"));
  EXPECT_THAT(width_signals(results), HasSubstr("layers.0.cell_argument"));
  const auto json = nlohmann::json::parse(width_json(results));
  ASSERT_EQ(json.size(), 3U);
  EXPECT_EQ(json[1].at("bits"), 10);
  EXPECT_EQ(json[2].at("bits"), 9);
  EXPECT_EQ(json[2].at("signals").size(), results[2].signals.size());
  EXPECT_EQ(json[2].at("signals")[0].at("signal"), "input");
}

TEST(WidthSweep, AWidthThatDoesNotSuitIsRefusedFirst) {
  const Problem problem;
  EXPECT_THAT(
      [&] {
        problem.sweep({12, 40});
      },
      testing::ThrowsMessage<UsageError>(HasSubstr("export.bits")));
}

}  // namespace
}  // namespace ernn
