// Reference against a naive dense evaluation, emulator against reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "export/accumulators.h"
#include "export/comparison.h"
#include "export/emulator.h"
#include "export/reference.h"
#include "export/signals.h"
#include "tests/export/random_network.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using ::testing::HasSubstr;
using Values = std::vector<double>;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

/// W x with W written out: W[r, s] = c[(r - s) mod k] in each block.
Values dense_product(const FloatMatrix& matrix, const Values& x) {
  const MatrixShape& s = matrix.shape;
  Values y(at(s.rows));
  for (int r = 0; r < s.rows; ++r) {
    for (int c = 0; c < s.cols; ++c) {
      const int k = s.block;
      const int block = (r / k) * s.block_cols() + c / k;
      const double weight = k == 1 ? matrix.weights[at(r * s.cols + c)]
                                   : matrix.weights[at(block * k + (r % k - c % k + k) % k)];
      y[at(r)] += weight * x[at(c)];
    }
  }
  return y;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// One layer, straight from the equations, unit by unit.
class NaiveLayer {
 public:
  explicit NaiveLayer(const FloatLayer& layer)
      : layer_(layer), cell_(at(layer.options.size)), state_(at(layer.outputs())) {}

  Values step(const Values& x) {
    const int n = layer_.options.size;
    if (layer_.options.type == LayerType::feedforward) {
      seen_.push_back(x);
      Values y = dense_product(layer_.matrices[0], joined(x.size()));
      for (int i = 0; i < n; ++i) y[at(i)] = activate(y[at(i)] + layer_.bias[at(i)]);
      return y;
    }
    const Values a = dense_product(layer_.matrices[0], x);
    return layer_.options.type == LayerType::lstm ? lstm(a, n) : gru(a, n);
  }

 private:
  /// Element i of the frame at the n-th offset is element n width + i.
  Values joined(std::size_t width) const {
    const std::vector<int>& offsets = layer_.options.offsets;
    Values result(offsets.size() * width, 0.0);
    const int now = static_cast<int>(seen_.size()) - 1;
    for (std::size_t e = 0; e < result.size(); ++e) {
      const int t = now + offsets[e / width];
      if (t >= 0) result[e] = seen_[at(t)][e % width];
    }
    return result;
  }

  double activate(double v) const {
    switch (layer_.options.activation) {
      case Activation::relu:
        return v > 0 ? v : 0;
      case Activation::sigmoid:
        return sigmoid(v);
      case Activation::tanh:
        return std::tanh(v);
      case Activation::none:
        break;
    }
    return v;
  }

  Values lstm(const Values& a, int n) {
    const Values r = dense_product(layer_.matrices[1], state_);
    const auto pre = [&](int gate, int i) {
      return a[at(gate * n + i)] + r[at(gate * n + i)] + layer_.bias[at(gate * n + i)];
    };
    const auto peep = [&](int gate, int i) {
      return layer_.options.peepholes ? layer_.peephole[at(gate * n + i)] * cell_[at(i)] : 0.0;
    };
    Values m(at(n));
    for (int i = 0; i < n; ++i) {
      const double in = sigmoid(pre(0, i) + peep(0, i));
      const double forget = sigmoid(pre(1, i) + peep(1, i));
      double c = forget * cell_[at(i)] + in * std::tanh(pre(2, i));
      const double clip = layer_.options.cell_clip;
      if (clip > 0) c = std::max(-clip, std::min(clip, c));
      cell_[at(i)] = c;
      m[at(i)] = sigmoid(pre(3, i) + peep(2, i)) * std::tanh(c);
    }
    state_ = layer_.options.projection > 0 ? dense_product(layer_.matrices[2], m) : m;
    return state_;
  }

  Values gru(const Values& a, int n) {
    const Values u = dense_product(layer_.matrices[1], state_);
    Values z(at(n));
    Values r(at(n));
    for (int i = 0; i < n; ++i) {
      z[at(i)] = sigmoid(a[at(i)] + u[at(i)] + layer_.bias[at(i)]);
      r[at(i)] = sigmoid(a[at(n + i)] + u[at(n + i)] + layer_.bias[at(n + i)]);
    }
    Values v;
    if (layer_.options.reset == GruReset::before) {
      Values gated = state_;
      for (int i = 0; i < n; ++i) gated[at(i)] *= r[at(i)];
      v = dense_product(layer_.matrices[2], gated);
    } else {
      v = dense_product(layer_.matrices[2], state_);
      for (int i = 0; i < n; ++i) v[at(i)] = r[at(i)] * (v[at(i)] + layer_.candidate_bias[at(i)]);
    }
    for (int i = 0; i < n; ++i) {
      const double c = std::tanh(a[at(2 * n + i)] + v[at(i)] + layer_.bias[at(2 * n + i)]);
      state_[at(i)] = (1 - z[at(i)]) * state_[at(i)] + z[at(i)] * c;
    }
    return state_;
  }

  FloatLayer layer_;
  Values cell_, state_;
  std::vector<Values> seen_;
};

TEST(Reference, EqualsTheNaiveEvaluation) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 21, 1.5);
    std::vector<NaiveLayer> naive(network.layers.begin(), network.layers.end());
    Reference reference(network);
    const FrameMatrix frames = random_utterances(1, 30, model.options.inputs, 22)[0];
    for (int t = 0; t < frames.rows; ++t) {
      const Values frame(frames.row(t), frames.row(t) + frames.cols);
      Values expected = frame;
      for (NaiveLayer& layer : naive) expected = layer.step(expected);
      const Values found = reference.step(frame);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], expected[i], 1e-12) << model.name << " frame " << t;
    }
  }
}

