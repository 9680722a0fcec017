// Widths in bits of what the kernel carries, from an artefact or from the exporter's defaults.
#pragma once

#include <vector>

#include "export/export_options.h"
#include "export/quantised_network.h"
#include "models/options.h"

namespace ernn {

/// One matrix; `spectrum` and `sum` are those of `input` and `accumulator` when the block size
/// is 1.
struct MatrixWidths {
  int input = 0, weight = 0, spectrum = 0, sum = 0, product = 0;
};

/// One layer; signals that it does not have keep the width that they would have.
struct LayerWidths {
  int input = 0, bias = 0, preactivation = 0, gate = 0, cell = 0, output = 0;
  int table_segments = 64;  ///< of an activation table
  std::vector<MatrixWidths> matrices;
};

/// Hidden layers, then the output layer, as `ernn export` chooses them (docs/arithmetic.md,
/// Formats). Tables have 64 segments where their number is chosen as needed.
std::vector<LayerWidths> default_widths(const ModelOptions& model,
                                        const QuantisationOptions& options);

/// Those of an exported network.
std::vector<LayerWidths> widths_of(const QuantisedNetwork& network);

}  // namespace ernn
