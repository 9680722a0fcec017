// The fixed-point engine against the emulator: every logit code of every frame is the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/options.h"
#include "compute/isa.h"
#include "export/artefact_writer.h"
#include "export/emulator.h"
#include "runtime/engine.h"
#include "tests/export/random_network.h"

namespace ernn {
namespace {

/// Codes over the whole input format, its ends included.
CodeFrames wild_frames(const QuantisedNetwork& network, int frames, unsigned seed) {
  std::mt19937 random(seed);
  const Format& format = network.input_format();
  std::uniform_int_distribution<std::int64_t> any(format.smallest(), format.largest());
  CodeFrames result;
  for (int t = 0; t < frames; ++t) {
    std::vector<std::int32_t>& frame = result.emplace_back();
    for (int i = 0; i < network.inputs(); ++i) {
      const auto kind = random() % 8;
      frame.push_back(static_cast<std::int32_t>(kind == 0   ? format.smallest()
                                                : kind == 1 ? format.largest()
                                                            : any(random)));
    }
  }
  return result;
}

void expect_emulated(const QuantisedNetwork& network, const CodeFrames& frames, Isa isa,
                     const std::string& what) {
  SCOPED_TRACE(what + ", " + name_of(isa));
  Emulator emulator(network);
  EngineOptions options;
  options.isa = isa;
  Stream stream(Engine::from_network(network, "{}", options));
  for (std::size_t t = 0; t < frames.size(); ++t) {
    const std::int32_t* const codes = stream.step_codes(frames[t].data(), frames[t].size());
    const std::vector<std::int32_t> found(codes, codes + network.outputs());
    ASSERT_EQ(found, emulator.step(frames[t])) << "frame " << t;
  }
}

void expect_emulated(const QuantisedNetwork& network, const std::string& what) {
  CodeFrames frames = random_frames(network, 12, 5);
  const CodeFrames wild = wild_frames(network, 12, 7);
  frames.insert(frames.end(), wild.begin(), wild.end());
  for (const Isa isa : available_isas()) expect_emulated(network, frames, isa, what);
}

TEST(FixedEngine, EveryKindOfNetworkAtEveryWidth) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 3, 2);
    const auto utterances = random_utterances(2, 20, model.options.inputs, 4);
    for (const int bits : {6, 8, 11, 12, 16})
      expect_emulated(quantise_at(network, utterances, bits),
                      model.name + " at " + std::to_string(bits));
  }
}

TEST(FixedEngine, EveryBlockSizeInEveryMatrix) {
  for (int k = 1; k <= 64; k *= 2) {
    ModelOptions options;
    options.inputs = 37;
    options.outputs = 29;
    options.output_block = k;
    options.layers = {lstm_layer(128, 45, {k, k, k}), gru_layer(64, GruReset::before, {k, k, 1}),
                      gru_layer(192, GruReset::after, {k, k, 1}),
                      feedforward_layer(51, Activation::relu, k)};
    const FloatNetwork network = random_network(options, 8, 1.5);
    const auto utterances = random_utterances(2, 20, options.inputs, 4);
    for (const int bits : {9, 12, 14})
      expect_emulated(quantise_at(network, utterances, bits),
                      "k = " + std::to_string(k) + " at " + std::to_string(bits));
  }
}

/// The widest codes that can be exported: no product and no layer fits 32 bits.
TEST(FixedEngine, SixtyFourBitSums) {
  ExportOptions exported;
  exported.bits = 16;
  exported.guard_bits = 8;
  exported.widths["preactivation"] = 18;  // tables of wider ones take long to make
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 3, 2);
    const auto utterances = random_utterances(2, 20, model.options.inputs, 4);
    expect_emulated(quantise(network, profile_ranges(network, utterances), exported), model.name);
  }
}

/// Full 16-bit weights and spectra: a 32-bit sum holds one block column.
TEST(FixedEngine, PairsInManySegments) {
  ModelOptions options;
  options.inputs = 150;
  options.outputs = 19;
  options.layers = {lstm_layer(64, 0, {8, 16, 1}), feedforward_layer(70, Activation::none, 1)};
  ExportOptions exported;
  exported.bits = 16;
  exported.guard_bits = 0;
  const FloatNetwork network = random_network(options, 8, 2);
  const auto utterances = random_utterances(2, 20, options.inputs, 4);
  expect_emulated(quantise(network, profile_ranges(network, utterances), exported), "16 bits");
}

/// Smallest codes on both sides: a single pair of products takes more than 32 bits.
TEST(FixedEngine, SmallestCodesOfSixteenBits) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 61, 4);
    QuantisedNetwork quantised =
        quantise_at(network, random_utterances(1, 10, model.options.inputs, 62), 16);
    make_weights_smallest(quantised);
    const std::vector<std::int32_t> low(
        static_cast<std::size_t>(quantised.inputs()),
        static_cast<std::int32_t>(quantised.input_format().smallest()));
    for (const Isa isa : available_isas())
      expect_emulated(quantised, CodeFrames(3, low), isa, model.name);
  }
}

/// Formats that need left shifts, and shifts by more than a register, when they are narrowed.
TEST(FixedEngine, UnusualFormats) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 3, 2);
    const auto utterances = random_utterances(2, 20, model.options.inputs, 4);
    QuantisedNetwork usual = quantise_at(network, utterances, 10);
    for (const int step : {-3, 2, 30}) {
      QuantisedNetwork quantised = usual;
      for (QuantisedLayer& layer : quantised.layers) {
        for (QuantisedMatrix& matrix : layer.matrices) {
          if (matrix.shape.block > 1) matrix.sum.integer += step;
          matrix.product.integer += step < 30 ? -step : 0;
        }
      }
      expect_emulated(quantised, model.name + " moved by " + std::to_string(step));
    }
  }
}

TEST(FixedEngine, FeaturesAreQuantisedAsTheSimulatorDoes) {
  const NamedModel model = every_kind_of_model()[2];
  const auto utterances = random_utterances(1, 20, model.options.inputs, 4);
  const QuantisedNetwork network = quantise_at(random_network(model.options, 3), utterances, 12);
  FrameMatrix loud = utterances.front();
  for (float& value : loud.data) value *= 5;
  std::int64_t saturations = 0;
  const CodeFrames codes = quantise_frames(loud, network.input_format(), saturations);
  ASSERT_GT(saturations, 0);
  Emulator emulator(network);
  Stream stream(Engine::from_network(network, "{}"));
  for (int t = 0; t < loud.rows; ++t) {
    stream.step(loud.row(t), static_cast<std::size_t>(loud.cols));
    const std::int32_t* const found = stream.logit_codes();
    EXPECT_EQ(std::vector<std::int32_t>(found, found + network.outputs()),
              emulator.step(codes[static_cast<std::size_t>(t)]));
  }
}

}  // namespace
}  // namespace ernn
