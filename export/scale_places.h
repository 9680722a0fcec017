// Where the factor 1/k of a circulant product goes, by measurement (docs/arithmetic.md, "Where 1/k
// goes").
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/frame_matrix.h"
#include "export/float_network.h"
#include "export/quantised_network.h"

namespace ernn {

/// weights: in the stored spectra, with words that grow inside the transforms (what is deployed).
/// Since formats have a binary point of their own, a shift behind the inverse transform gives the
/// same codes. end: such a shift when the inverse's words must not grow, so that the sums leave
/// log2(k) bits free. inverse: halving in each stage of the inverse transform. wide_inverse: the
/// same with log2(k) more guard bits, so that words are as wide as in `weights`. forward: halving
/// in each stage of the forward transform.
enum class ScalePlace { weights, end, inverse, wide_inverse, forward };
const std::vector<std::pair<ScalePlace, const char*>>& enum_names(ScalePlace);

/// One matrix with spectra, sums and products of `bits`.
struct ScaleError {
  std::string matrix;
  int block = 1;
  ScalePlace place = ScalePlace::weights;
  int bits = 0;
  double snr_db = 0;  ///< of the product, against the same weight and input codes in double
};

/// Every block-circulant matrix of `quantised` over every `stride`-th frame of normalised
/// utterances, with what the reference feeds it there. Weight and input codes and all binary points
/// are those of `quantised`.
std::vector<ScaleError> compare_scale_places(const FloatNetwork& network,
                                             const QuantisedNetwork& quantised,
                                             const std::vector<FrameMatrix>& utterances,
                                             const std::vector<int>& bits, int stride);

/// Bits of all adders of one forward and one inverse transform of k, stage by stage, as the
/// estimator of hardware counts them: what a place costs beside the same multiplications.
int transform_adder_bits(ScalePlace place, int k, int input_bits, int bits);

}  // namespace ernn
