#include "export/format.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace ernn {

std::string Format::text() const {
  return fmt::format("<{},{}>", width, integer);
}

namespace {

std::int64_t limit(std::int64_t code, const Format& to, std::int64_t& saturations) {
  if (code > to.largest()) {
    ++saturations;
    return to.largest();
  }
  if (code < to.smallest()) {
    ++saturations;
    return to.smallest();
  }
  return code;
}

}  // namespace

std::int64_t narrow(std::int64_t value, int from_fraction, const Format& to,
                    std::int64_t& saturations) {
  const int right = from_fraction - to.fraction();
  // |value| < 2^63, so from here on the quotient plus one half lies in [0, 1).
  if (right >= 64) return 0;
  if (right > 0) {
    const std::int64_t half = (value >> (right - 1)) & 1;
    return limit((value >> right) + half, to, saturations);
  }
  const int left = -right;
  // Compared before the multiplication, which could overflow.
  if (left >= to.width || value > (to.largest() >> left) || value < -(-to.smallest() >> left))
    return limit(value == 0  ? 0
                 : value > 0 ? to.largest() + 1
                             : to.smallest() - 1,
                 to, saturations);
  return value * (std::int64_t{1} << left);
}

std::int64_t quantise(double value, const Format& to, std::int64_t& saturations) {
  if (std::isnan(value)) throw DataError("a value to be quantised is not a number");
  const double scaled = std::ldexp(value, to.fraction());
  // scaled + 0.5 would round once more; the difference to the floor is exact.
  const double whole = std::floor(scaled);
  const double rounded = scaled - whole >= 0.5 ? whole + 1 : whole;
  if (rounded > static_cast<double>(to.largest())) return limit(to.largest() + 1, to, saturations);
  if (rounded < static_cast<double>(to.smallest()))
    return limit(to.smallest() - 1, to, saturations);
  return static_cast<std::int64_t>(rounded);
}

double dequantise(std::int64_t code, const Format& format) {
  return std::ldexp(static_cast<double>(code), -format.fraction());
}

Format format_for(int width, double magnitude) {
  if (!std::isfinite(magnitude) || magnitude < 0) {
    throw DataError(fmt::format("no fixed-point format holds a magnitude of {}", magnitude));
  }
  Format format{width, 1};
  if (magnitude == 0) return format;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  format.integer = exponent + 1;
  std::int64_t saturations = 0;
  quantise(magnitude, format, saturations);
  if (saturations > 0) ++format.integer;
  return format;
}

}  // namespace ernn
