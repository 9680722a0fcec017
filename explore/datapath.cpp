#include "explore/datapath.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/options.h"
#include "base/text.h"
#include "explore/synthesis_results.h"

namespace ernn {

namespace {

constexpr int kConstantBits = 17;                ///< a cosine below 1 with 16 fraction bits
constexpr int kEntryBits = kTableExtraBits + 2;  ///< beside the gate: fraction, 1.0, sign
constexpr double kLutDepth = 64;                 ///< words that one LUT holds of one bit
constexpr double kPeriodTolerance = 1e-6;

int log2_of(int k) {
  int n = 0;
  while ((1 << n) < k) ++n;
  return n;
}

std::string key_of(const DatapathCost& cost) {
  std::string key = fmt::format("{} {:3}", cost.function, cost.k);
  for (const auto& [name, bits] : cost.widths) key += fmt::format(" {}={}", name, bits);
  return key;
}

bool same_period(double a, double b) {
  return std::abs(a - b) < kPeriodTolerance;
}

/// `place` begins every message.
DatapathCost measurement_from(const SynthesisResult& result, const std::string& place) {
  const auto& known = datapath_functions();
  if (std::find(known.begin(), known.end(), result.function) == known.end()) {
    throw DataError(fmt::format("{}: function: found '{}', expected one of {}{}", place,
                                result.function, join(known, ", "),
                                did_you_mean(result.function, known)));
  }
  if (result.mismatches.value_or(0) > 0) {
    throw DataError(
        fmt::format("{}: {} values differ from the emulator's, expected none of a measurement",
                    place, *result.mismatches));
  }
  const auto need = [&](const char* key, const auto& value) {
    if (!value) throw DataError(fmt::format("{}: {} is missing", place, key));
    return *value;
  };
  DatapathCost cost;
  cost.function = result.function;
  cost.k = result.k;
  cost.widths = result.widths;
  cost.depth = static_cast<int>(need("depth", result.depth));
  cost.lut = need("lut", result.lut);
  cost.ff = need("ff", result.ff);
  cost.dsp = static_cast<int>(need("dsp", result.dsp));
  cost.period_ns = need("period_ns", result.period_ns);
  cost.tool = result.tool;
  const double interval = need("interval", result.interval);
  if (interval != 1) {
    throw DataError(
        fmt::format("{}: found interval {}, expected 1: an input every clock", place, interval));
  }
  // A result that is there in the clock of the input is given a register, as every process has one.
  cost.depth = std::max(cost.depth, 1);
  return cost;
}

}  // namespace

const std::vector<std::string>& datapath_functions() {
  static const std::vector<std::string> functions = {"forward_fft",   "block_product", "narrowing",
                                                     "inverse_fft",   "lstm_cell",     "gru_gates",
                                                     "gru_candidate", "output"};
  return functions;
}

const std::vector<std::pair<CostSource, const char*>>& enum_names(CostSource) {
  static const std::vector<std::pair<CostSource, const char*>> names = {
      {CostSource::measured, "measured"}, {CostSource::assumed, "assumed"}};
  return names;
}

const std::vector<std::pair<LookupKind, const char*>>& enum_names(LookupKind) {
  static const std::vector<std::pair<LookupKind, const char*>> names = {
      {LookupKind::pieces, "pieces"}, {LookupKind::ends, "ends"}, {LookupKind::plain, "plain"}};
  return names;
}

/// Counted operations: what a function is made of, and the longest way through it.
struct DatapathTable::Operations {
  const Platform& platform;
  double adder_bits = 0, narrowed_bits = 0, table_bits = 0;
  int dsp = 0;
  double path_ns = 0;
  double live_bits = 0;  ///< wide of what is carried from clock to clock

  explicit Operations(const Platform& of) : platform(of) {}

