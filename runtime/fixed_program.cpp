#include "runtime/fixed_program.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "runtime/alignment.h"
#include "runtime/fixed_matrix.h"

namespace ernn {

namespace {

using Memory = std::int32_t;

int bit_length(std::int64_t value) {
  int bits = 0;
  for (; value > 0; value >>= 1) ++bits;
  return bits;
}

/// True when IntNumbers can hold every step of a lookup.
bool table_fits_32_bits(const ActivationTable& table, const Format& preactivation,
                        const Format& gate) {
  if (table.base.empty()) return true;
  const int shift = table.range_log2 - table.segments_log2 + preactivation.fraction();
  if (preactivation.width > 31 || gate.width > 31) return false;
  const double slope = *std::max_element(table.slope.begin(), table.slope.end());
  const double base = *std::max_element(table.base.begin(), table.base.end());
  const double rounding = std::ldexp(1.0, shift + kTableExtraBits - 1);
  return fits_32_bits(std::ldexp(slope, shift) + rounding) &&
         fits_32_bits(base + slope + std::ldexp(1.0, kTableExtraBits));
}

class Builder {
 public:
  explicit Builder(const Kernels& kernels) : kernels_(kernels) {}

  Program<Memory> build(const QuantisedNetwork& network) {
    program_.input = program_.reserve({network.inputs(), 1});
    Wire wire = program_.input;
    for (const QuantisedLayer& layer : network.layers) wire = add_layer(layer, wire);
    program_.output = program_.arrange(wire, {network.outputs(), 1});
    return std::move(program_);
  }

 private:
  Wire add_layer(const QuantisedLayer& layer, const Wire& from) {
    switch (layer.options.type) {
      case LayerType::lstm:
        return lstm(layer, from);
      case LayerType::gru:
        return gru(layer, from);
      case LayerType::feedforward:
        break;
    }
    return feedforward(layer, from);
  }

  template <class T>
  const FixedGateKernels<T>& gates() const {
    if constexpr (std::is_same_v<T, std::int32_t>) {
      return kernels_.gates32;
    } else {
      return kernels_.gates64;
    }
  }

  Wire product(const QuantisedMatrix& matrix, const Wire& from, const Format& input) {
    return add_product(program_, kernels_, matrix, from, input);
  }

  /// Codes of `from` narrowed to `to`.
  void convert(const Wire& from, const Format& format, const Wire& into, const Format& to) {
    const auto narrowing = make_narrowing<std::int32_t>(format.fraction(), to);
    const auto count = static_cast<std::ptrdiff_t>(from.layout.size());
    const Kernels& kernels = kernels_;
    program_.add([=, &kernels](Memory* memory) {
      kernels.convert(narrowing, memory + from.at, memory + into.at, count);
    });
  }

  TablePlan table_plan(const ActivationTable& table, const QuantisedLayer& layer) {
    TablePlan plan;
    if (table.base.empty()) return plan;
    const int fraction = layer.preactivation.fraction();
    plan.shift = table.range_log2 - table.segments_log2 + fraction;
    // Beyond every argument, so that 32 bits hold it where they hold arguments.
    plan.limit = std::min(std::int64_t{1} << (table.range_log2 + fraction),
                          layer.preactivation.largest() + 2);
    plan.last = table.last;
    plan.mirror = table.kind == Activation::tanh ? 0 : std::int64_t{1} << layer.gate.fraction();
    plan.largest = layer.gate.largest();
    const std::size_t segments = table.base.size();
    Memory* const base = program_.constants<Memory>(segments);
    Memory* const slope = program_.constants<Memory>(segments);
    std::copy(table.base.begin(), table.base.end(), base);
    std::copy(table.slope.begin(), table.slope.end(), slope);
    plan.base = base;
    plan.slope = slope;
    plan.slope_bits = bit_length(*std::max_element(slope, slope + segments));
    if (plan.slope_bits + bit_length(*std::max_element(base, base + segments)) <= 32 &&
        plan.slope_bits < 31) {
      Memory* const packed = program_.constants<Memory>(segments);
      for (std::size_t i = 0; i < segments; ++i) {
        packed[i] = static_cast<Memory>(static_cast<std::uint32_t>(base[i]) << plan.slope_bits |
                                        static_cast<std::uint32_t>(slope[i]));
      }
      plan.packed = packed;
    }
    return plan;
  }

