// Gates in one pass, as on a GPU, against LibTorch's operators, on the CPU.
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/utils.h>

#include <algorithm>
#include <functional>

#include "models/gru.h"
#include "models/lstm.h"
#include "tests/models/gradient_check.h"

namespace ernn {
namespace {

using torch::Tensor;

constexpr int64_t kFrames = 6;
constexpr int64_t kBatch = 3;
constexpr int64_t kSize = 5;
constexpr int64_t kOutputs = 4;

Tensor leaf(std::vector<int64_t> sizes) {
  return torch::randn(sizes, torch::kDouble).requires_grad_();
}

/// The output, the state behind it, and the gradients of all `inputs`.
using Sequence = std::function<Tensor(Gates, LayerState*)>;
std::vector<Tensor> results(const Sequence& sequence, const std::vector<Tensor>& inputs,
                            Gates gates) {
  LayerState state;
  const Tensor first = sequence(gates, &state);
  const Tensor second = sequence(gates, &state);  // goes on from the first one's state
  auto list = torch::autograd::grad({weighted_sum(first) + 2 * weighted_sum(second)}, inputs);
  list.insert(list.end(), {first.detach(), second.detach(), state.output});
  if (state.cell.defined()) list.push_back(state.cell);
  return list;
}

void expect_equal(const Sequence& sequence, const std::vector<Tensor>& inputs) {
  const auto plain = results(sequence, inputs, Gates::by_operators);
  const auto fused = results(sequence, inputs, Gates::in_one_pass);
  ASSERT_EQ(plain.size(), fused.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_GT(plain[i].abs().max().item<double>(), 1e-3) << "tensor " << i << " says nothing";
    EXPECT_LT(largest_difference(plain[i], fused[i]), 1e-12) << "tensor " << i;
  }
}

TEST(OnePassGates, EqualOperatorsInEveryLstm) {
  for (const bool peepholes : {false, true}) {
    for (const bool projected : {false, true}) {
      for (const double clip : {0.0, 0.4}) {
        SCOPED_TRACE(testing::Message() << peepholes << projected << clip);
        torch::manual_seed(3);
        const Tensor x = leaf({kFrames, kBatch, 4 * kSize});
        const Tensor recurrent = leaf({4 * kSize, projected ? kOutputs : kSize});
        const Tensor peephole = peepholes ? leaf({3, kSize}) : Tensor();
        const Tensor projection = projected ? leaf({kOutputs, kSize}) : Tensor();
        std::vector<Tensor> inputs = {x, recurrent};
        if (peepholes) inputs.push_back(peephole);
        if (projected) inputs.push_back(projection);
        expect_equal(
            [&](Gates gates, LayerState* state) {
              return lstm_sequence(x, recurrent, peephole, projection, clip, state, gates);
            },
            inputs);
      }
    }
  }
}

TEST(OnePassGates, EqualOperatorsInBothGrus) {
  for (const bool after : {false, true}) {
    SCOPED_TRACE(after);
    torch::manual_seed(4);
    const Tensor x = leaf({kFrames, kBatch, 3 * kSize});
    const Tensor recurrent = leaf({2 * kSize, kSize});
    const Tensor candidate = leaf({kSize, kSize});
    const Tensor bias = after ? leaf({kSize}) : Tensor();
    std::vector<Tensor> inputs = {x, recurrent, candidate};
    if (after) inputs.push_back(bias);
    expect_equal(
        [&](Gates gates, LayerState* state) {
          return gru_sequence(x, recurrent, candidate, bias, state, gates);
        },
        inputs);
  }
}

}  // namespace
}  // namespace ernn
