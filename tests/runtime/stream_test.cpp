// What both engines promise: independent streams, reset, normalisation, checks of the input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "export/artefact_writer.h"
#include "runtime/engine.h"
#include "tests/export/random_network.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Frame = std::vector<float>;
using EnginePointer = std::shared_ptr<const Engine>;

constexpr int kInputs = 13;
constexpr std::size_t kWidth = 13;

ModelFile made_up_model() {
  ModelOptions options;
  options.inputs = kInputs;
  options.outputs = 11;
  options.layers = {lstm_layer(32, 12, {8, 16, 8}), gru_layer(16, GruReset::before, {4, 4, 1}),
                    gru_layer(16, GruReset::after, {4, 4, 1}),
                    feedforward_layer(20, Activation::tanh, 1)};
  return random_model(options, 3, 2);
}

QuantisedNetwork made_up_network() {
  return quantise_at(FloatNetwork::from_model(made_up_model()),
                     random_utterances(2, 20, kInputs, 4), 12);
}

std::vector<EnginePointer> both_engines() {
  return {Engine::from_model(made_up_model()), Engine::from_network(made_up_network(), "{}")};
}

Frame step(Stream& stream, const float* features, int outputs = 11) {
  const float* const found = stream.step(features, kWidth);
  return Frame(found, found + outputs);
}

std::vector<Frame> run(Stream& stream, const FrameMatrix& frames) {
  std::vector<Frame> result;
  result.reserve(static_cast<std::size_t>(frames.rows));
  for (int t = 0; t < frames.rows; ++t) result.push_back(step(stream, frames.row(t)));
  return result;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Stream, LogPosteriorsAreThoseOfTheLogits) {
  const FrameMatrix frames = random_utterances(1, 5, kInputs, 2).front();
  for (const EnginePointer& engine : both_engines()) {
    Stream stream(engine);
    for (int t = 0; t < frames.rows; ++t) {
      const Frame posteriors = step(stream, frames.row(t));
      double sum = 0;
      for (const float posterior : posteriors) sum += std::exp(posterior);
      EXPECT_NEAR(sum, 1, 1e-6);
      for (std::size_t c = 1; c < posteriors.size(); ++c) {
        EXPECT_NEAR(posteriors[c] - posteriors[0], stream.logits()[c] - stream.logits()[0], 1e-5);
      }
    }
  }
}

TEST(Stream, InterleavedStreamsEqualSeparateOnes) {
  const auto utterances = random_utterances(3, 15, kInputs, 2);
  for (const EnginePointer& engine : both_engines()) {
    std::vector<std::vector<Frame>> apart;
    for (const FrameMatrix& utterance : utterances) {
      Stream stream(engine);
      apart.push_back(run(stream, utterance));
    }
    std::vector<Stream> streams;
    for (std::size_t u = 0; u < utterances.size(); ++u) streams.emplace_back(engine);
    for (int t = 0; t < 15; ++t) {
      for (std::size_t u = 0; u < utterances.size(); ++u)
        EXPECT_EQ(step(streams[u], utterances[u].row(t)), apart[u][static_cast<std::size_t>(t)]);
    }
  }
}

