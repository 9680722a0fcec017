#include "export/accumulators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ernn {

namespace {

/// Largest magnitude of a term as an integer, and its fraction bits. Magnitudes are powers of two
/// times small counts, which double holds.
struct Term {
  double magnitude = 0;
  int fraction = 0;
};

Term code(const Format& format) {
  return {std::ldexp(1.0, format.width - 1), format.fraction()};
}

Term operator*(Term a, Term b) {
  return {a.magnitude * b.magnitude, a.fraction + b.fraction};
}

/// The sum of all terms aligned to the largest fraction.
Term sum(const std::vector<Term>& terms) {
  Term total;
  total.fraction = terms.front().fraction;
  for (const Term& term : terms) total.fraction = std::max(total.fraction, term.fraction);
  for (const Term& term : terms)
    total.magnitude += std::ldexp(term.magnitude, total.fraction - term.fraction);
  return total;
}

/// Bits of a two's complement number that reaches +magnitude.
int bits_for(double magnitude) {
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  return exponent + 1;
}

class Collector {
 public:
  explicit Collector(std::vector<AccumulatorWidth>& widths) : widths_(widths) {}
  void add(const std::string& name, const Term& term) {
    widths_.push_back({name, bits_for(term.magnitude)});
  }

 private:
  std::vector<AccumulatorWidth>& widths_;
};

/// A product with a constant inside a transform of k values of `format`: the values have grown by
/// at most k, carry the guard fraction, and two of them times at most 1 are added.
Term inside_transform(const Format& format, int k) {
  Term term = code(format);
  term.magnitude = std::ldexp(term.magnitude, kTransformGuardBits + kTwiddleFraction + 1) * k;
  return term;
}

void collect_matrix(const QuantisedMatrix& matrix, const Format& input, Collector& collector) {
  const MatrixShape& shape = matrix.shape;
  if (shape.block == 1) {
    Term row = code(matrix.weight) * code(input);
    row.magnitude *= shape.cols;
    collector.add(shape.name + ": row", row);
    return;
  }
  collector.add(shape.name + ": forward transform", inside_transform(input, shape.block));
  Term row = code(matrix.weight) * code(matrix.spectrum);
  row.magnitude *= 2.0 * shape.block_cols();
  collector.add(shape.name + ": block row", row);
  // Both half spectra of an inverse transform double what they take.
  collector.add(shape.name + ": inverse transform", inside_transform(matrix.sum, 2 * shape.block));
}

void collect_lstm(const QuantisedLayer& layer, Collector& collector) {
  std::vector<Term> terms = {code(layer.matrices[0].product), code(layer.matrices[1].product),
                             code(layer.bias)};
  if (!layer.peephole_codes.empty()) terms.push_back(code(layer.peephole) * code(layer.cell));
  collector.add(layer.name + ": preactivation", sum(terms));
  collector.add(layer.name + ": cell",
                sum({code(layer.gate) * code(layer.cell), code(layer.gate) * code(layer.gate)}));
  collector.add(layer.name + ": hidden", code(layer.gate) * code(layer.gate));
}

void collect_gru(const QuantisedLayer& layer, Collector& collector) {
  const Term a = code(layer.matrices[0].product);
  const Term v = code(layer.matrices[2].product);
  collector.add(layer.name + ": preactivation",
                sum({a, code(layer.matrices[1].product), code(layer.bias)}));
  if (layer.options.reset == GruReset::after) {
    collector.add(layer.name + ": reset_argument", sum({v, code(layer.bias)}));
    collector.add(layer.name + ": candidate", sum({a, code(layer.gate) * v, code(layer.bias)}));
  } else {
    collector.add(layer.name + ": reset_hidden", code(layer.gate) * code(layer.hidden));
    collector.add(layer.name + ": candidate", sum({a, v, code(layer.bias)}));
  }
  // 1 - z reaches 2 for a table that falls below 0, which costs nothing to allow for.
  Term rest = code(layer.gate) * code(layer.hidden);
  rest.magnitude *= 2;
  collector.add(layer.name + ": hidden", sum({rest, code(layer.gate) * code(layer.gate)}));
}

/// A table entry times the width of its segment.
void collect_table(const std::string& name, const ActivationTable& table,
                   const QuantisedLayer& layer, Collector& collector) {
  if (table.base.empty()) return;
  const int shift = table.range_log2 - table.segments_log2 + layer.preactivation.fraction();
  collector.add(name, {std::ldexp(1.0, layer.gate.fraction() + kTableExtraBits + shift + 1), 0});
}

}  // namespace

std::vector<AccumulatorWidth> accumulator_widths(const QuantisedNetwork& network) {
  std::vector<AccumulatorWidth> widths;
  Collector collector(widths);
  for (const QuantisedLayer& layer : network.layers) {
    const LayerType type = layer.options.type;
    for (std::size_t i = 0; i < layer.matrices.size(); ++i)
      collect_matrix(layer.matrices[i], layer.matrix_input(i), collector);
    if (type == LayerType::lstm) collect_lstm(layer, collector);
    if (type == LayerType::gru) collect_gru(layer, collector);
    if (type == LayerType::feedforward) {
      collector.add(layer.name + ": output",
                    sum({code(layer.matrices[0].product), code(layer.bias)}));
    }
    collect_table(layer.name + ": sigmoid", layer.sigmoid, layer, collector);
    collect_table(layer.name + ": tanh", layer.tanh, layer, collector);
  }
  return widths;
}

void check_accumulators(const QuantisedNetwork& network) {
  for (const AccumulatorWidth& width : accumulator_widths(network)) {
    if (width.bits <= kLargestAccumulator) continue;
    throw UsageError(fmt::format(
        "{} needs an accumulator of {} bits, at most {} are possible; take fewer export.bits or "
        "export.guard_bits, or set export.widths for its signals",
        width.name, width.bits, kLargestAccumulator));
  }
}

}  // namespace ernn
