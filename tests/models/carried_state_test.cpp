// Utterances in pieces: what a layer starts from and what it leaves behind.
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>

#include "models/acoustic_model.h"
#include "tests/models/gradient_check.h"
#include "tests/models/layer_kinds.h"

namespace ernn {
namespace {

using torch::Tensor;

struct Case {
  Kind kind;
  int block;
  bool plain;
};

/// All kinds, or those that keep something between frames.
std::vector<Case> cases(bool all) {
  std::vector<Case> list;
  for (const auto& kind : kinds()) {
    const bool keeps = kind.type != LayerType::feedforward || kind.offsets.size() > 1;
    if (!all && !keeps) continue;
    for (const int block : {1, 4}) {
      for (const bool plain : {false, true}) list.push_back({kind, block, plain});
    }
  }
  return list;
}

AcousticModel model_of(const Case& c, const ModelOptions& options) {
  AcousticModel model(options);
  randomise(*model, 0.5, 3);
  model->to(torch::kDouble);
  model->set_plain(c.plain);
  return model;
}

Tensor random(std::vector<int64_t> sizes, std::uint64_t seed) {
  torch::manual_seed(seed);
  return torch::randn(sizes, torch::kDouble);
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  return std::string(c.kind.name) + (c.block > 1 ? "_blocks" : "") + (c.plain ? "_plain" : "");
}

class CarriedState : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Kinds, CarriedState, testing::ValuesIn(cases(true)), name_of_case);
class KeptState : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Kinds, KeptState, testing::ValuesIn(cases(false)), name_of_case);
class StateInKernels : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, StateInKernels, testing::ValuesIn(kinds()),
                         [](const auto& info) { return std::string(info.param.name); });

Tensor in_pieces(AcousticModel model, const Tensor& x, const Tensor& lengths, int64_t frames) {
  std::vector<Tensor> outputs;
  ModelState state;
  for (int64_t first = 0; first < x.size(0); first += frames) {
    const int64_t count = std::min(frames, x.size(0) - first);
    outputs.push_back(
        model->forward(x.narrow(0, first, count), (lengths - first).clamp(0, count), &state));
  }
  return torch::cat(outputs);
}

TEST_P(CarriedState, PiecesGiveWhatTheWholeGives) {
  const ModelOptions options = network(layer_of(GetParam().kind, GetParam().block, 12), 7, 5);
  const AcousticModel model = model_of(GetParam(), options);
  for (const std::vector<int64_t>& ends :
       {std::vector<int64_t>{9, 7, 7, 4, 1}, {9}, {9, 9, 9}, {4, 9, 1}}) {
    const auto batch = static_cast<int64_t>(ends.size());
    const Tensor x = random({9, batch, 7}, 5);
    const Tensor lengths = torch::tensor(ends);
    const Tensor inside = (torch::arange(9).unsqueeze(1) < lengths.unsqueeze(0)).unsqueeze(2);
    const Tensor whole = model->forward(x, lengths) * inside;
    for (const int64_t frames : {1, 3, 4, 9, 20}) {
      const Tensor pieces = in_pieces(model, x, lengths, frames) * inside;
      EXPECT_LT(largest_difference(pieces, whole), 1e-13) << frames << " frames";
    }
  }
}

// One for each of two equal layers, of which the first one takes `inputs`.
std::vector<LayerState> some_states(const LayerOptions& layer, int inputs, int64_t batch) {
  const int64_t outputs = layer.projection > 0 ? layer.projection : layer.size;
  std::vector<LayerState> states;
  for (const int seed : {21, 22}) {
    LayerState state;
    const int64_t width = states.empty() ? inputs : outputs;
    if (layer.joins_frames()) state.inputs = random({layer.reach(), batch, width}, seed);
    if (layer.type != LayerType::feedforward) state.output = random({batch, outputs}, seed);
    if (layer.type == LayerType::lstm) state.cell = 0.3 * random({batch, layer.size}, seed + 10);
    states.push_back(state);
  }
  return states;
}

