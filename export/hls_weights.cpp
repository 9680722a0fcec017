#include "export/hls_text.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ernn::hls_text {
namespace {

/// Codes [p][q][k] with the block rows in the order in which the kernel computes them.
std::vector<std::int32_t> ordered_codes(const QuantisedLayer& layer, const QuantisedMatrix& matrix,
                                        const LayerFolding& folding) {
  const int index = static_cast<int>(&matrix - layer.matrices.data());
  if (!in_unit_groups(layer.options, index)) return matrix.codes;
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(matrix.shape.block_cols()) *
                             static_cast<std::ptrdiff_t>(matrix.shape.block);
  std::vector<std::int32_t> codes;
  codes.reserve(matrix.codes.size());
  for (const int i : row_order(matrix.shape, gates_of(layer.options, index), folding.unit_group)) {
    const auto first = matrix.codes.begin() + i * row;
    codes.insert(codes.end(), first, first + row);
  }
  return codes;
}

/// Codes [p][q][k] in braces, a block row after the other.
std::string matrix_codes(const MatrixShape& shape, const std::vector<std::int32_t>& codes) {
  const auto block = static_cast<std::size_t>(shape.block);
  const auto cols = static_cast<std::size_t>(shape.block_cols());
  std::string text = "{{\n";
  std::size_t at = 0;
  for (int i = 0; i < shape.block_rows(); ++i) {
    text += "        {";
    std::size_t column = 9;
    for (std::size_t j = 0; j < cols; ++j) {
      std::string item = "{";
      for (std::size_t n = 0; n < block; ++n, ++at) {
        item += (n > 0 ? "," : "") + std::to_string(codes[at]);
      }
      item += j + 1 < cols ? "}," : "}";
      if (column + item.size() > 98) {
        text += "\n         ";
        column = 9;
      }
      text += item;
      column += item.size();
    }
    text += "},\n";
  }
  return text + "    }}";
}

/// Codes [rows][size] in braces.
std::string row_codes(const std::vector<std::int32_t>& codes, int size) {
  std::string text = "{\n";
  for (std::size_t at = 0; at < codes.size(); at += static_cast<std::size_t>(size)) {
    const std::vector<std::int32_t> row(codes.begin() + static_cast<std::ptrdiff_t>(at),
                                        codes.begin() + static_cast<std::ptrdiff_t>(at) + size);
    text += "        {\n" + number_lines(row, "            ") + "        },\n";
  }
  return text + "    }";
}

std::string layer_codes(const QuantisedLayer& layer, const LayerFolding& folding) {
  const bool lstm = layer.options.type == LayerType::lstm;
  std::string text = fmt::format("  // {}\n  {{\n", layer.name);
  for (const QuantisedMatrix& matrix : layer.matrices) {
    const bool wrapped = lstm && &matrix - layer.matrices.data() == 2;
    text += fmt::format("    // {}\n    {}{}{},\n", matrix.shape.name, wrapped ? "{" : "",
                        matrix_codes(matrix.shape, ordered_codes(layer, matrix, folding)),
                        wrapped ? "}" : "");
  }
  if (lstm && layer.matrices.size() < 3) text += "    {},  // no projection\n";
  if (layer.options.type == LayerType::feedforward) {
    return text + "    // bias\n    {\n" + number_lines(layer.bias_codes, "        ") + "    }},\n";
  }
  text += "    // bias\n    " + row_codes(layer.bias_codes, layer.options.size) + ",\n";
  if (lstm) {
    text += layer.peephole_codes.empty()
                ? "    {}  // no peepholes\n"
                : "    // peepholes\n    {" + row_codes(layer.peephole_codes, layer.options.size) +
                      "}\n";
  } else {
    text += layer.candidate_bias_codes.empty()
                ? "    {}  // no bias inside the reset\n"
                : "    // bias inside the reset\n    {{\n" +
                      number_lines(layer.candidate_bias_codes, "        ") + "    }}\n";
  }
  return text + "  },\n";
}

}  // namespace

std::string weights_file(const QuantisedNetwork& network, const Folding& folding) {
  std::string text =
      "// Generated: the weights as ROM. The order is that of weights.bin.\n#pragma once\n\n"
      "#include \"model.h\"\n\nnamespace ernn {\nnamespace model {\n\n"
      "constexpr Weights kWeights = {\n";
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    text += layer_codes(network.layers[i], folding.layers[i]);
  return text + "};\n\n}  // namespace model\n}  // namespace ernn\n";
}

/// hls/testbench/weights_image.h describes the layout.
std::string weights_image(const QuantisedNetwork& network, const Folding& folding) {
  std::string codes;
  std::uint32_t count = 0;
  const auto word = [](std::uint32_t value) {
    std::string bytes(4, '\0');
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>((value >> (8 * i)) & 0xFFU);
    return bytes;
  };
  const auto put = [&](const std::vector<std::int32_t>& list) {
    for (const std::int32_t code : list) codes += word(static_cast<std::uint32_t>(code));
    count += static_cast<std::uint32_t>(list.size());
  };
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const QuantisedLayer& layer = network.layers[i];
    for (const QuantisedMatrix& matrix : layer.matrices)
      put(ordered_codes(layer, matrix, folding.layers[i]));
    put(layer.bias_codes);
    put(layer.options.type == LayerType::lstm ? layer.peephole_codes : layer.candidate_bias_codes);
  }
  return "ERNNWTS2" + word(fingerprint(network, folding)) + word(count) + codes;
}

}  // namespace ernn::hls_text