TEST(Reference, ResetForgetsAndSignalsAreAsDocumented) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 23);
    const auto utterances = random_utterances(1, 5, model.options.inputs, 24);
    const Values frame(utterances[0].row(0), utterances[0].row(0) + utterances[0].cols);
    Reference reference(network);
    std::map<std::string, std::size_t> seen;
    reference.observe([&](const std::string& name, const Values& values) {
      EXPECT_TRUE(seen.emplace(name, values.size()).second) << name << " twice";
    });
    const Values first = reference.step(frame);
    const auto signals = traced_signals(quantise_at(network, utterances, 12));
    EXPECT_EQ(seen.size(), signals.size()) << model.name;
    for (const TracedSignal& signal : signals)
      EXPECT_EQ(seen[signal.name], at(signal.length)) << model.name << " " << signal.name;
    reference.observe(nullptr);
    reference.step(frame);
    reference.reset();
    EXPECT_EQ(reference.step(frame), first);
  }
}

TEST(Comparison, RatiosInWords) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(snr_text(52.14), "52.1");
  EXPECT_EQ(snr_text(-3), "-3.0");
  EXPECT_EQ(snr_text(infinity), "exact");
  EXPECT_EQ(snr_text(-infinity), "no signal");
}

double logit_snr(const FloatNetwork& network, const std::vector<FrameMatrix>& utterances,
                 int bits) {
  return compare_with_reference(network, quantise_at(network, utterances, bits), utterances)
      .back()
      .snr_db;
}

TEST(Emulator, ApproachesTheReferenceBySixDecibelsABit) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 31);
    const auto utterances = random_utterances(3, 40, model.options.inputs, 32);
    const double coarse = logit_snr(network, utterances, 8);
    const double middle = logit_snr(network, utterances, 12);
    const double fine = logit_snr(network, utterances, 16);
    EXPECT_GT(fine, 76) << model.name;
    EXPECT_GT(middle, 52) << model.name;
    EXPECT_NEAR((fine - coarse) / 8, 6.02, 1.0)
        << model.name << " " << coarse << " " << middle << " " << fine;
  }
}

// Products alone, every block size, with padding in rows and columns.
TEST(Emulator, MatrixProductsOfEveryBlockSize) {
  for (const int block : {1, 2, 4, 8, 16, 32, 64}) {
    for (const auto& [rows, cols] :
         std::vector<std::pair<int, int>>{{64, 64}, {70, 45}, {3, 130}}) {
      ModelOptions options;
      options.inputs = cols;
      options.outputs = rows;
      options.output_block = block;
      const FloatNetwork network = random_network(options, 41);
      const auto utterances = random_utterances(2, 40, cols, 42);
      for (const int bits : {12, 16}) {
        const auto errors =
            compare_with_reference(network, quantise_at(network, utterances, bits), utterances);
        for (const SignalError& error : errors) {
          // Roughly 6 dB a bit, less the distance from peak to mean of Gaussian values.
          EXPECT_GT(error.snr_db, 6.02 * bits - 23)
              << error.signal << " block " << block << " " << rows << "x" << cols;
        }
      }
    }
  }
}