TEST_P(CarriedState, GradientsWithAConstantStateEqualFiniteDifferences) {
  const LayerOptions layer = layer_of(GetParam().kind, GetParam().block, 4);
  const AcousticModel model = model_of(GetParam(), network(layer, 3, 2));
  const Tensor x = random({3, 2, 3}, 5).requires_grad_();
  const Tensor lengths = torch::tensor({3, 2});
  const Tensor inside = (torch::arange(3).unsqueeze(1) < lengths.unsqueeze(0)).unsqueeze(2);
  const auto states = some_states(layer, 3, 2);
  const auto loss = [&] {
    ModelState state{states};
    return weighted_sum(model->forward(x, lengths, &state) * inside);
  };
  check_gradients(loss, *model);
  check_gradient(loss, x, "input");
}

TEST_P(CarriedState, HasNoHistory) {
  const LayerOptions layer = layer_of(GetParam().kind, GetParam().block, 4);
  const AcousticModel model = model_of(GetParam(), network(layer, 3, 2));
  ModelState state;
  const Tensor x = random({3, 2, 3}, 5).requires_grad_();
  model->forward(x, torch::tensor({3, 3}), &state);
  ASSERT_EQ(state.layers.size(), 2U);
  for (const auto& carried : state.layers) {
    EXPECT_EQ(carried.output.defined(), layer.type != LayerType::feedforward);
    EXPECT_EQ(carried.cell.defined(), layer.type == LayerType::lstm);
    EXPECT_FALSE(carried.output.defined() && carried.output.requires_grad());
    EXPECT_FALSE(carried.cell.defined() && carried.cell.requires_grad());
    EXPECT_EQ(carried.inputs.defined(), layer.joins_frames());
    EXPECT_FALSE(carried.inputs.defined() && carried.inputs.requires_grad());
  }
}

TEST_P(KeptState, OfAnotherBatchIsRefused) {
  const LayerOptions layer = layer_of(GetParam().kind, GetParam().block, 4);
  const AcousticModel model = model_of(GetParam(), network(layer, 3, 2));
  ModelState state{some_states(layer, 3, 3)};
  EXPECT_THROW(model->forward(random({3, 2, 3}, 5), torch::tensor({3, 3}), &state), c10::Error);
}

std::vector<Tensor> values_and_gradients(AcousticModel model, const Tensor& x,
                                         const Tensor& lengths, const Tensor& weights,
                                         ModelState state) {
  model->zero_grad();
  const Tensor features = x.detach().clone().requires_grad_();
  const Tensor y = model->forward(features, lengths, &state) * weights;
  y.sum().backward();
  std::vector<Tensor> result = {y.detach(), features.grad()};
  for (const auto& parameter : model->parameters()) result.push_back(parameter.grad().clone());
  for (const auto& layer : state.layers) {
    // Only of the utterances that have the last frame.
    const int64_t left = (lengths == x.size(0)).sum().item<int64_t>();
    if (layer.output.defined()) result.push_back(layer.output.narrow(0, 0, left));
    if (layer.cell.defined()) result.push_back(layer.cell.narrow(0, 0, left));
    if (layer.inputs.defined()) result.push_back(layer.inputs.narrow(1, 0, left));
  }
  return result;
}

TEST_P(StateInKernels, EqualsLibTorch) {
  for (const int block : {1, 2, 8, 16, 64}) {
    const int size = std::max(block, 24 / block * block);
    const LayerOptions layer = layer_of(GetParam(), block, size);
    AcousticModel model = model_of({GetParam(), block, false}, network(layer, 37, 11));
    // The last utterance has ended in an earlier piece.
    const Tensor lengths = torch::tensor({4, 4, 2, 1, 0});
    const Tensor inside = (torch::arange(4).unsqueeze(1) < lengths.unsqueeze(0)).unsqueeze(2);
    const Tensor x = random({4, 5, 37}, 8);
    const Tensor weights = random({4, 5, 11}, 9) * inside;
    const ModelState state{some_states(layer, 37, 5)};
    const auto fast = values_and_gradients(model, x, lengths, weights, state);
    model->set_plain(true);
    const auto plain = values_and_gradients(model, x, lengths, weights, state);
    ASSERT_EQ(fast.size(), plain.size());
    for (std::size_t i = 0; i < fast.size(); ++i) {
      const double size_of = std::max(1e-3, plain[i].abs().max().item<double>());
      EXPECT_LT(largest_difference(fast[i], plain[i]) / size_of, 1e-12)
          << "block " << block << ", tensor " << i;
    }
  }
}

}  // namespace
}  // namespace ernn
