#include "export/hls_text.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/text.h"

namespace ernn::hls_text {

std::string class_name(const QuantisedLayer& layer) {
  if (layer.name == "output") return "OutputLayer";
  return "Layer" + layer.name.substr(layer.name.find('.') + 1);
}

std::string member_name(const QuantisedLayer& layer) {
  return layer.name == "output" ? layer.name : to_lower(class_name(layer));
}

std::string capital(std::string text) {
  text.front() = to_upper(text.substr(0, 1)).front();
  return text;
}

std::string matrix_class(const QuantisedLayer& layer, const QuantisedMatrix& matrix) {
  return class_name(layer) + capital(matrix.shape.name.substr(matrix.shape.name.rfind('.') + 1));
}

std::vector<const ActivationTable*> tables(const QuantisedLayer& layer) {
  if (layer.options.type != LayerType::feedforward) return {&layer.sigmoid, &layer.tanh};
  if (layer.options.activation == Activation::sigmoid) return {&layer.sigmoid};
  if (layer.options.activation == Activation::tanh) return {&layer.tanh};
  return {};
}

std::string number_lines(const std::vector<std::int32_t>& codes, const std::string& indent) {
  std::string text;
  std::string line = indent;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::string item = std::to_string(codes[i]) + (i + 1 < codes.size() ? "," : "");
    if (line.size() + item.size() > 98) {
      text += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + item;
  }
  return text + line + "\n";
}

}  // namespace ernn::hls_text
