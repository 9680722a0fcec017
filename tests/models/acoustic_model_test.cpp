#include "models/acoustic_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "base/error.h"
#include "models/circulant.h"
#include "models/model_file.h"
#include "tests/models/gradient_check.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::HasSubstr;
using torch::Tensor;

ModelOptions small_model(const BlockSizes& block = {}) {
  ModelOptions options;
  options.inputs = 5;
  options.outputs = 4;
  LayerOptions lstm;
  lstm.size = 8;
  lstm.projection = 6;
  LayerOptions gru;
  gru.type = LayerType::gru;
  gru.size = 8;
  gru.reset = GruReset::after;
  LayerOptions dense;
  dense.type = LayerType::feedforward;
  dense.size = 7;
  dense.activation = Activation::relu;
  options.layers = {lstm, gru, dense};
  return with_blocks(options, block, 1);
}

AcousticModel random_model(const ModelOptions& options, std::uint64_t seed = 1) {
  AcousticModel model(options);
  randomise(*model, 0.5, seed);
  return model;
}

Tensor lengths(const std::vector<int64_t>& values) {
  return torch::tensor(values, torch::kLong);
}

template <class Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(AcousticModel, ParametersAreThoseOfTheModelFile) {
  const AcousticModel model(small_model());
  std::vector<std::string> names;
  for (const auto& parameter : model->named_parameters()) names.push_back(parameter.key());
  EXPECT_THAT(
      names, testing::UnorderedElementsAre(
                 "layers.0.input.weight", "layers.0.recurrent.weight", "layers.0.projection.weight",
                 "layers.0.bias", "layers.0.peephole", "layers.1.input.weight",
                 "layers.1.recurrent.weight", "layers.1.candidate.weight", "layers.1.bias",
                 "layers.1.candidate_bias", "layers.2.input.weight", "layers.2.bias",
                 "output.input.weight", "output.bias"));
}

TEST(AcousticModel, ParameterCountIsThatOfTheOptions) {
  for (const BlockSizes& block : {BlockSizes{1, 1, 1}, BlockSizes{4, 2, 4}, BlockSizes{8, 8, 8}}) {
    const ModelOptions options = small_model(block);
    const AcousticModel model(options);
    long long count = 0;
    for (const auto& parameter : model->parameters()) count += parameter.numel();
    EXPECT_EQ(count, parameter_count(options));
  }
}

TEST(AcousticModel, MatricesComeInFileOrder) {
  const ModelOptions options = small_model({4, 2, 4});
  const AcousticModel model(options);
  const auto shapes = matrix_shapes(options);
  const auto matrices = model->matrices();
  ASSERT_EQ(matrices.size(), shapes.size());
  for (std::size_t n = 0; n < shapes.size(); ++n) {
    EXPECT_EQ(matrices[n].shape.name, shapes[n].name);
    EXPECT_TRUE(matrices[n].weight.is_same(model->named_parameters()[shapes[n].name + ".weight"]));
  }
}

TEST(AcousticModel, PaddingNeverMatters) {
  auto model = random_model(small_model({4, 2, 4}));
  model->to(torch::kDouble);
  const Tensor x = torch::randn({6, 3, 5}, torch::kDouble);
  const std::vector<int64_t> frames = {6, 2, 4};
  Tensor padded = x.clone();
  for (std::size_t b = 0; b < frames.size(); ++b) {
    padded.select(1, static_cast<int64_t>(b))
        .narrow(0, frames[b], 6 - frames[b])
        .fill_(std::nan(""));
  }
  const Tensor together = model->forward(padded, lengths(frames));
  EXPECT_TRUE(together.isfinite().all().item<bool>());
  for (std::size_t b = 0; b < frames.size(); ++b) {
    const auto n = static_cast<int64_t>(b);
    const Tensor alone =
        model->forward(x.narrow(1, n, 1).narrow(0, 0, frames[b]), lengths({frames[b]}));
    EXPECT_LT(largest_difference(alone, together.narrow(1, n, 1).narrow(0, 0, frames[b])), 1e-12);
  }
}

TEST(AcousticModel, NoFramesGiveNoLogitsAndNoGradient) {
  for (const int block : {1, 4}) {
    ModelOptions options = small_model({block, block, block});
    options.layers.erase(options.layers.begin(), options.layers.begin() + 2);  // feed-forward ones
    auto model = random_model(options);
    const Tensor x = torch::zeros({0, 2, 5}).requires_grad_();
    const Tensor y = model->forward(x, lengths({0, 0}));
    EXPECT_EQ(y.sizes(), (torch::IntArrayRef{0, 2, 4}));
    y.sum().backward();
    EXPECT_EQ(x.grad().sizes(), x.sizes());
    for (const auto& parameter : model->named_parameters()) {
      EXPECT_EQ(parameter.value().grad().abs().sum().item<float>(), 0)
          << parameter.key() << ", block " << block;
    }
  }
}