  void add(int count, int bits) { adder_bits += static_cast<double>(count) * bits; }
  void multiply(int count, int a, int b) { dsp += count * platform.multiplier_blocks(a, b); }
  void narrow(int count, int bits) { narrowed_bits += static_cast<double>(count) * bits; }
  /// Steps on the longest way.
  void path(int adders, int multipliers, int narrowings, int lookups = 0) {
    path_ns += adders * platform.logic.adder_ns + multipliers * platform.logic.multiplier_ns +
               narrowings * platform.logic.narrow_ns + lookups * platform.logic.lookup_ns;
  }
  void include(const Operations& other, int count) {
    adder_bits += count * other.adder_bits;
    narrowed_bits += count * other.narrowed_bits;
    table_bits += count * other.table_bits;
    dsp += count * other.dsp;
  }
};

DatapathCost DatapathTable::find(const std::string& function, int k,
                                 std::map<std::string, int> widths, const Operations& operations) {
  DatapathCost wanted;
  wanted.function = function;
  wanted.k = k;
  wanted.widths = std::move(widths);
  const std::string key = key_of(wanted);
  const auto known = used_.find(key);
  if (known != used_.end()) return known->second;
  for (const DatapathCost& cost : measured_) {
    if (key_of(cost) == key && same_period(cost.period_ns, platform_.period_ns()))
      return used_[key] = cost;
  }
  const LogicAssumptions& logic = platform_.logic;
  const double usable_ns = logic.usable_period * platform_.period_ns();
  wanted.depth = std::max(1, static_cast<int>(std::ceil(operations.path_ns / usable_ns - 1e-9)));
  wanted.interval = 1;
  wanted.dsp = operations.dsp;
  wanted.lut = logic.lut_per_adder_bit * operations.adder_bits +
               logic.lut_per_narrowed_bit * operations.narrowed_bits +
               operations.table_bits / kLutDepth;
  wanted.ff = operations.live_bits * wanted.depth;
  wanted.period_ns = platform_.period_ns();
  wanted.tool = "counted operations";
  wanted.source = CostSource::assumed;
  return used_[key] = wanted;
}

DatapathCost DatapathTable::forward_fft(int k, const MatrixWidths& widths) {
  Operations ops(platform_);
  const int levels = log2_of(k);
  for (int level = 1; level <= levels; ++level) {
    const int size = 1 << level;  // transforms of `size`, of which there are k / size
    const int bits = widths.input + kTransformGuardBits + level;
    ops.add(k / size * size, bits);
    int products = 0;
    for (int b = 1; b < size / 4; ++b) products += 8 * b == size ? 2 : 4;
    ops.multiply(k / size * products, kConstantBits, bits - 1);
    ops.add(k / size * products, bits + kConstantBits);  // the other product or half, rounding
    ops.path(1, 0, 0);
    if (size >= 8) ops.path(1, 1, 0);
  }
  if (k > 1) {
    ops.narrow(k, widths.spectrum);
    ops.path(0, 0, 1);
  }
  ops.live_bits = k * (widths.input + widths.spectrum) / 2.0;
  return find("forward_fft", k, {{"input", widths.input}, {"spectrum", widths.spectrum}}, ops);
}

DatapathCost DatapathTable::inverse_fft(int k, const MatrixWidths& widths) {
  Operations ops(platform_);
  const int levels = log2_of(k);
  for (int level = 1; level <= levels; ++level) {
    const int size = k >> (level - 1);
    const int bits = widths.sum + kTransformGuardBits + 1 + level;
    ops.add(k / size * size, bits);
    int products = 0;
    for (int b = 1; b < size / 4; ++b) products += 8 * b == size ? 2 : 4;
    ops.multiply(k / size * products, kConstantBits, bits);
    ops.add(k / size * products, bits + kConstantBits);
    ops.path(1, 0, 0);
    if (size >= 8) ops.path(1, 1, 0);
  }
  ops.narrow(k, widths.product);
  ops.path(0, 0, 1);
  ops.live_bits = k * (widths.sum + widths.product) / 2.0;
  return find("inverse_fft", k, {{"sum", widths.sum}, {"product", widths.product}}, ops);
}

DatapathCost DatapathTable::block_product(int k, const MatrixWidths& widths, int terms) {
  Operations ops(platform_);
  const int w = widths.weight, x = widths.spectrum;
  const int complex = k < 2 ? 0 : k / 2 - 1;
  const int sum = w + x + log2_of(terms) + (complex > 0 ? 1 : 0);
  ops.multiply(k == 1 ? 1 : 2, w, x);
  ops.multiply(complex, w + 1, x);
  ops.multiply(2 * complex, w, x + 1);
  ops.add(complex, w + 1);
  ops.add(2 * complex, x + 1);
  ops.add(2 * complex, w + x + 2);
  ops.add(k, sum);  // accumulation
  ops.path(1, 1, 0);
  if (complex > 0) ops.path(2, 0, 0);
  ops.live_bits = k * (w + x + sum) / 2.0;
  return find("block_product", k, {{"weight", w}, {"spectrum", x}, {"terms", terms}}, ops);
}

DatapathCost DatapathTable::narrowing(int k, int from, int to) {
  Operations ops(platform_);
  ops.add(k, from);
  ops.narrow(k, to);
  ops.path(0, 0, 1);
  ops.live_bits = k * to;
  return find("narrowing", k, {{"from", from}, {"to", to}}, ops);
}

/// Magnitude, table, interpolation, sign and limit.
DatapathTable::Operations DatapathTable::lookup(LookupKind kind, const LayerWidths& widths) const {
  Operations ops(platform_);
  const int segments = widths.table_segments;
  const int entry = widths.gate + (kind == LookupKind::plain ? 1 : kEntryBits);
  ops.add(1, widths.preactivation);
  ops.path(2, 0, 0, 1);
  if (kind != LookupKind::plain) {
    ops.multiply(1, widths.preactivation, entry);
    ops.add(1, entry + widths.preactivation);
    ops.path(1, 1, 0);
  }
  if (kind == LookupKind::ends) {
    ops.add(1, entry);      // the slope
    ops.add(1, 2 * entry);  // which bank is the start
    ops.path(1, 0, 0);
  }
  ops.add(1, widths.gate + 2);
  ops.narrow(1, widths.gate);
  // Two tables, or two banks of half the ends; a LUT is no smaller than its 64 words.
  const int tables = kind == LookupKind::plain ? 1 : 2;
  const double words = kind == LookupKind::ends ? segments / 2.0 : segments;
  ops.table_bits = tables * entry * std::max(words, kLutDepth);
  return ops;
}

DatapathCost DatapathTable::activation(LookupKind kind, const LayerWidths& widths) {
  Operations ops = lookup(kind, widths);
  ops.live_bits = (widths.preactivation + widths.gate) / 2.0;
  return find(fmt::format("activation by {}", name_of(kind)), 1,
              {{"preactivation", widths.preactivation},
               {"gate", widths.gate},
               {"segments", widths.table_segments}},
              ops);
}

DatapathCost DatapathTable::lstm_cell(const LayerWidths& widths, bool peepholes) {
  Operations ops(platform_);
  const Operations table = lookup(LookupKind::pieces, widths);
  const int product = widths.matrices.front().product;
  const int wide = widths.bias + widths.cell;
  ops.include(table, 5);
  ops.add(8, product + 2);
  ops.narrow(5, widths.preactivation);
  if (peepholes) {
    ops.multiply(3, widths.bias, widths.cell);
    ops.add(3, wide + 1);
  }
  ops.multiply(1, widths.gate, widths.cell);  // f . c
  ops.multiply(2, widths.gate, widths.gate);  // i . g and o . tanh(c)
  ops.add(1, widths.gate + widths.cell + 1);
  ops.narrow(1, widths.cell);
  ops.narrow(1, widths.output);
  // Gates, cell, output gate, m: one after the other.
  ops.path(3, 0, 1);
  ops.path_ns += table.path_ns;
  ops.path(1, 1, 1);
  if (peepholes) ops.path(1, 1, 0);
  ops.path(0, 0, 1);
  ops.path_ns += table.path_ns;
  ops.path(0, 1, 1);
  ops.live_bits = 4.0 * product + widths.cell;
  return find("lstm_cell", 1,
              {{"product", product},
               {"cell", widths.cell},
               {"preactivation", widths.preactivation},
               {"gate", widths.gate},
               {"peephole", peepholes ? widths.bias : 0}},
              ops);
}

DatapathCost DatapathTable::gru_gates(const LayerWidths& widths, bool resets) {
  Operations ops(platform_);
  const Operations table = lookup(LookupKind::pieces, widths);
  const int product = widths.matrices.front().product;
  ops.include(table, 2);
  ops.add(4, product + 2);
  ops.narrow(2, widths.preactivation);
  ops.path(2, 0, 1);
  ops.path_ns += table.path_ns;
  if (resets) {
    ops.multiply(1, widths.gate, widths.output);
    ops.narrow(1, widths.output);
    ops.path(0, 1, 1);
  }
  ops.live_bits = 2.0 * product + 2.0 * widths.output;
  return find("gru_gates", 1,
              {{"product", product},
               {"preactivation", widths.preactivation},
               {"gate", widths.gate},
               {"reset", resets ? widths.output : 0}},
              ops);
}

DatapathCost DatapathTable::gru_candidate(const LayerWidths& widths, bool resets) {
  Operations ops(platform_);
  const Operations table = lookup(LookupKind::pieces, widths);
  const int product = widths.matrices.front().product;
  ops.include(table, 1);
  ops.add(2, product + 2);
  ops.narrow(1, widths.preactivation);
  if (resets) {
    ops.multiply(1, widths.gate, product);
    ops.add(1, product + 1);
    ops.narrow(1, product);
    ops.path(1, 1, 1);
  }
  ops.multiply(2, widths.gate, widths.output);
  ops.add(2, widths.gate + widths.output + 1);
  ops.narrow(1, widths.output);
  ops.path(2, 0, 1);
  ops.path_ns += table.path_ns;
  ops.path(1, 1, 1);
  ops.live_bits = 2.0 * product + 2.0 * widths.output;
  return find("gru_candidate", 1,
              {{"product", product},
               {"preactivation", widths.preactivation},
               {"gate", widths.gate},
               {"reset", resets ? widths.gate : 0}},
              ops);
}

DatapathCost DatapathTable::output(const LayerWidths& widths, bool table) {
  Operations ops(platform_);
  const int product = widths.matrices.front().product;
  ops.add(1, product + 1);
  ops.narrow(1, table ? widths.preactivation : widths.output);
  ops.path(1, 0, 1);
  if (table) {
    const Operations one = lookup(LookupKind::pieces, widths);
    ops.include(one, 1);
    ops.path_ns += one.path_ns;
  }
  ops.live_bits = product + widths.output;
  return find("output", 1, {{"product", product}, {"output", widths.output}, {"table", table}},
              ops);
}

void DatapathTable::add_measurements(const std::filesystem::path& path) {
  for (const SynthesisResult& result : read_synthesis_results(path)) {
    if (result.function.empty()) continue;
    const std::string place = fmt::format("{}: '{}'", path.string(), result.name);
    DatapathCost cost = measurement_from(result, place);
    for (const DatapathCost& other : measured_) {
      if (key_of(other) == key_of(cost) && same_period(other.period_ns, cost.period_ns)) {
        throw DataError(
            fmt::format("{}: {} of this k, these widths and this period was measured before", place,
                        cost.function));
      }
    }
    measured_.push_back(std::move(cost));
  }
}

DatapathTable DatapathTable::fresh() const {
  DatapathTable table(platform_);
  table.measured_ = measured_;
  return table;
}

std::vector<DatapathCost> DatapathTable::used() const {
  std::vector<DatapathCost> costs;
  costs.reserve(used_.size());
  for (const auto& [key, cost] : used_) costs.push_back(cost);
  return costs;
}

}  // namespace ernn
