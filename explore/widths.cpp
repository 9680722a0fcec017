#include "explore/widths.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "export/float_network.h"

namespace ernn {

namespace {

/// Bits of a sum of `terms` products.
int sum_width(int weight, int operand, int terms) {
  int bits = weight + operand;
  for (int n = 1; n < terms; n *= 2) ++bits;
  return bits;
}

/// Widths of signals by option: an owner's own before the one for all.
class OptionWidths {
 public:
  explicit OptionWidths(const QuantisationOptions& options) : options_(options) {}

  int stored(const std::string& owner, const std::string& kind) const {
    return width(owner, kind, options_.bits);
  }
  int guarded(const std::string& owner, const std::string& kind) const {
    return width(owner, kind, options_.bits + options_.guard_bits);
  }
  int network_input() const { return find("input").value_or(options_.bits); }

 private:
  std::optional<int> find(const std::string& name) const {
    const auto found = options_.widths.find(name);
    if (found == options_.widths.end()) return std::nullopt;
    return found->second;
  }
  int width(const std::string& owner, const std::string& kind, int otherwise) const {
    const auto own = find(owner + "." + kind);
    return own ? *own : find(kind).value_or(otherwise);
  }

  const QuantisationOptions& options_;
};

/// The signal that a layer hands on.
const char* output_kind(const LayerOptions& layer) {
  if (layer.type == LayerType::feedforward) return has_table(layer.activation) ? "gate" : "output";
  return layer.type == LayerType::lstm && layer.projection > 0 ? "projected" : "hidden";
}

/// Of what matrix `index` of a layer multiplies.
int operand_width(const FloatLayer& layer, std::size_t index, const LayerWidths& widths,
                  const OptionWidths& options) {
  if (index == 0) return widths.input;
  if (index == 1) return widths.output;
  if (layer.options.type == LayerType::lstm) return options.stored(layer.name, "hidden");
  return layer.options.reset == GruReset::before ? options.stored(layer.name, "reset_hidden")
                                                 : widths.output;
}

}  // namespace

std::vector<LayerWidths> default_widths(const ModelOptions& model,
                                        const QuantisationOptions& options) {
  const OptionWidths named(options);
  std::vector<LayerWidths> widths;
  int input = named.network_input();
  for (const FloatLayer& layer : layer_outlines(model)) {
    LayerWidths& one = widths.emplace_back();
    one.input = input;
    one.bias = named.stored(layer.name, "bias");
    one.preactivation = named.guarded(layer.name, "preactivation");
    one.gate = named.stored(layer.name, "gate");
    one.cell = named.guarded(layer.name, "cell");
    one.output = named.stored(layer.name, output_kind(layer.options));
    if (options.table_segments > 0) one.table_segments = options.table_segments;
    for (std::size_t m = 0; m < layer.matrices.size(); ++m) {
      const MatrixShape& shape = layer.matrices[m].shape;
      MatrixWidths& bits = one.matrices.emplace_back();
      bits.input = operand_width(layer, m, one, named);
      bits.weight = named.stored(shape.name, "weight");
      bits.spectrum = shape.block > 1 ? named.guarded(shape.name, "spectrum") : bits.input;
      bits.sum = shape.block > 1 ? named.guarded(shape.name, "sum")
                                 : sum_width(bits.weight, bits.input, shape.cols);
      bits.product = named.guarded(shape.name, "product");
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
