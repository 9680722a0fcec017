// How much the loss of a trained dense network is predicted to rise when its matrices become
// block-circulant (docs/explore.md, "Sensitivity").
//
// Around a minimum the loss rises by d^T H d / 2 for a change d of the weights. H is taken to be
// diagonal and estimated by mean squared gradients, d is W - P_k(W), so that a matrix with the
// curvatures F_ij is predicted to cost sum_ij F_ij (W - P_k(W))_ij^2 / 2.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "explore/sensitivity_table.h"
#include "models/acoustic_model.h"
#include "train/model_context.h"
#include "train/training_data.h"

namespace ernn {

/// Sums of squared gradients of matrices, in double precision.
class SquaredGradients {
 public:
  explicit SquaredGradients(const std::vector<NamedMatrix>& matrices);
  /// Adds the squares of the gradients that the weights have now, and clears them.
  void add();
  /// One tensor a matrix, of the weights' shapes: the sums over `count`.
  std::vector<torch::Tensor> mean(long long count) const;

 private:
  std::vector<torch::Tensor> weights_;
  std::vector<torch::Tensor> sums_;
};

struct SensitivityOptions {
  int batches = 16;  ///< of the training split
  int batch = 8;     ///< utterances
  std::uint64_t seed = 1;
};

/// The curvatures F of every matrix, of the mean loss in nats a labelled frame (or a phone, ctc).
///
/// Frame criterion: the diagonal of the Fisher matrix. Labels are drawn from the model's own
/// outputs, so that the gradients of frames are independent with mean zero and the square of their
/// sum over a batch is on average the sum of their squares. Ctc, from whose outputs no transcripts
/// can be drawn so: squared gradients of single utterances with their own transcripts.
struct Curvature {
  std::vector<torch::Tensor> by_matrix;  ///< [rows, cols], F64
  int batches = 0;
  long long count = 0;  ///< frames or phones
};
Curvature estimate_curvature(const AcousticModel& model, const TrainingData& data,
                             const ModelContext& context, const SensitivityOptions& options);

/// sum_ij F_ij (W - P_k(W))_ij^2 / 2 of one dense matrix.
double predicted_increase(const torch::Tensor& weight, const torch::Tensor& curvature, int k);

/// Every matrix at every block size. The model must be dense.
SensitivityTable measure_sensitivity(const AcousticModel& model, const TrainingData& data,
                                     const ModelContext& context,
                                     const SensitivityOptions& options);

}  // namespace ernn
