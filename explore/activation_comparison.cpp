#include "explore/activation_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include "base/options.h"
#include "base/tables.h"
#include "base/text.h"

namespace ernn {

namespace {

constexpr int kGuardBits = 4;
constexpr int kIntegerBits = 5;
constexpr double kCommonRange = 8;  ///< beyond it the functions are flat

double function_of(Activation function, double x) {
  return function == Activation::tanh ? std::tanh(x) : 1 / (1 + std::exp(-x));
}

/// The codes of a table without slopes: base[segment] in the gate format, `last` beyond.
ActivationTable plain_table(ActivationTable table, const Format& preactivation,
                            const Format& gate) {
  const double width = std::ldexp(1.0, table.range_log2 - table.segments_log2);
  const double half_of_codes = (width - std::ldexp(1.0, -preactivation.fraction())) / 2;
  for (std::size_t i = 0; i < table.base.size(); ++i) {
    const double middle = static_cast<double>(i) * width + half_of_codes;
    table.base[i] = static_cast<std::int32_t>(
        std::floor(std::ldexp(function_of(table.kind, middle), gate.fraction()) + 0.5));
  }
  table.slope.clear();
  return table;
}

std::int64_t plain_lookup(const ActivationTable& table, std::int64_t v, const Format& preactivation,
                          const Format& gate) {
  const std::int64_t u = std::abs(v);
  const int shift = table.range_log2 - table.segments_log2 + preactivation.fraction();
  const auto segment = static_cast<std::size_t>(u >> shift);
  std::int64_t t = segment < table.base.size() ? table.base[segment] : table.last;
  if (v < 0) t = table.kind == Activation::tanh ? -t : (std::int64_t{1} << gate.fraction()) - t;
  return std::min(t, gate.largest());
}

LookupError measure(const std::function<std::int64_t(std::int64_t)>& lookup, Activation function,
                    const Format& preactivation, const Format& gate) {
  LookupError error;
  double squares = 0;
  std::int64_t count = 0;
  for (std::int64_t v = preactivation.smallest(); v <= preactivation.largest(); ++v) {
    const double x = dequantise(v, preactivation);
    const double ideal = std::min(std::ldexp(function_of(function, x), gate.fraction()),
                                  static_cast<double>(gate.largest()));
    const double off = std::abs(static_cast<double>(lookup(v)) - ideal);
    error.largest = std::max(error.largest, off);
    if (std::abs(x) >= kCommonRange) continue;
    squares += off * off;
    ++count;
  }
  error.rms = std::sqrt(squares / static_cast<double>(count));
  return error;
}

std::string error_text(const LookupError& error) {
  return fmt::format("{:.2f} ({:.2f})", error.largest, error.rms);
}

std::string errors(Activation function, const std::vector<int>& gate_bits,
                   const std::vector<int>& segments, DatapathTable& table) {
  Table rows = {{"segments"}};
  for (const int bits : gate_bits) {
    rows[0].push_back(fmt::format("pieces, {} bits", bits));
    rows[0].push_back(fmt::format("plain, {} bits", bits));
  }
  for (const int count : segments) {
    rows.push_back({std::to_string(count)});
    for (const int bits : gate_bits) {
      for (const LookupKind kind : {LookupKind::pieces, LookupKind::plain})
        rows.back().push_back(error_text(measure_lookup(kind, function, bits, count, table).error));
    }
  }
  return fmt::format("{}: largest error (RMS), last bits\n\n{}\n", name_of(function),
                     markdown(rows));
}

std::string costs(const std::vector<int>& gate_bits, const std::vector<int>& segments,
                  DatapathTable& table) {
  Table rows = {{"segments"}};
  for (const int bits : gate_bits)
    rows[0].push_back(fmt::format("pieces / ends / plain, {} bits", bits));
  for (const int count : segments) {
    rows.push_back({std::to_string(count)});
    for (const int bits : gate_bits) {
      std::vector<std::string> luts;
      for (const auto& [kind, name] : enum_names(LookupKind{})) {
        const LookupFigures figures = measure_lookup(kind, Activation::tanh, bits, count, table);
        luts.push_back(fmt::format("{:.0f}", figures.cost.lut));
      }
      rows.back().push_back(join(luts, " / "));
    }
  }
  return "LUTs of one table, estimated\n\n" + markdown(rows) + "\n";
}

std::string equal_errors(const std::vector<int>& gate_bits, DatapathTable& table) {
  Table rows = {
      {"gate bits", "function", "table", "segments", "largest error (RMS)", "LUT", "DSP"}};
  for (const int bits : gate_bits) {
    for (const Activation function : {Activation::sigmoid, Activation::tanh}) {
      for (const auto& [kind, name] : enum_names(LookupKind{})) {
        const LookupFigures figures = measure_lookup(kind, function, bits, 0, table);
        rows.push_back({std::to_string(bits), name_of(function), name,
                        std::to_string(figures.segments), error_text(figures.error),
                        fmt::format("{:.0f}", figures.cost.lut),
                        fmt::format("{}", figures.cost.dsp)});
      }
    }
  }
  return "The fewest segments for a largest error of one last bit\n\n" + markdown(rows);
}

}  // namespace

Format comparison_preactivation(int bits) {
  return {bits + kGuardBits, kIntegerBits};
}

LookupFigures measure_lookup(LookupKind kind, Activation function, int gate_bits, int segments,
                             DatapathTable& table) {
  const Format preactivation = comparison_preactivation(gate_bits);
  const Format gate = {gate_bits, 1};
  ActivationTable pieces = make_table(function, preactivation, gate, segments);
  LookupFigures figures{kind, function, gate_bits, 0, {}, {}};
  if (kind == LookupKind::plain) {
    // As many codes as the table's range has are enough: then each has a result of its own.
    const int finest = pieces.range_log2 + preactivation.fraction();
    int log2 = segments > 0 ? pieces.segments_log2 : 1;
    do {
      const ActivationTable plain =
          plain_table(make_table(function, preactivation, gate, 1 << log2), preactivation, gate);
      figures.segments = static_cast<int>(plain.base.size());
      figures.error =
          measure([&](std::int64_t v) { return plain_lookup(plain, v, preactivation, gate); },
                  function, preactivation, gate);
    } while (segments == 0 && figures.error.largest > 1 && ++log2 <= finest);
  } else {
    figures.segments = static_cast<int>(pieces.base.size());
    figures.error =
        measure([&](std::int64_t v) { return table_lookup(pieces, v, preactivation, gate); },
                function, preactivation, gate);
  }
  LayerWidths widths;
  widths.preactivation = preactivation.width;
  widths.gate = gate_bits;
  widths.table_segments = figures.segments;
  figures.cost = table.activation(kind, widths);
  return figures;
}

std::string activation_comparison(const std::vector<int>& gate_bits,
                                  const std::vector<int>& segments, DatapathTable& table) {
  return errors(Activation::sigmoid, gate_bits, segments, table) +
         errors(Activation::tanh, gate_bits, segments, table) + costs(gate_bits, segments, table) +
         equal_errors(gate_bits, table);
}

}  // namespace ernn