TEST(AcousticModel, LengthsOfAnotherBatchAreRefused) {
  const auto model = random_model(small_model());
  EXPECT_THROW(model->forward(torch::zeros({3, 0, 5}), lengths({})), c10::Error);
  EXPECT_THROW(model->forward(torch::zeros({3, 2, 5}), lengths({3})), c10::Error);
  EXPECT_THROW(model->forward(torch::zeros({3, 2, 5}), lengths({})), c10::Error);
}

TEST(AcousticModel, GradientsEqualFiniteDifferences) {
  auto model = random_model(small_model({4, 2, 2}));
  model->to(torch::kDouble);
  const Tensor x = torch::randn({3, 2, 5}, torch::kDouble);
  const Tensor mask = torch::tensor({1, 1, 1, 1, 1, 0}, torch::kDouble).view({3, 2, 1});
  check_gradients([&] { return weighted_sum(model->forward(x, lengths({3, 2})) * mask); }, *model);
}

TEST(AcousticModel, InitialiseIsSeededAndLeavesTheDefaultGeneratorAlone) {
  AcousticModel a(small_model());
  AcousticModel b(small_model());
  AcousticModel c(small_model());
  torch::manual_seed(5);
  const Tensor expected = torch::rand({3});
  torch::manual_seed(5);
  a->initialise(1);
  EXPECT_TRUE(torch::equal(torch::rand({3}), expected));
  b->initialise(1);
  c->initialise(2);
  const auto first = a->named_parameters();
  for (const auto& parameter : b->named_parameters())
    EXPECT_TRUE(torch::equal(parameter.value(), first[parameter.key()])) << parameter.key();
  EXPECT_FALSE(torch::equal(a->matrices()[0].weight, c->matrices()[0].weight));
}

TEST(AcousticModel, DropoutActsInTrainingOnlyAndFollowsTheDefaultGenerator) {
  ModelOptions options = small_model();
  options.dropout = 0.5;
  auto model = random_model(options);
  const Tensor x = torch::randn({4, 2, 5});
  const auto run = [&] { return model->forward(x, lengths({4, 4})); };
  model->train();
  torch::manual_seed(1);
  const Tensor first = run();
  EXPECT_FALSE(torch::equal(first, run()));
  torch::manual_seed(1);
  EXPECT_TRUE(torch::equal(first, run()));
  model->eval();
  EXPECT_TRUE(torch::equal(run(), run()));
}

TEST(ModelFile, RoundTripKeepsEveryValue) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  for (const BlockSizes& block : {BlockSizes{1, 1, 1}, BlockSizes{4, 2, 4}}) {
    auto model = random_model(small_model(block));
    model->to_tensor_file("{\"run\": \"a\"}").save(path);
    const ModelFile file = ModelFile::load(path);
    EXPECT_EQ(file.context, "{\"run\": \"a\"}");
    AcousticModel back(file.options);
    back->load_tensors(file.tensors, path.string());
    const auto expected = model->named_parameters();
    for (const auto& parameter : back->named_parameters())
      EXPECT_TRUE(torch::equal(parameter.value(), expected[parameter.key()])) << parameter.key();
  }
}

TEST(ModelFile, AnotherModelsFileIsRefusedByTensorAndShape) {
  auto model = random_model(small_model());
  ModelOptions other = small_model();
  other.layers[1].size = 16;
  AcousticModel target = random_model(other, 2);
  const Tensor before = target->matrices()[0].weight.clone();
  const auto load = [&](const TensorFile& file) {
    return refusal([&] { target->load_tensors(file, "m.safetensors"); });
  };
  EXPECT_EQ(load(model->to_tensor_file("{}")),
            "m.safetensors: tensor 'layers.1.bias' has shape [24], expected [48]");

  TensorFile extra = target->to_tensor_file("{}");
  extra.tensors["layers.9.bias"] = RawTensor::from_floats({1}, {1});
  EXPECT_EQ(load(extra), "m.safetensors: tensor 'layers.9.bias' is not part of this model");

  TensorFile missing = target->to_tensor_file("{}");
  missing.tensors.erase("output.bias");
  EXPECT_EQ(load(missing), "m.safetensors: tensor 'output.bias' is missing");

  TensorFile wrong_type = target->to_tensor_file("{}");
  wrong_type.tensors["output.bias"] = RawTensor{"I32", {4}, std::string(16, '\0')};
  EXPECT_EQ(load(wrong_type), "m.safetensors: tensor 'output.bias' has type I32, expected F32");
  EXPECT_TRUE(torch::equal(before, target->matrices()[0].weight));
}

