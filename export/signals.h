// The traced signals of docs/arithmetic.md: names, lengths, formats.
#pragma once

#include <string>
#include <vector>

#include "export/quantised_network.h"

namespace ernn {

/// One signal that emulator, reference and kernel are compared on.
struct TracedSignal {
  std::string name;
  int length = 0;
  bool counted = false;  ///< it is narrowed, so it has a saturation counter
  Format format;
};

/// Names and lengths of one layer's signals, in the order of docs/arithmetic.md; formats are unset.
std::vector<TracedSignal> layer_signals(const LayerOptions& options, const std::string& layer,
                                        const std::vector<MatrixShape>& matrices);

/// Names of the formats that a layer has beside its input's and its matrices' (docs/arithmetic.md,
/// Formats).
std::vector<std::string> format_names(const LayerOptions& options);

/// Every signal of a network with its format.
std::vector<TracedSignal> traced_signals(const QuantisedNetwork& network);

}  // namespace ernn
