#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/options.h"
#include "export/hls_text.h"
#include "hls/io/sha256.h"

namespace ernn::hls_text {
namespace {

/// All of a layer that counts; formats that it does not have are <0,0>. Every version of the
/// program has to write the same text for the same kernel: kernels outlive versions.
std::string layer_text(const QuantisedLayer& layer, int unit_group) {
  const LayerOptions& options = layer.options;
  std::string text =
      fmt::format("{} {} {} {} clip {} group {}\n", name_of(options.type), layer.inputs,
                  options.size, layer.outputs(), layer.cell_clip_code, unit_group);
  if (options.type == LayerType::gru) text += fmt::format("reset {}\n", name_of(options.reset));
  if (options.type == LayerType::feedforward) {
    text += fmt::format("activation {} offsets", name_of(options.activation));
    for (const int offset : options.offsets) text += fmt::format(" {}", offset);
    text += "\n";
  }
  for (const Format& format :
       {layer.input, layer.bias, layer.peephole, layer.preactivation, layer.gate, layer.cell,
        layer.reset_hidden, layer.hidden, layer.projected, layer.output})
    text += format.text();
  text += "\n";
  for (const QuantisedMatrix& matrix : layer.matrices) {
    const MatrixShape& shape = matrix.shape;
    text += fmt::format("{} {} {} {} ", shape.name, shape.rows, shape.cols, shape.block);
    for (const Format& format : {matrix.weight, matrix.spectrum, matrix.sum, matrix.product})
      text += format.text();
    text += "\n";
  }
  for (const ActivationTable* table : tables(layer)) {
    text += fmt::format("{} {} {} {}", name_of(table->kind), table->range_log2,
                        table->segments_log2, table->last);
    for (const std::int32_t code : table->base) text += fmt::format(" {}", code);
    for (const std::int32_t code : table->slope) text += fmt::format(" {}", code);
    text += "\n";
  }
  return text;
}

}  // namespace

std::uint32_t fingerprint(const QuantisedNetwork& network, const Folding& folding) {
  std::string text;
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    text += layer_text(network.layers[i], folding.layers[i].unit_group);
  return static_cast<std::uint32_t>(std::stoul(hls::sha256_hex(text).substr(0, 8), nullptr, 16));
}

}  // namespace ernn::hls_text