  static bool tables_fit(const QuantisedLayer& layer) {
    return table_fits_32_bits(layer.sigmoid, layer.preactivation, layer.gate) &&
           table_fits_32_bits(layer.tanh, layer.preactivation, layer.gate);
  }

  static UnitPlan units_of(const Layout& units, const Layout& gates) {
    return {units.block, units.blocks(), units.stride(), gates.stride()};
  }

  /// The exact sums of an LSTM.
  struct LstmSums {
    AlignedSum preactivation, cell;
    Term hidden;

    explicit LstmSums(const QuantisedLayer& layer)
        : preactivation(preactivation_terms(layer)),
          cell({term(layer.gate) * term(layer.cell), term(layer.gate) * term(layer.gate)}),
          hidden(term(layer.gate) * term(layer.gate)) {}

    bool fit() const {
      return fits_32_bits(preactivation.total.magnitude) && fits_32_bits(cell.total.magnitude) &&
             fits_32_bits(hidden.magnitude);
    }

    static std::vector<Term> preactivation_terms(const QuantisedLayer& layer) {
      std::vector<Term> terms = {term(layer.matrices[0].product), term(layer.matrices[1].product),
                                 term(layer.bias)};
      if (!layer.peephole_codes.empty()) terms.push_back(term(layer.peephole) * term(layer.cell));
      return terms;
    }
  };

  Wire lstm(const QuantisedLayer& layer, const Wire& from) {
    const LstmSums sums(layer);
    return sums.fit() && tables_fit(layer) ? lstm_of<std::int32_t>(layer, sums, from)
                                           : lstm_of<std::int64_t>(layer, sums, from);
  }

  template <class T>
  FixedLstmPlan<T> lstm_plan(const QuantisedLayer& layer, const LstmSums& sums, const Layout& units,
                             const Layout& gate_planes) {
    FixedLstmPlan<T> plan;
    plan.units = units_of(units, gate_planes);
    plan.bias = program_.planes_of(layer.bias_codes, gate_planes);
    plan.input_shift = sums.preactivation.shifts[0];
    plan.state_shift = sums.preactivation.shifts[1];
    plan.bias_shift = sums.preactivation.shifts[2];
    if (!layer.peephole_codes.empty()) {
      plan.peephole = program_.planes_of(layer.peephole_codes, units, 3);
      plan.peephole_shift = sums.preactivation.shifts[3];
    }
    plan.preactivation = make_narrowing<T>(sums.preactivation.total.fraction, layer.preactivation);
    plan.forget_shift = sums.cell.shifts[0];
    plan.write_shift = sums.cell.shifts[1];
    plan.cell = make_narrowing<T>(sums.cell.total.fraction, layer.cell);
    // A limit beyond the format never acts.
    if (layer.cell_clip_code <= layer.cell.largest())
      plan.clip = static_cast<T>(layer.cell_clip_code);
    plan.argument = make_narrowing<T>(layer.cell.fraction(), layer.preactivation);
    plan.hidden = make_narrowing<T>(sums.hidden.fraction, layer.hidden);
    plan.sigmoid = table_plan(layer.sigmoid, layer);
    plan.tanh = table_plan(layer.tanh, layer);
    return plan;
  }

