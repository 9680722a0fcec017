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

}  // namespace ernn