TEST(Emulator, EverySignalIsTracedWithinItsFormat) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 51, 2);
    const auto utterances = random_utterances(1, 20, model.options.inputs, 52);
    const QuantisedNetwork quantised = quantise_at(network, utterances, 9);
    std::map<std::string, TracedSignal> expected;
    for (const TracedSignal& signal : traced_signals(quantised)) expected[signal.name] = signal;
    std::map<std::string, int> seen;
    Emulator emulator(quantised);
    emulator.trace([&](const std::string& name, const Emulator::Codes& codes) {
      ASSERT_TRUE(expected.count(name)) << name;
      ++seen[name];
      EXPECT_EQ(codes.size(), at(expected[name].length)) << name;
      for (const std::int32_t code : codes) {
        EXPECT_GE(code, expected[name].format.smallest()) << name;
        EXPECT_LE(code, expected[name].format.largest()) << name;
      }
    });
    std::int64_t saturations = 0;
    for (const auto& frame : quantise_frames(utterances[0], quantised.input_format(), saturations))
      emulator.step(frame);
    EXPECT_EQ(seen.size(), expected.size()) << model.name;
    for (const auto& [name, count] : seen) EXPECT_EQ(count, 20) << name;
  }
}

TEST(Emulator, ResetForgets) {
  const NamedModel model = every_kind_of_model().back();
  const FloatNetwork network = random_network(model.options, 53);
  const auto utterances = random_utterances(1, 10, model.options.inputs, 54);
  const QuantisedNetwork quantised = quantise_at(network, utterances, 12);
  std::int64_t saturations = 0;
  const auto codes = quantise_frames(utterances[0], quantised.input_format(), saturations);
  Emulator emulator(quantised);
  std::vector<Emulator::Codes> first;
  first.reserve(codes.size());
  for (const auto& frame : codes) first.push_back(emulator.step(frame));
  EXPECT_NE(emulator.step(codes[0]), first[0]);
  emulator.reset();
  for (std::size_t t = 0; t < codes.size(); ++t) EXPECT_EQ(emulator.step(codes[t]), first[t]);
}

// A network of one weight, so that every code can be worked out by hand.
QuantisedNetwork one_weight() {
  QuantisedNetwork network;
  QuantisedLayer layer;
  layer.options.type = LayerType::feedforward;
  layer.options.size = 1;
  layer.name = "output";
  layer.inputs = 1;
  layer.input = {8, 4};
  layer.bias = {8, 4};
  layer.output = {8, 4};
  QuantisedMatrix matrix;
  matrix.shape = {"output.input", 1, 1, 1};
  matrix.weight = {8, 2};
  matrix.product = {12, 8};
  matrix.codes = {64};  // 1.0
  layer.matrices.push_back(matrix);
  layer.bias_codes = {0};
  network.layers.push_back(layer);
  return network;
}

TEST(Emulator, CountsEverySaturation) {
  QuantisedNetwork network = one_weight();
  network.layers[0].matrices[0].product = {6, 3};  // +-4, eighths
  network.layers[0].output = {6, 2};               // +-2, sixteenths
  Emulator emulator(network);
  const auto step = [&](std::int32_t code) { return emulator.step({code})[0]; };
  const auto count = [&](std::size_t i) { return emulator.saturations().at(i).count; };
  EXPECT_EQ(step(16), 16);  // 1.0
  EXPECT_EQ(count(0), 0);
  EXPECT_EQ(count(1), 0);
  EXPECT_EQ(step(3 * 16), 31);  // 3.0 fits the product and not the output
  EXPECT_EQ(count(0), 0);
  EXPECT_EQ(count(1), 1);
  EXPECT_EQ(step(-6 * 16), -32);  // -6.0 fits neither
  EXPECT_EQ(count(0), 1);
  EXPECT_EQ(count(1), 2);
  EXPECT_EQ(emulator.saturations()[0].signal, "output.input.product");
  EXPECT_EQ(emulator.saturations()[1].signal, "output.output");
  EXPECT_EQ(emulator.saturations()[1].values, 3);
  // relu acts before narrowing: what becomes 0 does not count.
  network.layers[0].options.activation = Activation::relu;
  Emulator relu(network);
  EXPECT_EQ(relu.step({-3 * 16})[0], 0);
  EXPECT_EQ(relu.saturations()[1].count, 0);
}

