// From a trained network and measured ranges to formats and integer codes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/frame_matrix.h"
#include "export/export_options.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/quantised_network.h"

namespace ernn {

/// Chooses formats (docs/arithmetic.md, "Formats"), transforms the weights by FFTW3 with 1/k folded
/// in, and builds the activation tables. Weights, biases and peepholes always fit their formats;
/// ranges of the other signals come from `profile`. Throws UsageError for options that do not suit
/// (an unknown signal in `widths`, an accumulator of more than 63 bits), DataError for a signal
/// without a measured range.
QuantisedNetwork quantise(const FloatNetwork& network, const RangeProfile& profile,
                          const ExportOptions& options);

/// Frames [frames, inputs] to codes in the network's input format, row by row. `saturations` grows
/// by the number of values beyond the format.
std::vector<std::vector<std::int32_t>> quantise_frames(const FrameMatrix& frames,
                                                       const Format& format,
                                                       std::int64_t& saturations);

/// Bits of all stored codes: matrices, biases and peepholes, each with its own width.
std::int64_t stored_bits(const QuantisedNetwork& network);

/// Every name that ExportOptions::widths accepts for this network.
std::vector<std::string> width_names(const FloatNetwork& network);

}  // namespace ernn
