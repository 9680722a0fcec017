// What every layer of an acoustic model has in common.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "models/layer_state.h"
#include "models/options.h"
#include "models/structured_matrix.h"

namespace ernn {

/// The gates of a recurrence, frame by frame: by LibTorch's operators, or in one pass each
/// (compute/gates.h).
enum class Gates { by_operators, in_one_pass };

/// One layer over a padded batch of sequences. Frame t of an utterance never sees later frames or
/// other utterances, so whatever stands in the padding cannot reach the frames before it.
class Layer : public torch::nn::Module {
 public:
  /// x [frames, batch, inputs] to [frames, batch, outputs]. On the CPU by the kernels of compute/,
  /// elsewhere by LibTorch's operators, on a GPU with gates in one pass.
  ///
  /// @param running utterances that have a frame t, which must be the first of the batch; empty:
  ///   all. What comes out for the frames of the others is not specified.
  /// @param state what a layer with a memory starts from; holds what is behind the last frame
  ///   afterwards, for the utterances that have that frame. Null: it starts at zero.
  virtual torch::Tensor forward(const torch::Tensor& x, const std::vector<int64_t>& running,
                                LayerState* state) = 0;
  torch::Tensor forward(const torch::Tensor& x) { return forward(x, {}, nullptr); }
  /// Fresh parameters from `generator`.
  virtual void initialise(const at::Generator& generator) = 0;

  /// The weight matrices, in the order of matrix_shapes().
  const std::vector<StructuredMatrix>& matrices() const { return matrices_; }

  /// LibTorch's operators on the CPU too: slower, and what the kernels are compared with.
  void set_plain(bool plain) { plain_ = plain; }

 protected:
  bool uses_kernels(const torch::Tensor& x) const;
  /// For layers over x that do not use the kernels.
  Gates gates_for(const torch::Tensor& x) const;
  /// Registers a matrix under the last part of its name.
  StructuredMatrix add_matrix(const MatrixShape& shape);
  /// Uniform in +-1/sqrt(columns), which keeps the variance of W x at a third of that of x.
  void initialise_matrices(const at::Generator& generator);

 private:
  std::vector<StructuredMatrix> matrices_;
  bool plain_ = false;
};

/// `shapes` are the layer's own, in the order of matrix_shapes().
std::shared_ptr<Layer> make_layer(const LayerOptions& options,
                                  const std::vector<MatrixShape>& shapes);

}  // namespace ernn