TEST(Stream, ThreadsShareAnEngine) {
  const auto utterances = random_utterances(4, 50, kInputs, 2);
  for (const EnginePointer& engine : both_engines()) {
    std::vector<std::vector<Frame>> found(utterances.size());
    std::vector<std::thread> threads;
    for (std::size_t u = 0; u < utterances.size(); ++u) {
      threads.emplace_back([&, u] {
        Stream stream(engine);
        found[u] = run(stream, utterances[u]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t u = 0; u < utterances.size(); ++u) {
      Stream stream(engine);
      EXPECT_EQ(found[u], run(stream, utterances[u]));
    }
  }
}

TEST(Stream, ResetForgetsEverything) {
  const FrameMatrix frames = random_utterances(1, 15, kInputs, 2).front();
  for (const EnginePointer& engine : both_engines()) {
    Stream stream(engine);
    const std::vector<Frame> first = run(stream, frames);
    EXPECT_NE(run(stream, frames), first);
    stream.reset();
    EXPECT_EQ(run(stream, frames), first);
  }
}

TEST(Stream, NormalisesAsTheContextSays) {
  ModelFile model = made_up_model();
  const FrameMatrix frames = random_utterances(1, 4, kInputs, 2).front();
  std::string mean;
  std::string inverse_std;
  FrameMatrix raw = frames;
  for (int i = 0; i < kInputs; ++i) {
    mean += std::string(i > 0 ? "," : "") + std::to_string(i - 4);
    inverse_std += std::string(i > 0 ? "," : "") + (i % 2 == 0 ? "0.5" : "4");
    for (int t = 0; t < raw.rows; ++t)
      raw.at(t, i) = raw.at(t, i) / (i % 2 == 0 ? 0.5F : 4.0F) + static_cast<float>(i - 4);
  }
  Stream plain(Engine::from_model(model));
  model.context =
      "{\"mean\": [" + mean + "], \"inverse_std\": [" + inverse_std + "], \"label_delay\": 5}";
  const auto engine = Engine::from_model(model);
  EXPECT_EQ(engine->label_delay(), 5);
  Stream normalising(engine);
  for (int t = 0; t < frames.rows; ++t) {
    const Frame expected = step(plain, frames.row(t));
    const Frame found = step(normalising, raw.row(t));
    for (std::size_t c = 0; c < expected.size(); ++c) EXPECT_NEAR(found[c], expected[c], 1e-5);
  }
}

TEST(Stream, RefusesBadFramesAndGoesOn) {
  const FrameMatrix frames = random_utterances(1, 6, kInputs, 2).front();
  for (const EnginePointer& engine : both_engines()) {
    Stream untouched(engine);
    const std::vector<Frame> expected = run(untouched, frames);
    Stream stream(engine);
    for (int t = 0; t < frames.rows; ++t) {
      Frame bad(frames.row(t), frames.row(t) + kInputs);
      bad[7] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_EQ(error_of([&] { stream.step(bad.data(), kWidth); }),
                "frame " + std::to_string(t) + ": feature 7 is NaN, expected a finite number");
      bad[7] = -std::numeric_limits<float>::infinity();
      EXPECT_THAT(error_of([&] { stream.step(bad.data(), kWidth); }),
                  HasSubstr("feature 7 is infinite"));
      EXPECT_EQ(error_of([&] { stream.step(frames.row(t), kWidth - 1); }),
                "frame " + std::to_string(t) + ": found 12 features, expected 13");
      EXPECT_EQ(step(stream, frames.row(t)), expected[static_cast<std::size_t>(t)]);
    }
  }
}

TEST(Stream, RefusesCodesThatAreNone) {
  const std::vector<EnginePointer> engines = both_engines();
  std::vector<std::int32_t> codes(kWidth, 0);
  Stream floats(engines[0]);
  EXPECT_THAT(error_of([&] { floats.step_codes(codes.data(), kWidth); }),
              HasSubstr("floating point"));
  Stream stream(engines[1]);
  codes[2] = 2048;
  EXPECT_THAT(error_of([&] { stream.step_codes(codes.data(), kWidth); }),
              AllOf(HasSubstr("input code 2 is 2048"), HasSubstr("<12,")));
  EXPECT_THAT(error_of([&] { stream.step_codes(codes.data(), 1); }), HasSubstr("expected 13"));
}

TEST(Engine, RunsAnArtefactsGoldenFrames) {
  const TemporaryFolder folder;
  Artefact artefact;
  artefact.network = made_up_network();
  const Golden golden =
      make_golden(artefact.network, random_frames(artefact.network, 30, 9), 2, 30);
  write_artefact(artefact, golden, folder.path() / "artefact");
  const auto engine = Engine::load_artefact(folder.path() / "artefact");
  EXPECT_TRUE(engine->fixed_point());
  EXPECT_EQ(engine->inputs(), 13);
  EXPECT_EQ(engine->outputs(), 11);
  Stream stream(engine);
  for (std::size_t t = 0; t < golden.long_input.size(); ++t) {
    const std::int32_t* const codes = stream.step_codes(golden.long_input[t].data(), kWidth);
    EXPECT_EQ(std::vector<std::int32_t>(codes, codes + 11), golden.logits[t]);
  }
}

TEST(Engine, NamesWhatCannotBeLoaded) {
  const TemporaryFolder folder;
  const auto missing = folder.path() / "nothing";
  EXPECT_THAT(error_of([&] { Engine::load_artefact(missing); }),
              HasSubstr((missing / "manifest.json").string()));
  EXPECT_THAT(error_of([&] { Engine::load_model(missing); }), HasSubstr(missing.string()));
  write_file(missing, "neither");
  EXPECT_THAT(error_of([&] { Engine::load_model(missing); }), HasSubstr(missing.string()));
  ModelFile model = made_up_model();
  model.context = R"({"mean": [1, 2], "inverse_std": [1, 2]})";
  EXPECT_THAT(error_of([&] { Engine::from_model(model); }),
              HasSubstr("the context normalises 2 and 2 dimensions, but the network takes 13"));
  model.context = R"({"label_delay": -1})";
  EXPECT_THAT(error_of([&] { Engine::from_model(model); }), HasSubstr("label_delay is -1"));
  model.context = "{";
  EXPECT_THAT(error_of([&] { Engine::from_model(model); }), HasSubstr("broken context"));
}

}  // namespace
}  // namespace ernn
