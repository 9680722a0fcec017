#include "train/fixed_point_network.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <cmath>

#include "base/error.h"
#include "export/accumulators.h"
#include "train/fixed_point_ops.h"

namespace ernn {

namespace {

/// Integer bits by which dropout's factor 1 / (1 - p) widens what it leaves.
int dropout_bits(const ModelOptions& options) {
  return static_cast<int>(std::ceil(-std::log2(1 - options.dropout)));
}

void check_exact(const QuantisedNetwork& formats, int more) {
  for (const AccumulatorWidth& width : accumulator_widths(formats)) {
    if (width.bits + more <= fixed_point::kExactBits) continue;
    throw UsageError(fmt::format(
        "{} needs an accumulator of {} bits, training in fixed point has {} at most; take fewer "
        "bits or guard_bits, or set widths for its signals",
        width.name, width.bits + more, fixed_point::kExactBits));
  }
}

}  // namespace

FixedPointNetwork::FixedPointNetwork(const QuantisedNetwork& formats, const AcousticModel& model) {
  const int more = dropout_bits(model->options());
  check_exact(formats, more);
  const auto parameters = model->named_parameters();
  const auto parameter = [&](const std::string& name) { return parameters[name]; };
  for (const QuantisedLayer& layer : formats.layers) {
    Format input = layer.input;
    if (!layers_.empty()) {
      input.width += more;
      input.integer += more;
    }
    layers_.push_back({input, fixed_point::make_layer(layer, parameter)});
  }
}

torch::Tensor FixedPointNetwork::layer(std::size_t index, const torch::Tensor& x,
                                       LayerState* state) const {
  const Place& place = layers_[index];
  return place.layer->forward(fixed_point::narrow(x.to(torch::kDouble), place.input), state);
}

}  // namespace ernn
