// The differentiable fixed-point network: values against the integer emulator, bit for bit;
// gradients against those of the network in real numbers.
#include "train/fixed_point_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "export/emulator.h"
#include "models/circulant.h"
#include "tests/export/random_network.h"
#include "tests/models/gradient_check.h"
#include "train/fixed_point_ops.h"

namespace ernn {
namespace {

using fixed_point::narrow;
using testing::HasSubstr;
using torch::Tensor;

/// A network in real numbers and in fixed point.
struct Networks {
  AcousticModel model{nullptr};  ///< F32
  FloatNetwork real;
  QuantisedNetwork quantised;
};

Networks make_networks(const ModelOptions& options, const QuantisationOptions& quantisation,
                       const std::vector<FrameMatrix>& utterances, double gain = 1) {
  Networks networks;
  const ModelFile file = random_model(options, 11, gain);
  networks.model = AcousticModel(options);
  networks.model->load_tensors(file.tensors, "random");
  networks.real = FloatNetwork::from_model(file);
  networks.quantised =
      quantise(networks.real, profile_ranges(networks.real, utterances), quantisation);
  return networks;
}

/// Utterances of equal length as a batch [frames, batch, inputs].
Tensor batch_of(const std::vector<FrameMatrix>& utterances) {
  std::vector<Tensor> sequences;
  for (const FrameMatrix& utterance : utterances)
    sequences.push_back(torch::tensor(utterance.data).view({utterance.rows, utterance.cols}));
  return torch::stack(sequences, 1);
}

Tensor lengths_of(const Tensor& batch) {
  return torch::full({batch.size(1)}, batch.size(0), torch::kLong);
}

/// What each layer hands on in the emulator, as real numbers [frames, batch, outputs].
struct Emulated {
  std::vector<Tensor> layers;
  std::int64_t saturations = 0;
};

Emulated emulate(const QuantisedNetwork& network, const std::vector<FrameMatrix>& utterances) {
  Emulator emulator(network);
  std::map<std::string, std::vector<double>> values;
  std::map<std::string, Format> formats;
  for (const QuantisedLayer& layer : network.layers) {
    const LayerOptions& options = layer.options;
    const char* kind = options.type == LayerType::feedforward ? ".output"
                       : options.projection > 0               ? ".projected"
                                                              : ".hidden";
    formats[layer.name + kind] = layer.output_format();
  }
  emulator.trace([&](const std::string& signal, const Emulator::Codes& codes) {
    const auto found = formats.find(signal);
    if (found == formats.end()) return;
    for (const std::int32_t code : codes) values[signal].push_back(dequantise(code, found->second));
  });
  std::int64_t input_saturations = 0;
  for (const FrameMatrix& utterance : utterances) {
    emulator.reset();
    for (const auto& frame : quantise_frames(utterance, network.input_format(), input_saturations))
      emulator.step(frame);
  }
  Emulated result;
  result.saturations = input_saturations;
  for (const SaturationCount& signal : emulator.saturations()) result.saturations += signal.count;
  const auto count = static_cast<std::int64_t>(utterances.size());
  // formats is in the order of names: layers.0, layers.1, ..., output
  for (const auto& [signal, format] : formats) {
    result.layers.push_back(torch::tensor(values[signal], torch::kDouble)
                                .view({count, utterances[0].rows, -1})
                                .transpose(0, 1));
  }
  return result;
}

/// Every layer of the fixed-point network gives the emulator's codes.
void expect_emulated(const Networks& networks, const std::vector<FrameMatrix>& utterances,
                     const std::string& what, bool saturates = false) {
  const Emulated emulated = emulate(networks.quantised, utterances);
  if (saturates) {
    EXPECT_GT(emulated.saturations, 0) << what;
  }
  const FixedPointNetwork network(networks.quantised, networks.model);
  Tensor x = batch_of(utterances);
  for (std::size_t i = 0; i < emulated.layers.size(); ++i) {
    x = network.layer(i, x, nullptr);
    EXPECT_EQ(x.scalar_type(), torch::kDouble);
    EXPECT_TRUE(torch::equal(x.detach(), emulated.layers[i]))
        << what << ", layer " << i << ": "
        << (x.detach() != emulated.layers[i]).sum().item<std::int64_t>() << " of " << x.numel()
        << " values differ";
    const torch::NoGradGuard no_gradient;  // computes without the parts that gradients need
    const Tensor before = i == 0 ? batch_of(utterances) : emulated.layers[i - 1];
    EXPECT_TRUE(torch::equal(network.layer(i, before, nullptr), emulated.layers[i])) << what;
  }
}

/// Small networks of each kind whose matrices all have block size k.
std::vector<NamedModel> models_with_blocks(int k) {
  const BlockSizes block = {k, k, k};
  LayerOptions clipped = lstm_layer(16, 10, block);
  clipped.cell_clip = 0.5;
  std::vector<NamedModel> models;
  for (const auto& [name, layer] : std::vector<std::pair<std::string, LayerOptions>>{
           {"lstm", clipped},
           {"gru before", gru_layer(16, GruReset::before, block)},
           {"gru after", gru_layer(16, GruReset::after, block)},
           {"feed-forward", feedforward_layer(18, Activation::tanh, k)},
           {"tdnn", joining(feedforward_layer(18, Activation::tanh, k), {-3, -1, 0})}}) {
    ModelOptions options;
    options.inputs = 7;
    options.outputs = 5;
    options.layers = {layer, layer};
    options.output_block = k;
    models.push_back({name, options});
  }
  return models;
}

TEST(FixedPointNetwork, EqualsTheEmulatorForEveryBlockSizeAndWidth) {
  const auto utterances = random_utterances(2, 12, 7, 5);
  for (const int k : {1, 2, 4, 8, 16}) {
    for (const NamedModel& model : models_with_blocks(k)) {
      for (const int bits : {6, 12, 16}) {
        QuantisationOptions options;
        options.bits = bits;
        expect_emulated(make_networks(model.options, options, utterances), utterances,
                        fmt::format("{}, k = {}, {} bits", model.name, k, bits));
      }
    }
  }
}

TEST(FixedPointNetwork, EqualsTheEmulatorForEveryKindOfLayer) {
  const auto utterances = random_utterances(2, 12, 13, 6);
  for (const NamedModel& model : every_kind_of_model())
    expect_emulated(make_networks(model.options, {}, utterances), utterances, model.name);
}

TEST(FixedPointNetwork, EqualsTheEmulatorWhereSignalsSaturate) {
  const auto utterances = random_utterances(2, 12, 13, 7);
  QuantisationOptions options;
  options.bits = 8;
  options.guard_bits = 1;
  options.headroom = 0.25;
  for (const NamedModel& model : every_kind_of_model())
    expect_emulated(make_networks(model.options, options, utterances, 2), utterances, model.name,
                    /*saturates=*/true);
}

TEST(FixedPointNetwork, EqualsTheEmulatorAfterTheParametersHaveMoved) {
  const auto utterances = random_utterances(2, 12, 13, 8);
  for (const NamedModel& model : every_kind_of_model()) {
    Networks networks = make_networks(model.options, {}, utterances);
    const FixedPointNetwork network(networks.quantised, networks.model);
    {
      // Beyond what the formats hold.
      const torch::NoGradGuard no_gradient;
      for (auto& parameter : networks.model->parameters()) parameter.mul_(1.7);
    }
    ModelFile file;
    file.options = model.options;
    file.tensors = networks.model->to_tensor_file("{}");
    networks.quantised = quantise(FloatNetwork::from_model(file), networks.quantised);
    expect_emulated(networks, utterances, model.name);
    const Tensor x = batch_of(utterances);
    EXPECT_TRUE(
        torch::equal(network.layer(0, x, nullptr),
                     FixedPointNetwork(networks.quantised, networks.model).layer(0, x, nullptr)))
        << model.name;
  }
}

TEST(FixedPointNetwork, PiecesContinueWhereTheOneBeforeEnded) {
  const auto utterances = random_utterances(2, 12, 13, 9);
  const Tensor x = batch_of(utterances);
  for (const NamedModel& model : every_kind_of_model()) {
    Networks networks = make_networks(model.options, {}, utterances);
    networks.model->set_arithmetic(
        std::make_shared<FixedPointNetwork>(networks.quantised, networks.model));
    const Tensor whole = networks.model->forward(x, lengths_of(x));
    ModelState state;
    std::vector<Tensor> pieces;
    for (const Tensor& piece : x.split(5))
      pieces.push_back(networks.model->forward(piece, lengths_of(piece), &state));
    EXPECT_TRUE(torch::equal(whole, torch::cat(pieces))) << model.name;
    EXPECT_EQ(whole.scalar_type(), torch::kFloat);
  }
}

/// Gradients of a weighted sum of the logits with respect to all parameters, by name.
std::map<std::string, Tensor> gradients_of(AcousticModel model, const Tensor& x) {
  model->zero_grad();
  weighted_sum(model->forward(x, lengths_of(x))).backward();
  std::map<std::string, Tensor> gradients;
  for (const auto& parameter : model->named_parameters())
    gradients[parameter.key()] = parameter.value().grad().clone();
  return gradients;
}

/// The largest relative distance of a parameter's gradient in fixed point from that in real
/// numbers.
double gradient_error(const NamedModel& model, const QuantisationOptions& options,
                      const std::vector<FrameMatrix>& utterances) {
  Networks networks = make_networks(model.options, options, utterances);
  networks.model->to(torch::kDouble);
  const Tensor x = batch_of(utterances).to(torch::kDouble);
  const auto real = gradients_of(networks.model, x);
  networks.model->set_arithmetic(
      std::make_shared<FixedPointNetwork>(networks.quantised, networks.model));
  double worst = 0;
  for (const auto& [name, gradient] : gradients_of(networks.model, x)) {
    const double error =
        (gradient - real.at(name)).norm().item<double>() / real.at(name).norm().item<double>();
    EXPECT_TRUE(std::isfinite(error)) << model.name << ", " << name;  // std::max() would drop a nan
    worst = std::max(worst, error);
  }
  return worst;
}

TEST(FixedPointNetwork, GradientsApproachThoseInRealNumbersAsWidthsGrow) {
  const auto utterances = random_utterances(2, 8, 7, 10);
  QuantisationOptions coarse;
  coarse.bits = 8;
  QuantisationOptions fine;
  fine.bits = 16;
  fine.guard_bits = 6;
  fine.widths = {{"preactivation", 18}};  // tables of more arguments take long to make
  for (const int k : {1, 2, 8}) {
    for (const NamedModel& model : models_with_blocks(k)) {
      const double far = gradient_error(model, coarse, utterances);
      const double near = gradient_error(model, fine, utterances);
      EXPECT_LT(near, 1e-3) << model.name << ", k = " << k;
      EXPECT_LT(near, far / 30) << model.name << ", k = " << k << ": " << far << ", " << near;
    }
  }
}

TEST(FixedPointNetwork, ALinearLayersGradientIsThatOfItsQuantisedInput) {
  const auto utterances = random_utterances(1, 6, 8, 11);
  const Tensor x = batch_of(utterances).to(torch::kDouble);
  for (const int k : {1, 4}) {
    ModelOptions options;
    options.inputs = 8;
    options.outputs = 8;
    options.output_block = k;
    QuantisationOptions quantisation;
    quantisation.bits = 8;
    quantisation.guard_bits = 0;
    Networks networks = make_networks(options, quantisation, utterances);
    networks.model->to(torch::kDouble);
    const QuantisedMatrix& matrix = networks.quantised.layers[0].matrices[0];
    // What the weights are multiplied by: the codes of the input, or the blocks whose spectra are
    // the codes of the spectrum.
    Tensor seen = narrow(x, networks.quantised.input_format());
    if (k > 1) {
      const fixed_point::Transform transform(k);
      const Tensor blocks = seen.view({6, 1, 2, k});
      seen = packed_irfft(
                 narrow(transform.forward(blocks, networks.quantised.input_format().fraction()),
                        matrix.spectrum))
                 .view({6, 1, 8});
    }
    const auto expected = gradients_of(networks.model, seen);
    const auto unrounded = gradients_of(networks.model, x);
    EXPECT_GT(
        largest_difference(unrounded.at("output.input.weight"), expected.at("output.input.weight")),
        1e-3);
    networks.model->set_arithmetic(
        std::make_shared<FixedPointNetwork>(networks.quantised, networks.model));
    const auto found = gradients_of(networks.model, x);
    for (const auto& [name, gradient] : expected)
      EXPECT_LT(largest_difference(found.at(name), gradient), 1e-12) << name << ", k = " << k;
  }
}

TEST(FixedPointOps, NarrowRoundsHalfUpAndPassesGradientsInsideTheLimits) {
  const Format format{4, 2};  // codes -8 to 7 of quarters
  Tensor x = torch::tensor({0.0, 0.124, 0.125, -0.125, -0.126, 1.874, 1.875, -2.125, -2.126, 9.0},
                           torch::kDouble)
                 .set_requires_grad(true);
  const Tensor y = narrow(x, format);
  const Tensor expected =
      torch::tensor({0.0, 0.0, 0.25, 0.0, -0.25, 1.75, 1.75, -2.0, -2.0, 1.75}, torch::kDouble);
  EXPECT_TRUE(torch::equal(y.detach(), expected)) << y;
  (y * torch::arange(1, 11, torch::kDouble)).sum().backward();
  // 1.875 and -2.126 round to codes beyond the limits, -2.125 to the last one.
  EXPECT_TRUE(torch::equal(x.grad(),
                           torch::tensor({1., 2., 3., 4., 5., 6., 0., 8., 0., 0.}, torch::kDouble)))
      << x.grad();
}

TEST(FixedPointOps, NarrowIsTheExportersRounding) {
  torch::manual_seed(3);
  const Tensor x =
      torch::cat({torch::randn({2000}, torch::kDouble) * 3,
                  torch::tensor({0.49999999999999994 / 16, 1e300, -1e300, 0.03125, -0.03125},
                                torch::kDouble)});
  const Format format{8, 4};
  const Tensor y = narrow(x, format);
  std::int64_t saturations = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i)
    EXPECT_EQ(y[i].item<double>(),
              dequantise(quantise(x[i].item<double>(), format, saturations), format));
  EXPECT_GT(saturations, 2);
}

TEST(FixedPointNetwork, NothingMovesWhatSaturates) {
  const auto utterances = random_utterances(1, 6, 7, 12);
  for (const NamedModel& model : models_with_blocks(1)) {
    Networks networks = make_networks(model.options, {}, utterances);
    // The first gate's argument is beyond 2 in every frame, most others are not.
    networks.quantised.layers[0].bias = {16, 5};
    networks.quantised.layers[0].preactivation = {16, 2};
    {
      const torch::NoGradGuard no_gradient;
      networks.model->named_parameters()["layers.0.bias"][0].fill_(8);
    }
    networks.model->set_arithmetic(
        std::make_shared<FixedPointNetwork>(networks.quantised, networks.model));
    const auto gradients = gradients_of(networks.model, batch_of(utterances));
    for (const char* name : {"layers.0.bias", "layers.0.input.weight"}) {
      EXPECT_EQ(gradients.at(name)[0].abs().max().item<float>(), 0) << model.name << ", " << name;
      EXPECT_GT(gradients.at(name)[1].abs().max().item<float>(), 0) << model.name << ", " << name;
    }
  }
}

TEST(FixedPointNetwork, ASaturatedWeightHasNoGradient) {
  const auto utterances = random_utterances(1, 6, 7, 13);
  ModelOptions options;
  options.inputs = 7;
  options.outputs = 5;
  Networks networks = make_networks(options, {}, utterances);
  {
    const torch::NoGradGuard no_gradient;
    networks.model->matrices()[0].weight[2][3].fill_(100);
  }
  networks.model->set_arithmetic(
      std::make_shared<FixedPointNetwork>(networks.quantised, networks.model));
  const Tensor gradient =
      gradients_of(networks.model, batch_of(utterances)).at("output.input.weight");
  EXPECT_EQ(gradient[2][3].item<float>(), 0);
  EXPECT_EQ((gradient == 0).sum().item<std::int64_t>(), 1);
}

TEST(FixedPointNetwork, DropoutsScaledValuesKeepToTheGridWithoutALimit) {
  const auto utterances = random_utterances(1, 6, 13, 14);
  ModelOptions options = every_kind_of_model()[0].options;
  options.dropout = 0.5;
  Networks networks = make_networks(options, {}, utterances);
  const FixedPointNetwork network(networks.quantised, networks.model);
  const QuantisedLayer& output = networks.quantised.layers[1];
  const Tensor x = torch::full({1, 1, 16}, 1.5, torch::kDouble);  // 2 x 0.75
  ASSERT_EQ(output.input, (Format{12, 1}));
  const Tensor weight = narrow(networks.model->matrices().back().weight.to(torch::kDouble),
                               output.matrices[0].weight);
  const Tensor bias =
      narrow(networks.model->named_parameters()["output.bias"].to(torch::kDouble), output.bias);
  const Tensor product = narrow((weight * 1.5).sum(1), output.matrices[0].product);
  EXPECT_TRUE(
      torch::equal(network.layer(1, x, nullptr).view(-1), narrow(product + bias, output.output)));
}

TEST(FixedPointNetwork, RefusesAccumulatorsThatF64DoesNotHold) {
  const auto utterances = random_utterances(1, 6, 400, 15);
  ModelOptions model;
  model.inputs = 400;
  model.outputs = 3;
  QuantisationOptions options;
  options.widths = {{"weight", 24}, {"input", 24}};
  Networks networks = make_networks(model, options, utterances);
  try {
    const FixedPointNetwork network(networks.quantised, networks.model);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("output.input: row needs an accumulator of 56 bits, training in "
                          "fixed point has 53 at most"));
  }
}

TEST(FixedPointNetwork, NoLimitHidesWhatIsNotFinite) {
  const auto utterances = random_utterances(1, 6, 7, 16);
  for (const double value : {std::nan(""), HUGE_VAL}) {
    for (const int k : {1, 4}) {
      for (const NamedModel& model : models_with_blocks(k)) {
        Networks networks = make_networks(model.options, {}, utterances);
        {
          const torch::NoGradGuard no_gradient;
          networks.model->matrices()[0].weight.view(-1)[0].fill_(value);
        }
        const FixedPointNetwork network(networks.quantised, networks.model);
        EXPECT_TRUE(network.layer(0, batch_of(utterances), nullptr).isnan().any().item<bool>());
      }
    }
  }
}

}  // namespace
}  // namespace ernn
