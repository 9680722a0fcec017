#include "export/quantised_network.h"

namespace ernn {

const Format& QuantisedLayer::output_format() const {
  switch (options.type) {
    case LayerType::lstm:
      return options.projection > 0 ? projected : hidden;
    case LayerType::gru:
      return hidden;
    case LayerType::feedforward:
      break;
  }
  return output;
}

const Format& QuantisedLayer::matrix_input(std::size_t index) const {
  if (index == 0) return input;
  if (index == 2 && options.type == LayerType::lstm) return hidden;
  if (index == 2 && options.reset == GruReset::before) return reset_hidden;
  return output_format();
}

}  // namespace ernn
