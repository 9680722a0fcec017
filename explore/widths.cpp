#include "explore/widths.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "export/float_network.h"
#include "export/quantise.h"

namespace ernn {

namespace {

/// Bits of a sum of `terms` products.
int sum_width(int weight, int operand, int terms) {
  int bits = weight + operand;
  for (int n = 1; n < terms; n *= 2) ++bits;
  return bits;
}

/// The signal that a layer hands on.
const char* output_kind(const LayerOptions& layer) {
  if (layer.type == LayerType::feedforward) return has_table(layer.activation) ? "gate" : "output";
  return layer.type == LayerType::lstm && layer.projection > 0 ? "projected" : "hidden";
}

/// Of what matrix `index` of a layer multiplies.
int operand_width(const FloatLayer& layer, std::size_t index, const LayerWidths& widths,
                  const QuantisationOptions& options) {
  if (index == 0) return widths.input;
  if (index == 1) return widths.output;
  if (layer.options.type == LayerType::lstm) return stored_width(options, layer.name, "hidden");
  return layer.options.reset == GruReset::before ? stored_width(options, layer.name, "reset_hidden")
                                                 : widths.output;
}

}  // namespace

std::vector<LayerWidths> default_widths(const ModelOptions& model,
                                        const QuantisationOptions& options) {
  std::vector<LayerWidths> widths;
  int input = stored_width(options, "", "input");
  for (const FloatLayer& layer : layer_outlines(model)) {
    LayerWidths& one = widths.emplace_back();
    one.input = input;
    one.bias = stored_width(options, layer.name, "bias");
    one.preactivation = guarded_width(options, layer.name, "preactivation");
    one.gate = stored_width(options, layer.name, "gate");
    one.cell = guarded_width(options, layer.name, "cell");
    one.output = stored_width(options, layer.name, output_kind(layer.options));
    if (options.table_segments > 0) one.table_segments = options.table_segments;
    for (std::size_t m = 0; m < layer.matrices.size(); ++m) {
      const MatrixShape& shape = layer.matrices[m].shape;
      MatrixWidths& bits = one.matrices.emplace_back();
      bits.input = operand_width(layer, m, one, options);
      bits.weight = stored_width(options, shape.name, "weight");
      bits.spectrum = shape.block > 1 ? guarded_width(options, shape.name, "spectrum") : bits.input;
      bits.sum = shape.block > 1 ? guarded_width(options, shape.name, "sum")
                                 : sum_width(bits.weight, bits.input, shape.cols);
      bits.product = guarded_width(options, shape.name, "product");
    }
    input = one.output;
  }
  return widths;
}

std::vector<LayerWidths> widths_of(const QuantisedNetwork& network) {
  std::vector<LayerWidths> widths;
  for (const QuantisedLayer& layer : network.layers) {
    LayerWidths& one = widths.emplace_back();
    one.input = layer.input.width;
    one.bias = layer.bias.width;
    one.preactivation = layer.preactivation.width;
    one.gate = layer.gate.width;
    one.cell = layer.cell.width;
    one.output = layer.output_format().width;
    const int log2 = std::max(layer.sigmoid.segments_log2, layer.tanh.segments_log2);
    one.table_segments = 1 << log2;
    for (std::size_t m = 0; m < layer.matrices.size(); ++m) {
      const QuantisedMatrix& matrix = layer.matrices[m];
      const int input = layer.matrix_input(m).width;
      MatrixWidths& bits = one.matrices.emplace_back();
      bits.input = input;
      bits.weight = matrix.weight.width;
      bits.spectrum = matrix.shape.block > 1 ? matrix.spectrum.width : input;
      bits.sum = matrix.shape.block > 1 ? matrix.sum.width
                                        : sum_width(bits.weight, input, matrix.shape.cols);
      bits.product = matrix.product.width;
    }
  }
  return widths;
}

}  // namespace ernn
