// What each matrix of a trained dense network is predicted to lose by each block size; free of
// LibTorch (explore/sensitivity.h measures it).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "explore/block_proposal.h"

namespace ernn {

/// One matrix.
struct MatrixSensitivity {
  std::string matrix;
  std::vector<int> sizes;        ///< k = 1, 2, ..., 64
  std::vector<double> loss;      ///< predicted increase of the loss by k, nats a frame or phone
  std::vector<double> distance;  ///< ||W - P_k(W)|| / ||W|| by k
};

struct SensitivityTable {
  std::string source;     ///< what it was measured on and how; another text, another table
  std::string curvature;  ///< "fisher": sampled labels; "squared_gradients": the true ones
  int batches = 0;
  long long count = 0;  ///< frames (frame criterion) or phones (ctc) that the gradients are of
  std::vector<MatrixSensitivity> matrices;  ///< in the order of matrix_shapes()
};

template <class Visitor>
void describe(Visitor& field, MatrixSensitivity& o) {
  field("matrix", o.matrix);
  field("sizes", o.sizes, "block sizes");
  field("loss", o.loss, "predicted increase of the loss, nats");
  field("distance", o.distance, "||W - P(W)|| / ||W||");
}

template <class Visitor>
void describe(Visitor& field, SensitivityTable& o) {
  field("source", o.source, "what it was measured on and how");
  field("curvature", o.curvature, "fisher or squared_gradients");
  field("batches", o.batches);
  field("count", o.count, "frames or phones");
  field("matrices", o.matrices);
}

/// Nothing when the file is not there. Throws DataError for a broken one.
std::optional<SensitivityTable> read_sensitivity(const std::filesystem::path& path);
void write_sensitivity(const SensitivityTable& table, const std::filesystem::path& path);

/// The losses of a place are those of its matrices together. Throws std::logic_error when the
/// table's matrices are not the model's.
PlaceLosses place_losses(const SensitivityTable& table, const ModelOptions& model,
                         const std::vector<BlockPlace>& places);

}  // namespace ernn