// Without peepholes a gate's sum is that of the products and the bias. In formats far from 1 an
// alignment to anything else would overflow, or shift by more bits than there are.
TEST(Emulator, SumsWithoutPeepholesAlignToTheirOwnTerms) {
  const NamedModel model = every_kind_of_model()[0];
  ASSERT_FALSE(model.options.layers[0].peepholes);
  QuantisedNetwork network = quantise_at(random_network(model.options, 53),
                                         random_utterances(1, 10, model.options.inputs, 54), 12);
  QuantisedLayer& layer = network.layers[0];
  for (auto& code : layer.bias_codes) code = 2047;
  const auto preactivations = [&](const Format& format) {
    layer.bias = layer.matrices[0].product = layer.matrices[1].product = format;
    Emulator emulator(network);
    Emulator::Codes found;
    emulator.trace([&](const std::string& name, const Emulator::Codes& codes) {
      if (name == "layers.0.preactivation") found = codes;
    });
    emulator.step(Emulator::Codes(at(network.inputs()), 0));
    return found;
  };
  const auto largest = static_cast<std::int32_t>(layer.preactivation.largest());
  const std::size_t count = layer.bias_codes.size();
  EXPECT_EQ(preactivations({12, 68}), Emulator::Codes(count, largest));
  EXPECT_EQ(preactivations({12, -60}), Emulator::Codes(count, 0));
}

TEST(Emulator, RefusesWrongFrames) {
  Emulator emulator(one_weight());
  EXPECT_THROW(emulator.step({1, 2}), DataError);
  EXPECT_THROW(emulator.step({128}), DataError);
  EXPECT_NO_THROW(emulator.step({-128}));
}

// Worst cases by hand: 8 x 8 bits give 15 bits and the sign of (-128)^2 one more.
TEST(Accumulators, WidthsAndRefusal) {
  QuantisedNetwork network = one_weight();
  std::vector<AccumulatorWidth> widths = accumulator_widths(network);
  ASSERT_EQ(widths.size(), 2U);
  EXPECT_EQ(widths[0].name, "output.input: row");
  EXPECT_EQ(widths[0].bits, 16);
  // Product <12,8> (4 fraction bits) plus bias <8,4> (4): 2^11 + 2^7 needs 13 bits.
  EXPECT_EQ(widths[1].bits, 13);
  network.layers[0].matrices[0].shape.cols = 16;
  EXPECT_EQ(accumulator_widths(network)[0].bits, 20);
  QuantisedNetwork blocks = one_weight();
  blocks.layers[0].matrices[0].shape = {"output.input", 8, 16, 8};
  blocks.layers[0].matrices[0].spectrum = {12, 6};
  blocks.layers[0].matrices[0].sum = {12, 6};
  widths = accumulator_widths(blocks);
  // Input 2^7, guard 2^2, grown by 2^3, constants 2^16, two of them.
  EXPECT_EQ(widths[0].bits, 31);
  EXPECT_EQ(widths[1].bits, 22);  // weight 2^7, spectrum 2^11, two products, two blocks
  EXPECT_EQ(widths[2].bits, 36);  // sum 2^11, guard 2^2, grown by 2^4, constants 2^16, two of them
  network.layers[0].bias = {8, -44};  // 52 fraction bits: the product moves up by 48
  widths = accumulator_widths(network);
  EXPECT_EQ(widths[1].bits, 61);
  EXPECT_NO_THROW(check_accumulators(network));
  network.layers[0].bias = {8, -47};
  try {
    check_accumulators(network);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("output: output needs an accumulator of 64 bits"));
  }
}

// Nothing that the emulator adds up may exceed what was proved: driven to its limits under the
// undefined-behaviour sanitizer this test finds any overflow.
TEST(Accumulators, ExtremeCodesStayWithinTheirWidths) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 61, 4);
    QuantisedNetwork quantised =
        quantise_at(network, random_utterances(1, 10, model.options.inputs, 62), 16);
    make_weights_smallest(quantised);
    Emulator emulator(quantised);
    const Emulator::Codes low(at(quantised.inputs()),
                              static_cast<std::int32_t>(quantised.input_format().smallest()));
    for (int t = 0; t < 3; ++t) emulator.step(low);
    std::int64_t total = 0;
    for (const SaturationCount& count : emulator.saturations()) total += count.count;
    EXPECT_GT(total, 0);
  }
}

