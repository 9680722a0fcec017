// A network computed as it will be deployed, for training and for evaluation: every code of
// docs/arithmetic.md in its place, with gradients that pass through the roundings.
#pragma once

#include <memory>
#include <vector>

#include "export/quantised_network.h"
#include "models/acoustic_model.h"
#include "train/fixed_point_layers.h"

namespace ernn {

/// What comes out for a frame is dequantised codes of export/emulator.h, exactly: nothing is lost
/// in F64 as long as no accumulator needs more than fixed_point::kExactBits.
class FixedPointNetwork : public Arithmetic {
 public:
  /// @param formats formats and tables of a network like `model`; codes are not looked at
  /// @param model whose parameters are quantised anew at every pass; they are shared, not copied
  ///
  /// Throws UsageError naming the first accumulator that is too wide.
  FixedPointNetwork(const QuantisedNetwork& formats, const AcousticModel& model);

  /// x of the first layer: normalised features, which are quantised here. Those of the layers
  /// behind it are outputs of layers, perhaps after dropout, whose scaled values are put back onto
  /// their grid without a limit.
  torch::Tensor layer(std::size_t index, const torch::Tensor& x, LayerState* state) const override;

 private:
  struct Place {
    Format input;
    std::unique_ptr<fixed_point::Layer> layer;
  };
  std::vector<Place> layers_;
};

}  // namespace ernn
