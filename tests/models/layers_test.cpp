#include <gtest/gtest.h>
#include <torch/nn.h>
#include <torch/utils.h>

#include "models/feedforward.h"
#include "models/gru.h"
#include "models/lstm.h"
#include "tests/models/gradient_check.h"
#include "tests/models/reference_layers.h"

namespace ernn {
namespace {

using torch::Tensor;

struct Case {
  std::string name;
  LayerOptions layer;
  int inputs = 5;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

Case lstm(const std::string& name, int block, bool peepholes, int projection, double clip,
          int size = 8) {
  LayerOptions layer;
  layer.size = size;
  layer.peepholes = peepholes;
  layer.projection = projection;
  layer.cell_clip = clip;
  layer.block = {block, block, block};
  return {name, layer};
}

Case gru(const std::string& name, int block, GruReset reset) {
  LayerOptions layer;
  layer.type = LayerType::gru;
  layer.size = 8;
  layer.reset = reset;
  layer.block = {block, block, 1};
  return {name, layer};
}

Case feedforward(const std::string& name, int block, Activation activation,
                 const std::vector<int>& offsets = {0}) {
  LayerOptions layer;
  layer.type = LayerType::feedforward;
  layer.size = 8;
  layer.activation = activation;
  layer.offsets = offsets;
  layer.block = {block, 1, 1};
  return {name, layer};
}

std::vector<Case> cases() {
  Case mixed = lstm("lstm_mixed_blocks", 1, true, 6, 0);
  mixed.layer.block = {8, 2, 4};
  return {lstm("lstm_plain", 1, false, 0, 0),
          lstm("lstm_peepholes", 1, true, 0, 0),
          lstm("lstm_projection", 1, false, 3, 0),
          lstm("lstm_all", 1, true, 3, 0.4),
          lstm("lstm_all_k4", 4, true, 6, 0.4),
          mixed,
          gru("gru_before", 1, GruReset::before),
          gru("gru_after", 1, GruReset::after),
          gru("gru_before_k4", 4, GruReset::before),
          gru("gru_after_k8", 8, GruReset::after),
          feedforward("feedforward_none", 1, Activation::none),
          feedforward("feedforward_relu_k2", 2, Activation::relu),
          feedforward("feedforward_sigmoid", 1, Activation::sigmoid),
          feedforward("feedforward_tanh_k4", 4, Activation::tanh),
          feedforward("tdnn", 1, Activation::tanh, {-2, -1, 0}),
          feedforward("tdnn_k4", 4, Activation::relu, {-3, -1}),
          feedforward("tdnn_longer_than_the_utterance", 2, Activation::none, {-9, 0})};
}

std::vector<MatrixShape> shapes_of(const Case& c) {
  ModelOptions options;
  options.inputs = c.inputs;
  options.outputs = 1;
  options.layers = {c.layer};
  auto shapes = matrix_shapes(options);
  shapes.pop_back();
  return shapes;
}

// Weights large enough that gates leave their linear range and a cell clip of 0.4 acts.
std::shared_ptr<Layer> double_layer(const Case& c) {
  auto layer = make_layer(c.layer, shapes_of(c));
  randomise(*layer, 0.7, 11);
  layer->to(torch::kDouble);
  return layer;
}

ReferenceWeights weights_of(const Layer& layer) {
  ReferenceWeights weights;
  for (const auto& matrix : layer.matrices()) {
    const std::string& name = matrix->shape().name;
    Matrix& target = name == "layers.0.input"       ? weights.input
                     : name == "layers.0.recurrent" ? weights.recurrent
                     : name == "layers.0.candidate" ? weights.candidate
                                                    : weights.projection;
    target = to_matrix(matrix->dense());
  }
  for (const auto& parameter : layer.named_parameters()) {
    if (parameter.key() == "bias") weights.bias = to_vector(parameter.value());
    if (parameter.key() == "candidate_bias") weights.candidate_bias = to_vector(parameter.value());
    if (parameter.key() == "peephole") weights.peephole = to_matrix(parameter.value());
  }
  return weights;
}

Tensor input(int64_t frames, int64_t batch, int64_t width) {
  torch::manual_seed(12);
  return torch::randn({frames, batch, width}, torch::kDouble);
}

class Layers : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Layers, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Layers, GradientsEqualFiniteDifferences) {
  const auto layer = double_layer(GetParam());
  const Tensor x = input(4, 2, GetParam().inputs).requires_grad_();
  const auto loss = [&] { return weighted_sum(layer->forward(x)); };
  check_gradients(loss, *layer);
  check_gradient(loss, x, "input");
}

TEST_P(Layers, EqualsScalarLoops) {
  const Case& c = GetParam();
  const auto layer = double_layer(c);
  const Tensor x = input(6, 3, c.inputs);
  const Tensor y = layer->forward(x);
  const ReferenceWeights weights = weights_of(*layer);
  double clipped = 0;
  for (int64_t b = 0; b < x.size(1); ++b) {
    const Matrix frames = to_matrix(x.select(1, b));
    const Matrix expected =
        c.layer.type == LayerType::lstm ? reference_lstm(weights, frames, c.layer.cell_clip)
        : c.layer.type == LayerType::gru
            ? reference_gru(weights, frames)
            : reference_feedforward(weights, frames, c.layer.activation, c.layer.offsets);
    const Matrix unlimited = c.layer.cell_clip > 0 ? reference_lstm(weights, frames, 0) : expected;
    for (std::size_t t = 0; t < expected.size(); ++t) {
      for (std::size_t n = 0; n < expected[t].size(); ++n) {
        const double found = y[static_cast<int64_t>(t)][b][static_cast<int64_t>(n)].item<double>();
        EXPECT_NEAR(found, expected[t][n], 1e-12);
        clipped = std::max(clipped, std::abs(expected[t][n] - unlimited[t][n]));
      }
    }
  }
  if (c.layer.cell_clip > 0) {
    EXPECT_GT(clipped, 0.01) << "the test's clip never acts";
  }
}

TEST_P(Layers, CirculantEqualsDenseWithExpandedWeights) {
  const auto layer = double_layer(GetParam());
  Case dense_case = GetParam();
  dense_case.layer.block = {};
  const auto dense = double_layer(dense_case);
  {
    const torch::NoGradGuard no_gradient;
    for (std::size_t n = 0; n < layer->matrices().size(); ++n) {
      StructuredMatrix target = dense->matrices()[n];
      target->assign(layer->matrices()[n]->dense());
    }
    const auto source = layer->named_parameters(false);
    for (auto& parameter : dense->named_parameters(false))
      parameter.value().copy_(source[parameter.key()]);
  }
  const Tensor x = input(5, 2, GetParam().inputs);
  EXPECT_LT(largest_difference(layer->forward(x), dense->forward(x)), 1e-12);
}

TEST_P(Layers, FramesOfOneUtteranceDoNotReachAnother) {
  const auto layer = double_layer(GetParam());
  const Tensor x = input(5, 3, GetParam().inputs);
  const Tensor together = layer->forward(x);
  for (int64_t b = 0; b < 3; ++b) {
    const Tensor alone = layer->forward(x.narrow(1, b, 1));
    EXPECT_LT(largest_difference(alone, together.narrow(1, b, 1)), 1e-13);
  }
  // nor do later frames reach earlier ones
  const Tensor shorter = layer->forward(x.narrow(0, 0, 3));
  EXPECT_LT(largest_difference(shorter, together.narrow(0, 0, 3)), 1e-13);
}

TEST_P(Layers, AcceptsStridedInputAndGradient) {
  const auto layer = double_layer(GetParam());
  const Tensor x = input(4, 2, GetParam().inputs);
  const Tensor strided = x.transpose(0, 1).contiguous().transpose(0, 1).requires_grad_();
  layer->forward(strided).sum().backward();  // the gradient is one expanded number
  const Tensor plain = x.clone().requires_grad_();
  const Tensor y = layer->forward(plain);
  (y * torch::ones_like(y)).sum().backward();
  EXPECT_LT(largest_difference(strided.grad(), plain.grad()), 1e-13);
}

// They would lack what goes through the hand-written backward passes. Feed-forward layers on
// LibTorch's operators have none.
TEST_P(Layers, SecondDerivativesAreRefused) {
  const auto layer = double_layer(GetParam());
  const Tensor x = input(4, 2, GetParam().inputs).requires_grad_();
  for (const bool plain : {false, true}) {
    if (plain && GetParam().layer.type == LayerType::feedforward) continue;
    layer->set_plain(plain);
    const Tensor loss = layer->forward(x).square().sum();
    EXPECT_THROW(torch::autograd::grad({loss}, {x}, {}, true, true), c10::Error) << plain;
    EXPECT_NO_THROW(torch::autograd::grad({loss}, {x}, {}, true, false)) << plain;
  }
}

// The backward pass of a recurrent layer reads its output.
TEST_P(Layers, AnOutputChangedInPlaceIsNoticed) {
  if (GetParam().layer.type == LayerType::feedforward) return;
  const auto layer = double_layer(GetParam());
  const Tensor x = input(4, 2, GetParam().inputs).requires_grad_();
  for (const bool plain : {false, true}) {
    layer->set_plain(plain);
    const Tensor y = layer->forward(x);
    y.mul_(2);
    EXPECT_THROW(y.sum().backward(), c10::Error) << plain;
  }
}

void overwrite(const Tensor& to, const Tensor& from) {
  const torch::NoGradGuard no_gradient;
  to.copy_(from);
}

TEST(LstmLayer, EqualsLibTorchs) {
  for (const int projection : {0, 3}) {
    const Case c = lstm("", 1, false, projection, 0);
    auto layer = make_layer(c.layer, shapes_of(c));
    randomise(*layer, 0.5, 2);
    torch::nn::LSTM theirs(torch::nn::LSTMOptions(c.inputs, c.layer.size).proj_size(projection));
    const auto ours = layer->named_parameters();
    const auto other = theirs->named_parameters();
    overwrite(other["weight_ih_l0"], ours["input.weight"]);
    overwrite(other["weight_hh_l0"], ours["recurrent.weight"]);
    overwrite(other["bias_ih_l0"], ours["bias"]);
    overwrite(other["bias_hh_l0"], torch::zeros({4 * c.layer.size}));
    if (projection > 0) overwrite(other["weight_hr_l0"], ours["projection.weight"]);
    const Tensor x = input(20, 4, c.inputs).to(torch::kFloat);
    EXPECT_LT(largest_difference(layer->forward(x), std::get<0>(theirs->forward(x))), 1e-6);
  }
}

TEST(GruLayer, ResetAfterEqualsLibTorchs) {
  const Case c = gru("", 1, GruReset::after);
  auto layer = make_layer(c.layer, shapes_of(c));
  randomise(*layer, 0.5, 2);
  torch::nn::GRU theirs(torch::nn::GRUOptions(c.inputs, c.layer.size));
  const auto ours = layer->named_parameters();
  const auto other = theirs->named_parameters();
  // LibTorch's gates are r, z, n, and its z keeps the old state
  const auto arrange = [](const Tensor& ours_zrn) {
    const auto parts = ours_zrn.detach().chunk(3);
    return torch::cat({parts[1], -parts[0], parts[2]});
  };
  overwrite(other["weight_ih_l0"], arrange(ours["input.weight"]));
  overwrite(other["weight_hh_l0"],
            arrange(torch::cat({ours["recurrent.weight"], ours["candidate.weight"]})));
  overwrite(other["bias_ih_l0"], arrange(ours["bias"]));
  overwrite(other["bias_hh_l0"],
            torch::cat({torch::zeros({2 * c.layer.size}), ours["candidate_bias"]}));
  const Tensor x = input(20, 4, c.inputs).to(torch::kFloat);
  EXPECT_LT(largest_difference(layer->forward(x), std::get<0>(theirs->forward(x))), 1e-6);
}

TEST(Layers, InitialForgetBiasIsOne) {
  const Case c = lstm("", 4, true, 4, 0);
  auto layer = make_layer(c.layer, shapes_of(c));
  layer->initialise(at::detail::createCPUGenerator(1));
  const Tensor bias = layer->named_parameters()["bias"];
  EXPECT_TRUE(torch::equal(bias.narrow(0, 8, 8), torch::ones({8})));
  EXPECT_EQ(bias.sum().item<double>(), 8);
}

}  // namespace
}  // namespace ernn
