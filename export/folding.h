// How much of a network the kernel computes at the same time (docs/kernel.md, Folds).
#pragma once

#include <string>
#include <vector>

#include "models/options.h"

namespace ernn {

/// Streams that a call of the kernel can interleave at most: one a bit of its argument `reset`.
inline constexpr int kMostStreams = 32;

/// Folds of one matrix product. Block rows are taken in the order of row_order().
struct MatrixFolding {
  /// Block rows multiplied at the same time, 1 to their number p. They are taken in groups, of
  /// which the last has rows beyond the matrix when this does not divide p.
  int rows_parallel = 1;
  int cols_parallel = 1;  ///< blocks of a row multiplied at the same time; divides their number q
  /// Block rows transformed back at the same time: a power of two that divides rows_parallel, p
  /// and, in matrices with gates and the candidate, the block rows of a unit group.
  int inverses_parallel = 1;
};

struct LayerFolding {
  std::vector<MatrixFolding> matrices;  ///< in the order of matrix_shapes()
  /// LSTM, GRU: units whose gates arrive together; a power of two that the gate matrices' block
  /// sizes divide and that divides the layer's size. 0: the largest of those block sizes.
  int unit_group = 0;
  int units_parallel = 1;  ///< LSTM, GRU: units computed at the same time; divides unit_group
};

struct Folding {
  std::vector<LayerFolding> layers;  ///< hidden layers, then the output layer
  int streams = 1;                   ///< independent streams that one call can interleave, 1 to 32
};

template <class Visitor>
void describe(Visitor& field, MatrixFolding& o) {
  field("rows_parallel", o.rows_parallel, "block rows at a time");
  field("cols_parallel", o.cols_parallel, "blocks of a row at a time");
  field("inverses_parallel", o.inverses_parallel, "inverse transforms at a time");
}

template <class Visitor>
void describe(Visitor& field, LayerFolding& o) {
  field("matrices", o.matrices, "input, recurrent, projection or candidate");
  field("unit_group", o.unit_group, "units whose gates arrive together, 0 = the smallest");
  field("units_parallel", o.units_parallel, "units at a time");
}

template <class Visitor>
void describe(Visitor& field, Folding& o) {
  field("layers", o.layers, "hidden layers, then the output layer; empty = one at a time");
  field("streams", o.streams, "independent streams that a call can interleave, 1 to 32");
}

/// "1, 2, 3, 6" for 6.
std::string divisors(int number);

/// Everything one at a time.
Folding unfolded(const ModelOptions& model);

/// Gates whose rows a matrix holds one after the other: 4 for the input and recurrent matrix of an
/// LSTM, 3 for the input and 2 for the recurrent matrix of a GRU, otherwise 1.
int gates_of(const LayerOptions& layer, int matrix);

/// Whether a matrix' products are taken group by group of units: all of a recurrent layer but a
/// projection.
bool in_unit_groups(const LayerOptions& layer, int matrix);

/// The largest block size among a recurrent layer's matrices that have gates or the candidate.
int smallest_unit_group(const LayerOptions& layer);

/// Block rows of a matrix in processing order: group by group of units, in a group gate by gate,
/// so that all gates of a unit come close together. `group` is in units; matrices with one gate
/// keep their order.
std::vector<int> row_order(const MatrixShape& shape, int gates, int group);

/// Fills in `unit_group` where it is 0. Throws UsageError naming the layer or matrix, the constant,
/// what was found and what suits, when the folding does not suit the model.
Folding resolve(Folding folding, const ModelOptions& model);

}  // namespace ernn