TEST(Quantise, WidthsFollowOptions) {
  const NamedModel model = every_kind_of_model()[2];
  const FloatNetwork network = random_network(model.options, 71);
  const RangeProfile profile = profile_ranges(network, random_utterances(1, 20, 13, 72));
  ExportOptions options;
  options.bits = 10;
  options.guard_bits = 3;
  options.widths = {
      {"cell", 18}, {"layers.0.cell", 20}, {"layers.0.recurrent.weight", 8}, {"input", 9}};
  const QuantisedNetwork quantised = quantise(network, profile, options);
  EXPECT_EQ(quantised.input_format().width, 9);
  EXPECT_EQ(quantised.layers[0].cell.width, 20);
  EXPECT_EQ(quantised.layers[1].cell.width, 18);
  EXPECT_EQ(quantised.layers[0].matrices[0].weight.width, 10);
  EXPECT_EQ(quantised.layers[0].matrices[1].weight.width, 8);
  EXPECT_EQ(quantised.layers[0].matrices[1].sum.width, 13);
  EXPECT_EQ(quantised.layers[0].gate, (Format{10, 1}));
  EXPECT_EQ(quantised.layers[1].input, quantised.layers[0].projected);
  EXPECT_EQ(quantised.logit_format().width, 10);
  options.widths = {{"layers.0.recurrent.wieght", 8}};
  try {
    quantise(network, profile, options);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no signal 'layers.0.recurrent.wieght'; did you mean "
                                        "'layers.0.recurrent.weight'?"));
  }
  EXPECT_THROW(quantise(network, {}, ExportOptions{}), DataError);
  options = {};
  options.bits = 17;
  EXPECT_THROW(quantise(network, profile, options), UsageError);
}

TEST(Quantise, NothingStoredSaturatesAndCalibrationFits) {
  for (const NamedModel& model : every_kind_of_model()) {
    const FloatNetwork network = random_network(model.options, 81, 2);
    const auto utterances = random_utterances(2, 30, model.options.inputs, 82);
    const QuantisedNetwork quantised = quantise_at(network, utterances, 16);
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const QuantisedLayer& layer = quantised.layers[l];
      for (std::size_t i = 0; i < layer.bias_codes.size(); ++i)
        EXPECT_NEAR(dequantise(layer.bias_codes[i], layer.bias), network.layers[l].bias[i],
                    std::ldexp(0.51, -layer.bias.fraction()));
    }
    for (const SignalError& error : compare_with_reference(network, quantised, utterances)) {
      // The cell before its clip may exceed the range after it.
      if (error.signal.find(".cell") != std::string::npos) continue;
      EXPECT_EQ(error.saturations, 0) << model.name << " " << error.signal;
    }
  }
}

TEST(Quantise, PercentileClipsOutliers) {
  ModelOptions options;
  options.inputs = 4;
  options.outputs = 3;
  const FloatNetwork network = random_network(options, 91);
  auto utterances = random_utterances(1, 400, 4, 92);
  utterances[0].at(7, 1) = 1000;
  const RangeProfile profile = profile_ranges(network, utterances);
  ExportOptions quantisation;
  EXPECT_EQ(quantise(network, profile, quantisation).input_format().integer, 11);
  quantisation.range = RangePolicy::percentile;
  quantisation.percentile = 99.9;
  const QuantisedNetwork clipped = quantise(network, profile, quantisation);
  EXPECT_LE(clipped.input_format().integer, 4);
  std::int64_t saturations = 0;
  quantise_frames(utterances[0], clipped.input_format(), saturations);
  EXPECT_EQ(saturations, 1);
  utterances[0].at(3, 0) = NAN;
  EXPECT_THROW(profile_ranges(network, utterances), DataError);
}

TEST(Quantise, WholeModelFileRoundTrip) {
  const TemporaryFolder folder;
  const NamedModel model = every_kind_of_model().back();
  const auto path = folder.path() / "model.safetensors";
  random_model(model.options, 95).tensors.save(path);
  const FloatNetwork back = FloatNetwork::from_model(ModelFile::load(path));
  const FloatNetwork direct = random_network(model.options, 95);
  ASSERT_EQ(back.layers.size(), direct.layers.size());
  for (std::size_t l = 0; l < back.layers.size(); ++l) {
    EXPECT_EQ(back.layers[l].name, direct.layers[l].name);
    EXPECT_EQ(back.layers[l].bias, direct.layers[l].bias);
    ASSERT_EQ(back.layers[l].matrices.size(), direct.layers[l].matrices.size());
    for (std::size_t m = 0; m < back.layers[l].matrices.size(); ++m)
      EXPECT_EQ(back.layers[l].matrices[m].weights, direct.layers[l].matrices[m].weights);
  }
}

}  // namespace
}  // namespace ernn
