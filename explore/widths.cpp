#include "explore/widths.h"

#include <algorithm>

namespace ernn {

namespace {

/// Bits of a sum of `terms` products.
int sum_width(int weight, int operand, int terms) {
  int bits = weight + operand;
  for (int n = 1; n < terms; n *= 2) ++bits;
  return bits;
}

}  // namespace

std::vector<LayerWidths> default_widths(const ModelOptions& model, int bits, int guard_bits) {
  const int wide = bits + guard_bits;
  LayerWidths plain;
  plain.input = plain.bias = plain.gate = plain.output = bits;
  plain.preactivation = plain.cell = wide;
  std::vector<LayerWidths> widths;
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  std::string owner;
  for (const MatrixShape& shape : shapes) {
    const std::string layer = shape.name.substr(0, shape.name.rfind('.'));
    if (layer != owner) widths.push_back(plain);
    owner = layer;
    MatrixWidths matrix{bits, bits, wide, wide, wide};
    if (shape.block == 1) {
      matrix.spectrum = bits;
      matrix.sum = sum_width(bits, bits, shape.cols);
    }
    widths.back().matrices.push_back(matrix);
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
    int input = layer.input.width;
    for (std::size_t m = 0; m < layer.matrices.size(); ++m) {
      const QuantisedMatrix& matrix = layer.matrices[m];
      if (m == 1) input = layer.output_format().width;
      if (m == 2 && layer.options.type == LayerType::lstm) input = layer.hidden.width;
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
