// The measurement of where 1/k goes, against what the emulator and counting by hand say.
#include "export/scale_places.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "export/emulator.h"
#include "tests/export/random_network.h"

namespace ernn {
namespace {

constexpr int kInputs = 13;
constexpr int kBits = 12;
constexpr int kGuarded = 16;

struct Problem {
  explicit Problem(int k) {
    ModelOptions options;
    options.inputs = kInputs;
    options.outputs = 11;
    options.layers = {lstm_layer(32, 16, {k, k, k}), gru_layer(32, GruReset::before, {k, k, 1})};
    network = random_network(options, 17);
    frames = random_utterances(2, 60, kInputs, 18);
    quantised = quantise_at(network, frames, kBits);
  }

  /// SNR by matrix, place and bits.
  std::map<std::string, double> measure(const std::vector<int>& bits) const {
    std::map<std::string, double> snrs;
    for (const ScaleError& error : compare_scale_places(network, quantised, frames, bits, 1))
      snrs[error.matrix + " " + name_of(error.place) + " " + std::to_string(error.bits)] =
          error.snr_db;
    return snrs;
  }

  FloatNetwork network;
  std::vector<FrameMatrix> frames;
  QuantisedNetwork quantised;
};

/// SNR of the emulator's first product against its own codes multiplied with W written out.
double emulated_snr(const Problem& problem) {
  const QuantisedMatrix& matrix = problem.quantised.layers[0].matrices[0];
  const MatrixShape& shape = matrix.shape;
  const int k = shape.block;
  // First columns: the inverse of the packed spectra, by its definition. 1/k is in the codes.
  std::vector<double> columns;
  for (std::size_t at = 0; at < matrix.codes.size(); at += static_cast<std::size_t>(k)) {
    for (int n = 0; n < k; ++n) {
      double sum = matrix.codes[at] + (n % 2 == 0 ? 1 : -1) * matrix.codes[at + 1];
      for (int b = 1; b < k / 2; ++b) {
        const double angle = 2 * std::acos(-1.0) * b * n / k;
        const std::size_t i = at + 2 * static_cast<std::size_t>(b);
        sum += 2 * (matrix.codes[i] * std::cos(angle) - matrix.codes[i + 1] * std::sin(angle));
      }
      columns.push_back(std::ldexp(sum, -matrix.weight.fraction()));
    }
  }
  std::vector<std::int32_t> product;
  Emulator emulator(problem.quantised);
  emulator.trace([&](const std::string& signal, const Emulator::Codes& codes) {
    if (signal == "layers.0.input.product") product = codes;
  });
  double signal = 0, noise = 0;
  std::int64_t ignored = 0;
  const Format& input = problem.quantised.input_format();
  for (const FrameMatrix& utterance : problem.frames) {
    emulator.reset();
    for (const auto& frame : quantise_frames(utterance, input, ignored)) {
      emulator.step(frame);
      for (int r = 0; r < shape.rows; ++r) {
        double exact = 0;
        for (int c = 0; c < shape.cols; ++c) {
          const int block = r / k * shape.block_cols() + c / k;
          const int place = block * k + (r % k - c % k + k) % k;
          exact += columns[static_cast<std::size_t>(place)] *
                   dequantise(frame[static_cast<std::size_t>(c)], input);
        }
        const double off = dequantise(product[static_cast<std::size_t>(r)], matrix.product) - exact;
        signal += exact * exact;
        noise += off * off;
      }
    }
  }
  return 10 * std::log10(signal / noise);
}

TEST(ScalePlaces, WeightsIsWhatTheEmulatorDoes) {
  for (const int k : {2, 8, 32}) {
    const Problem problem(k);
    EXPECT_NEAR(problem.measure({kGuarded})["layers.0.input weights 16"], emulated_snr(problem),
                1e-3)
        << k;
  }
}

TEST(ScalePlaces, EveryCirculantMatrixIsMeasuredAtEveryWidth) {
  const auto snrs = Problem(4).measure({12, 16});
  // Three matrices a layer, five places, two widths; the output layer is dense.
  EXPECT_EQ(snrs.size(), 6U * 5U * 2U);
  EXPECT_EQ(snrs.count("layers.1.candidate forward 12"), 1U);
  EXPECT_EQ(snrs.count("output.input weights 12"), 0U);
}

const std::vector<std::string> kMatrices = {"layers.0.input", "layers.1.recurrent",
                                            "layers.1.candidate"};

// Two bits are 12.04 dB where rounding these signals is all the error there is. What `end` keeps
// free is lost in the sums, which are most but not all of it.
TEST(ScalePlaces, NoiseFollowsTheBits) {
  auto snrs = Problem(16).measure({10, 12, 16});
  for (const std::string& matrix : kMatrices) {
    const auto snr = [&](const char* place, int bits) {
      return snrs.at(matrix + " " + place + " " + std::to_string(bits));
    };
    for (const char* place : {"weights", "end", "wide_inverse"})
      EXPECT_NEAR(snr(place, 12) - snr(place, 10), 12.04, 1.5) << matrix << " " << place;
    EXPECT_LT(snr("end", 12), snr("weights", 12) - 12) << matrix;
    EXPECT_GT(snr("end", 12), snr("weights", 12) - 6.02 * 4 - 1) << matrix;
    EXPECT_LT(snr("inverse", 12), snr("weights", 12)) << matrix;
    EXPECT_GT(snr("wide_inverse", 12), snr("inverse", 12)) << matrix;
    EXPECT_NEAR(snr("wide_inverse", 12), snr("weights", 12), 0.5) << matrix;
    // Halved inputs of 12 bits and 2 guard bits hold no spectra of 16.
    EXPECT_LT(snr("forward", 16), snr("weights", 16) - 12) << matrix;
  }
}

// Two guard bits take two halvings without loss, and k = 4 has no products to round.
TEST(ScalePlaces, GuardBitsTakeTheFirstHalvings) {
  auto snrs = Problem(4).measure({12});
  for (const std::string& matrix : kMatrices) {
    EXPECT_EQ(snrs.at(matrix + " inverse 12"), snrs.at(matrix + " weights 12"));
    EXPECT_EQ(snrs.at(matrix + " forward 12"), snrs.at(matrix + " weights 12"));
  }
}

TEST(ScalePlaces, AdderBitsCountedByHand) {
  // k = 4, 12-bit inputs, 16-bit sums, 2 guard bits: four adders a stage.
  EXPECT_EQ(transform_adder_bits(ScalePlace::weights, 4, 12, 16),
            4 * (15 + 16) + 4 * (16 + 2 + 2) + 4 * (16 + 2 + 3));
  EXPECT_EQ(transform_adder_bits(ScalePlace::end, 4, 12, 16), 4 * (15 + 16) + 4 * (18 + 19));
  EXPECT_EQ(transform_adder_bits(ScalePlace::inverse, 4, 12, 16), 4 * (15 + 16) + 4 * (20 + 20));
  EXPECT_EQ(transform_adder_bits(ScalePlace::wide_inverse, 4, 12, 16),
            4 * (15 + 16) + 4 * (22 + 22));
  EXPECT_EQ(transform_adder_bits(ScalePlace::forward, 4, 12, 16), 4 * (15 + 15) + 4 * (20 + 21));
}

}  // namespace
}  // namespace ernn
