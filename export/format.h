// Fixed-point formats and narrowing (docs/arithmetic.md).
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace ernn {

/// `<width, integer>` as in ap_fixed: two's complement, `integer` bits before the point with the
/// sign.
struct Format {
  int width = 0;
  int integer = 0;

  int fraction() const { return width - integer; }
  std::int64_t largest() const { return (std::int64_t{1} << (width - 1)) - 1; }
  std::int64_t smallest() const { return -(std::int64_t{1} << (width - 1)); }
  bool operator==(const Format& other) const {
    return width == other.width && integer == other.integer;
  }
  bool operator!=(const Format& other) const { return !(*this == other); }
  /// "<12,4>"
  std::string text() const;
};

/// Rounds half up and limits; adds one to `saturations` when the limit acts.
std::int64_t narrow(std::int64_t value, int from_fraction, const Format& to,
                    std::int64_t& saturations);

/// The same from a real number: floor(value * 2^F + 1/2), limited. Throws DataError for NaN.
std::int64_t quantise(double value, const Format& to, std::int64_t& saturations);

double dequantise(std::int64_t code, const Format& format);

/// The format of `width` bits with the fewest integer bits that holds +-`magnitude`.
Format format_for(int width, double magnitude);

}  // namespace ernn
