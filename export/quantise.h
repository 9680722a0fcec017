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

/// Width of a signal that is stored or multiplied: that of "owner.kind" in `options.widths`, else
/// that of "kind", else `bits`. The network's input has no owner.
int stored_width(const QuantisationOptions& options, const std::string& owner,
                 const std::string& kind);
/// The same of an intermediate signal, which has `guard_bits` more.
int guarded_width(const QuantisationOptions& options, const std::string& owner,
                  const std::string& kind);

/// Chooses formats (docs/arithmetic.md, "Formats"), transforms the weights by FFTW3 with 1/k folded
/// in, and builds the activation tables. Weights, biases and peepholes always fit their formats;
/// ranges of the other signals come from `profile`. Throws UsageError for options that do not suit
/// (an unknown signal in `widths`, an accumulator of more than 63 bits), DataError for a signal
/// without a measured range.
QuantisedNetwork quantise(const FloatNetwork& network, const RangeProfile& profile,
                          const QuantisationOptions& options);

/// `network` in the formats and with the tables of `formats`, which was made from a network of the
/// same shape. Weights, biases and peepholes that no longer fit are limited.
QuantisedNetwork quantise(const FloatNetwork& network, const QuantisedNetwork& formats);

/// The real numbers that a matrix is stored as: the packed spectra of c / k, or the weights
/// themselves when block is 1; in the order of QuantisedMatrix::codes.
std::vector<double> stored_values(const FloatMatrix& matrix);

/// The format that quantise() chooses for a matrix' weights.
Format weight_format(const FloatMatrix& matrix, const QuantisationOptions& options);

/// Frames [frames, inputs] to codes in the network's input format, row by row. `saturations` grows
/// by the number of values beyond the format.
std::vector<std::vector<std::int32_t>> quantise_frames(const FrameMatrix& frames,
                                                       const Format& format,
                                                       std::int64_t& saturations);

/// Bits of all stored codes: matrices, biases and peepholes, each with its own width.
std::int64_t stored_bits(const QuantisedNetwork& network);

/// Every name that QuantisationOptions::widths accepts for this network; its weights are not looked
/// at.
std::vector<std::string> width_names(const FloatNetwork& network);

/// Throws UsageError for a name in `options.widths` that is none of them.
void check_width_names(const FloatNetwork& network, const QuantisationOptions& options);

}  // namespace ernn