TEST(ConvertBlocks, ProjectsEveryMatrixAndCopiesTheRest) {
  auto model = random_model(small_model());
  const auto converted = convert_blocks(model, small_model({4, 2, 8}));
  const auto from = model->matrices();
  const auto to = converted->matrices();
  for (std::size_t n = 0; n < from.size(); ++n) {
    const Tensor expected = to[n].shape.block == 1
                                ? from[n].weight
                                : circulant_from_dense(from[n].weight, to[n].shape.block);
    EXPECT_LT(largest_difference(to[n].weight, expected), 1e-6) << to[n].shape.name;
  }
  EXPECT_TRUE(torch::equal(converted->named_parameters()["layers.0.peephole"],
                           model->named_parameters()["layers.0.peephole"]));
  // the copy is independent
  const torch::NoGradGuard no_gradient;
  model->named_parameters()["layers.0.bias"].zero_();
  EXPECT_GT(converted->named_parameters()["layers.0.bias"].abs().sum().item<double>(), 0);
}

TEST(ConvertBlocks, DenseKeepsTheFunctionAndTheWayBackKeepsTheWeights) {
  auto model = random_model(small_model({8, 8, 8}));
  const Tensor x = torch::randn({4, 2, 5});
  auto dense = convert_blocks(model, small_model());
  EXPECT_LT(
      largest_difference(dense->forward(x, lengths({4, 4})), model->forward(x, lengths({4, 4}))),
      1e-5);
  auto back = convert_blocks(dense, model->options());
  EXPECT_LT(
      largest_difference(back->forward(x, lengths({4, 4})), model->forward(x, lengths({4, 4}))),
      1e-5);
}

// A circulant block of 8 is not made of circulant blocks of 4, so this is a projection.
TEST(ConvertBlocks, OneBlockSizeToAnotherGoesThroughTheDenseMatrix) {
  auto model = random_model(small_model({8, 8, 8}));
  auto converted = convert_blocks(model, small_model({4, 4, 4}));
  for (std::size_t n = 0; n + 1 < model->matrices().size(); ++n) {
    const Tensor expected = circulant_from_dense(model->matrices()[n].matrix->dense(), 4);
    EXPECT_LT(largest_difference(converted->matrices()[n].weight, expected), 1e-6);
  }
}

TEST(ConvertBlocks, OtherDifferencesAreRefusedByName) {
  auto model = random_model(small_model());
  ModelOptions other = small_model({4, 4, 4});
  other.layers[0].peepholes = false;
  EXPECT_THAT(refusal([&] { convert_blocks(model, other); }),
              HasSubstr("model.layers.0.peepholes: only block sizes can be converted"));
  other = small_model();
  other.layers.pop_back();
  EXPECT_THAT(refusal([&] { convert_blocks(model, other); }), HasSubstr("model.layers: 3 layers"));
}

// Weights of one frame's columns would be taken for those of all.
TEST(ConvertBlocks, JoinedFramesOfEitherSideAloneAreRefused) {
  ModelOptions one = small_model({4, 2, 4});
  one.layers[2].offsets = {-3};
  ModelOptions two = one;
  two.layers[2].offsets = {-3, 0};
  const std::string path = "model.layers.2.offsets.1: only block sizes can be converted, found ";
  auto narrow = random_model(one);
  EXPECT_EQ(refusal([&] { convert_blocks(narrow, two); }),
            path + "nothing in the model and 0 here");
  auto wide = random_model(two);
  EXPECT_EQ(refusal([&] { convert_blocks(wide, one); }), path + "0 in the model and nothing here");
}

// The benchmark network of the papers: 153 inputs, 2 x 1024 cells with 512 projected, 62 outputs.
TEST(ModelOptions, ParameterCountsOfTheGoogleLstm) {
  ModelOptions options;
  options.inputs = 153;
  options.outputs = 62;
  LayerOptions layer;
  layer.size = 1024;
  layer.projection = 512;
  options.layers = {layer, layer};
  const auto millions = [&](int k) {
    return static_cast<double>(parameter_count(with_blocks(options, {k, k, k}, 1))) / 1e6;
  };
  EXPECT_EQ(parameter_count(options), 8012862);
  EXPECT_NEAR(millions(2), 4.032, 0.005);
  EXPECT_NEAR(millions(4), 2.041, 0.005);
  EXPECT_NEAR(millions(8), 1.046, 0.005);
  EXPECT_NEAR(millions(16), 0.546, 0.005);
}

}  // namespace
}  // namespace ernn
