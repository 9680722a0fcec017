// The acoustic model: hidden layers, then a linear output layer, over padded batches of utterances.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/tensor_file.h"
#include "models/feedforward.h"
#include "models/layer.h"
#include "models/options.h"
#include "models/structured_matrix.h"

namespace ernn {

/// One weight matrix of a model. `weight` is the parameter itself, [rows, cols] or [p, q, k].
struct NamedMatrix {
  MatrixShape shape;
  torch::Tensor weight;
  StructuredMatrix matrix;
};

/// The states of a model's layers between two pieces of a batch; without layers it stands for the
/// beginning of the utterances.
struct ModelState {
  std::vector<LayerState> layers;
};

/// Computes a network's layers otherwise than with real numbers: as they will be deployed
/// (train/fixed_point_network.h).
class Arithmetic {
 public:
  Arithmetic() = default;
  virtual ~Arithmetic() = default;
  Arithmetic(const Arithmetic&) = delete;
  Arithmetic& operator=(const Arithmetic&) = delete;

  /// What layer `index` makes of x [frames, batch, inputs]; the one behind the hidden layers is the
  /// output layer. `state` as in Layer::forward().
  virtual torch::Tensor layer(std::size_t index, const torch::Tensor& x,
                              LayerState* state) const = 0;
};

/// Parameters carry the names of the model file (models/model_file.h).
class AcousticModelImpl : public torch::nn::Module {
 public:
  /// All parameters zero; call initialise() or load_tensors(). Throws UsageError (validate()).
  explicit AcousticModelImpl(ModelOptions options);

  /// Logits [frames, batch, classes] of features [frames, batch, inputs].
  ///
  /// `lengths` [batch], I64: frames of each utterance. Features beyond it are replaced by zeros, so
  /// padding may hold anything; logits beyond it are finite but mean nothing. In training mode
  /// activations are dropped before every layer but the first, with masks from LibTorch's default
  /// generator of the device, whose state is thus part of a checkpoint. Recurrences skip the
  /// padding when the utterances are sorted by length, the longest first.
  ///
  /// With a `state` the frames are a piece of the utterances: the layers start from it, and it is
  /// theirs behind the last frame afterwards, without history. An utterance that has ended has no
  /// frames (length 0) in the pieces behind it; all pieces have the same utterances in the same
  /// order.
  torch::Tensor forward(const torch::Tensor& features, const torch::Tensor& lengths,
                        ModelState* state = nullptr) const;

  /// Layer::set_plain() for all layers.
  void set_plain(bool plain);

  /// From now on forward() computes its layers by `arithmetic`; null: with real numbers. Models
  /// that are made from this one compute with real numbers.
  void set_arithmetic(std::shared_ptr<const Arithmetic> arithmetic);

  /// Fresh parameters; the same for the same seed, and no other random state is touched.
  void initialise(std::uint64_t seed);

  /// Where its parameters are, and features have to be.
  torch::Device device() const;
  const ModelOptions& options() const { return options_; }
  /// Every weight matrix, in the order of matrix_shapes().
  std::vector<NamedMatrix> matrices() const;

  /// The model file's content; save() it. `context_json` is train/model_context.h as JSON text.
  TensorFile to_tensor_file(const std::string& context_json) const;
  /// Takes every parameter from `file`. Throws DataError naming `path`, the tensor and what was
  /// found for one that is missing, has another shape or type, or that this model does not have;
  /// then no parameter has changed.
  void load_tensors(const TensorFile& file, const std::string& path);

 private:
  ModelOptions options_;
  std::vector<std::shared_ptr<Layer>> layers_;
  std::shared_ptr<FeedforwardLayer> output_;
  std::shared_ptr<const Arithmetic> arithmetic_;
};
TORCH_MODULE(AcousticModel);

/// A new model with the block sizes of `options`: every matrix is the nearest to that of `model`
/// (dense to circulant, circulant to dense, or one block size to another), everything else is
/// copied. Throws UsageError naming the first option other than a block size that differs.
AcousticModel convert_blocks(const AcousticModel& model, const ModelOptions& options);

}  // namespace ernn