  template <class T>
  Wire lstm_of(const QuantisedLayer& layer, const LstmSums& sums, const Wire& from) {
    const int size = layer.options.size;
    const int k = layer.matrices[1].shape.block;
    const Layout gate_planes{4 * size, k};
    const bool projects = layer.options.projection > 0;
    const Wire hidden = program_.reserve({size, k});
    const Wire cell = program_.reserve({size, k});
    const Wire output =
        projects ? program_.reserve({layer.outputs(), layer.matrices[2].shape.block}) : hidden;
    const Wire input = program_.arrange(product(layer.matrices[0], from, layer.input), gate_planes);
    const Wire state = product(layer.matrices[1], output, layer.output_format());
    const FixedLstmPlan<T> plan = lstm_plan<T>(layer, sums, hidden.layout, gate_planes);
    const FixedGateKernels<T>& loops = gates<T>();
    program_.add([=, &loops](Memory* memory) {
      loops.lstm(plan, memory + input.at, memory + state.at, memory + cell.at, memory + hidden.at);
    });
    if (projects) {
      const Wire projected = product(layer.matrices[2], hidden, layer.hidden);
      convert(projected, layer.matrices[2].product, output, layer.projected);
      program_.clear_padding(output);
    }
    return output;
  }

  /// The exact sums of a GRU.
  struct GruSums {
    bool after;
    AlignedSum preactivation, candidate, hidden, argument;
    Term reset_hidden;

    explicit GruSums(const QuantisedLayer& layer)
        : after(layer.options.reset == GruReset::after),
          preactivation(
              {term(layer.matrices[0].product), term(layer.matrices[1].product), term(layer.bias)}),
          candidate({term(layer.matrices[0].product),
                     after ? term(layer.gate) * term(layer.matrices[2].product)
                           : term(layer.matrices[2].product),
                     term(layer.bias)}),
          hidden({kept(layer), term(layer.gate) * term(layer.gate)}),
          argument({term(layer.matrices[2].product), term(layer.bias)}),
          reset_hidden(term(layer.gate) * term(layer.hidden)) {}

    bool fit() const {
      return fits_32_bits(preactivation.total.magnitude) &&
             fits_32_bits(candidate.total.magnitude) && fits_32_bits(hidden.total.magnitude) &&
             fits_32_bits(argument.total.magnitude) && fits_32_bits(reset_hidden.magnitude);
    }

    /// (1 - z) h, where 1 - z reaches 1.0, or more for a table that falls below 0.
    static Term kept(const QuantisedLayer& layer) {
      Term term_kept = term(layer.gate) * term(layer.hidden);
      term_kept.magnitude *= 2;
      return term_kept;
    }
  };

  Wire gru(const QuantisedLayer& layer, const Wire& from) {
    const GruSums sums(layer);
    return sums.fit() && tables_fit(layer) ? gru_of<std::int32_t>(layer, sums, from)
                                           : gru_of<std::int64_t>(layer, sums, from);
  }

  template <class T>
  FixedGruPlan<T> gru_plan(const QuantisedLayer& layer, const GruSums& sums, const Layout& units,
                           const Layout& gate_planes, std::ptrdiff_t state_stride) {
    FixedGruPlan<T> plan;
    plan.units = units_of(units, gate_planes);
    plan.state_stride = state_stride;
    plan.reset_after = sums.after;
    plan.bias = program_.planes_of(layer.bias_codes, gate_planes);
    plan.input_shift = sums.preactivation.shifts[0];
    plan.state_shift = sums.preactivation.shifts[1];
    plan.bias_shift = sums.preactivation.shifts[2];
    plan.preactivation = make_narrowing<T>(sums.preactivation.total.fraction, layer.preactivation);
    if (sums.after) {
      plan.candidate_bias = program_.planes_of(layer.candidate_bias_codes, units);
      plan.product_shift = sums.argument.shifts[0];
      plan.candidate_bias_shift = sums.argument.shifts[1];
      plan.reset_argument =
          make_narrowing<T>(sums.argument.total.fraction, layer.matrices[2].product);
    } else {
      plan.reset_hidden = make_narrowing<T>(sums.reset_hidden.fraction, layer.reset_hidden);
    }
    plan.candidate_input_shift = sums.candidate.shifts[0];
    plan.candidate_shift = sums.candidate.shifts[1];
    plan.candidate_gate_bias_shift = sums.candidate.shifts[2];
    plan.candidate = make_narrowing<T>(sums.candidate.total.fraction, layer.preactivation);
    plan.one = static_cast<T>(std::int64_t{1} << layer.gate.fraction());
    plan.keep_shift = sums.hidden.shifts[0];
    plan.write_shift = sums.hidden.shifts[1];
    plan.hidden = make_narrowing<T>(sums.hidden.total.fraction, layer.hidden);
    plan.sigmoid = table_plan(layer.sigmoid, layer);
    plan.tanh = table_plan(layer.tanh, layer);
    return plan;
  }

