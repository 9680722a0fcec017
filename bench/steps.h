// Networks, data and training steps for the benchmarks.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>

#include "base/frame_matrix.h"
#include "export/quantised_network.h"
#include "models/acoustic_model.h"
#include "models/model_file.h"

namespace ernn::bench {

inline constexpr int kInputs = 153;
inline constexpr int kClasses = 61;
inline constexpr double kRate = 1e-4;

/// Two layers of `size` with a projection (0: none) and an output layer; every matrix has the block
/// size `block`.
ModelOptions network(LayerType type, int size, int projection, bool peepholes, int block);

/// Operations of a step on dense matrices of the same sizes: forward and both gradients, each with
/// a multiplication and an addition for each weight and frame.
double dense_operations(const ModelOptions& options, int64_t frames);

/// Random features and targets, [frames, batch, inputs], all utterances of the same length.
struct Data {
  Data(int64_t frames, int64_t batch);
  torch::Tensor loss(const torch::Tensor& logits) const;

  torch::Tensor features;
  torch::Tensor lengths;
  torch::Tensor targets;
};

/// What a training step is made of: forward, cross-entropy, backward, SGD.
struct StepOptions {
  int64_t frames = 100;
  int64_t batch = 32;
  torch::Device device = torch::kCPU;
  torch::ScalarType type = torch::kFloat;
  bool plain = false;  ///< by LibTorch's operators (AcousticModel::set_plain())
  bool admm = false;   ///< of a dense network that ADMM pulls towards block size 8
};

/// A step of a network of this project with data of its own; returns when the device has done it.
std::function<void()> own_step(const ModelOptions& network, const StepOptions& options = {});

/// The same of LibTorch's own two layers of `size`, and an output layer. On a GPU they are cuDNN's.
std::function<void()> torch_lstm_step(int size, int projection, const StepOptions& options = {});
std::function<void()> torch_gru_step(int size, const StepOptions& options = {});

/// Random features of one utterance.
FrameMatrix random_features(int frames);

/// A model file with fresh parameters.
ModelFile made_up_model(const ModelOptions& options);

/// Its codes, with formats from ranges on a few random frames.
QuantisedNetwork quantise(const ModelFile& model);

}  // namespace ernn::bench
