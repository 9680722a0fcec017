#include "export/activation_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/options.h"

namespace ernn {

namespace {

double function(Activation kind, double x) {
  return kind == Activation::tanh ? std::tanh(x) : 1 / (1 + std::exp(-x));
}

/// The function at every code from 0 to 2^(W-1), in units of the gate's last bit.
std::vector<double> ideal_values(Activation kind, const Format& preactivation, const Format& gate) {
  const std::int64_t count = preactivation.largest() + 2;
  std::vector<double> ideal;
  ideal.reserve(static_cast<std::size_t>(count));
  for (std::int64_t u = 0; u < count; ++u) {
    ideal.push_back(std::ldexp(function(kind, dequantise(u, preactivation)), gate.fraction()));
  }
  return ideal;
}

/// table_error() with the function's values at hand; gives up once it exceeds `stop`.
double measure(const ActivationTable& table, const std::vector<double>& ideal,
               const Format& preactivation, const Format& gate, double stop) {
  const auto largest = static_cast<double>(gate.largest());
  const double one = std::ldexp(1.0, gate.fraction());
  double worst = 0;
  for (std::size_t u = 0; u < ideal.size() && worst <= stop; ++u) {
    const auto code = static_cast<std::int64_t>(u);
    if (code <= preactivation.largest()) {
      const auto found = static_cast<double>(table_lookup(table, code, preactivation, gate));
      worst = std::max(worst, std::abs(found - std::min(ideal[u], largest)));
    }
    const double negative = table.kind == Activation::tanh ? -ideal[u] : one - ideal[u];
    const auto found = static_cast<double>(table_lookup(table, -code, preactivation, gate));
    worst = std::max(worst, std::abs(found - std::min(negative, largest)));
  }
  return worst;
}

/// Values at the pieces' ends, each moved by half the mean sagitta of its neighbours: the function
/// is concave, so a chord through its own points would always lie below it. The point at 0 stays,
/// and so do all when no code lies between them.
std::vector<double> nodes(Activation kind, double range, int segments, bool between) {
  const double width = range / segments;
  std::vector<double> sagitta;
  for (int i = 0; i < segments; ++i) {
    const double low = function(kind, i * width);
    const double high = function(kind, (i + 1) * width);
    double largest = 0;
    for (int j = 1; j < 16; ++j) {
      const double chord = low + (high - low) * j / 16;
      largest = std::max(largest, function(kind, (i + j / 16.0) * width) - chord);
    }
    sagitta.push_back(largest);
  }
  std::vector<double> values;
  for (int i = 0; i <= segments; ++i) {
    const double before = i > 0 ? sagitta[static_cast<std::size_t>(i - 1)] : 0;
    const double after = i < segments ? sagitta[static_cast<std::size_t>(i)] : before;
    values.push_back(function(kind, i * width) + (i > 0 && between ? (before + after) / 4 : 0));
  }
  return values;
}

ActivationTable build(Activation kind, int range_log2, int segments_log2, int finest,
                      const Format& gate) {
  ActivationTable table;
  table.kind = kind;
  table.range_log2 = range_log2;
  table.segments_log2 = segments_log2;
  const double range = std::ldexp(1.0, range_log2);
  const auto round = [](double value, int fraction) {
    return static_cast<std::int32_t>(std::floor(std::ldexp(value, fraction) + 0.5));
  };
  table.last = round(function(kind, range), gate.fraction());
  const int fraction = gate.fraction() + kTableExtraBits;
  std::vector<std::int32_t> ends;
  for (const double value : nodes(kind, range, 1 << segments_log2, segments_log2 < finest))
    ends.push_back(round(std::min(value, 1.0), fraction));
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    table.base.push_back(ends[i]);
    table.slope.push_back(std::max(ends[i + 1] - ends[i], 0));
  }
  return table;
}

/// True when `last` is within one unit of everything beyond the range.
bool tail_fits(Activation kind, int range_log2, const Format& gate) {
  const double end = std::ldexp(function(kind, std::ldexp(1.0, range_log2)), gate.fraction());
  return std::ldexp(1.0, gate.fraction()) - std::floor(end + 0.5) <= 1;
}

}  // namespace

int default_table_range(Activation kind) {
  return kind == Activation::tanh ? 2 : 3;
}

std::int64_t table_lookup(const ActivationTable& table, std::int64_t v, const Format& preactivation,
                          const Format& gate) {
  const std::int64_t u = v < 0 ? -v : v;
  const int fraction = preactivation.fraction();
  const int shift = table.range_log2 - table.segments_log2 + fraction;  // D
  std::int64_t t = table.last;
  if (u < std::int64_t{1} << (table.range_log2 + fraction)) {
    const auto segment = static_cast<std::size_t>(u >> shift);
    const std::int64_t d = u & ((std::int64_t{1} << shift) - 1);
    const std::int64_t rounding = std::int64_t{1} << (shift + kTableExtraBits - 1);
    t = (table.base[segment] * (std::int64_t{1} << shift) + table.slope[segment] * d + rounding) >>
        (shift + kTableExtraBits);
  }
  if (v < 0) t = table.kind == Activation::tanh ? -t : (std::int64_t{1} << gate.fraction()) - t;
  return std::min(t, gate.largest());
}

double table_error(const ActivationTable& table, const Format& preactivation, const Format& gate) {
  return measure(table, ideal_values(table.kind, preactivation, gate), preactivation, gate, 1e300);
}

ActivationTable make_table(Activation kind, const Format& preactivation, const Format& gate,
                           int segments) {
  int range = default_table_range(kind);
  // A code beyond the range is never formed when the format ends before it, so it need not fit.
  while (range < preactivation.integer - 1 && !tail_fits(kind, range, gate)) ++range;
  const int finest = range + preactivation.fraction();
  if (finest < 1) {
    throw UsageError(fmt::format(
        "the preactivation format {} is too coarse for a table of {}; give it more bits with "
        "export.guard_bits or export.widths.preactivation",
        preactivation.text(), name_of(kind)));
  }
  if (segments > 0) {
    int log2 = 0;
    while (1 << log2 < segments) ++log2;
    if (log2 > finest) {
      throw UsageError(fmt::format(
          "export.table_segments: {} is more than the {} values that the preactivation format {} "
          "distinguishes below 2^{}",
          segments, std::int64_t{1} << finest, preactivation.text(), range));
    }
    return build(kind, range, log2, finest, gate);
  }
  const std::vector<double> ideal = ideal_values(kind, preactivation, gate);
  for (int log2 = 1; log2 < finest; ++log2) {
    ActivationTable table = build(kind, range, log2, finest, gate);
    if (measure(table, ideal, preactivation, gate, 1.0) <= 1.0) return table;
  }
  return build(kind, range, finest, finest, gate);
}

}  // namespace ernn