  template <class T>
  Wire gru_of(const QuantisedLayer& layer, const GruSums& sums, const Wire& from) {
    const int k = layer.matrices[1].shape.block;
    const Layout units{layer.options.size, k};
    const Layout gate_planes{3 * layer.options.size, k};
    const Wire hidden = program_.reserve(units);
    const Wire update = program_.reserve(units);
    const Wire reset = program_.reserve(units);
    const Wire input = program_.arrange(product(layer.matrices[0], from, layer.input), gate_planes);
    const Wire state = product(layer.matrices[1], hidden, layer.hidden);
    const FixedGruPlan<T> plan =
        gru_plan<T>(layer, sums, units, gate_planes, state.layout.stride());
    const FixedGateKernels<T>& loops = gates<T>();
    program_.add([=, &loops](Memory* memory) {
      loops.gru_gates(plan, memory + input.at, memory + state.at, memory + hidden.at,
                      memory + update.at, memory + reset.at);
    });
    const Wire candidate = sums.after ? product(layer.matrices[2], hidden, layer.hidden)
                                      : product(layer.matrices[2], reset, layer.reset_hidden);
    program_.add([=, &loops](Memory* memory) {
      loops.gru_update(plan, memory + input.at, memory + candidate.at, memory + update.at,
                       memory + reset.at, memory + hidden.at);
    });
    return hidden;
  }

  Wire feedforward(const QuantisedLayer& layer, const Wire& from) {
    const AlignedSum sum({term(layer.matrices[0].product), term(layer.bias)});
    return fits_32_bits(sum.total.magnitude) && tables_fit(layer)
               ? feedforward_of<std::int32_t>(layer, sum, from)
               : feedforward_of<std::int64_t>(layer, sum, from);
  }

  template <class T>
  Wire feedforward_of(const QuantisedLayer& layer, const AlignedSum& sum, const Wire& from) {
    const bool joins = layer.options.joins_frames();
    const Wire from_matrix =
        product(layer.matrices[0], joins ? program_.join_frames(from, layer.options.offsets) : from,
                layer.input);
    const Wire output = program_.reserve(from_matrix.layout);
    FixedElementPlan<T> plan;
    plan.units = units_of(output.layout, output.layout);
    plan.function = element_function(layer.options.activation);
    plan.bias = program_.planes_of(layer.bias_codes, output.layout);
    plan.product_shift = sum.shifts[0];
    plan.bias_shift = sum.shifts[1];
    const bool table =
        plan.function == ElementFunction::sigmoid || plan.function == ElementFunction::tanh;
    plan.result = make_narrowing<T>(sum.total.fraction, table ? layer.preactivation : layer.output);
    if (table) {
      plan.table =
          table_plan(plan.function == ElementFunction::tanh ? layer.tanh : layer.sigmoid, layer);
    }
    const FixedGateKernels<T>& loops = gates<T>();
    program_.add([=, &loops](Memory* memory) {
      loops.element(plan, memory + from_matrix.at, memory + output.at);
    });
    program_.clear_padding(output);
    return output;
  }

  const Kernels& kernels_;
  Program<Memory> program_;
};

}  // namespace

Program<std::int32_t> make_fixed_program(const QuantisedNetwork& network, const Kernels& kernels) {
  return Builder(kernels).build(network);
}

}  // namespace ernn
