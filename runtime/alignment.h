// Widths of exact sums, from formats (docs/arithmetic.md): how terms are aligned, and whether 32
// bits suffice.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "export/format.h"
#include "runtime/kernels/kernels.h"

namespace ernn {

/// An exact number's largest magnitude as an integer, and its fraction bits.
struct Term {
  double magnitude = 0;
  int fraction = 0;
};

inline Term term(const Format& format) {
  return {std::ldexp(1.0, format.width - 1), format.fraction()};
}
inline Term operator*(const Term& a, const Term& b) {
  return {a.magnitude * b.magnitude, a.fraction + b.fraction};
}

/// Terms aligned to the largest fraction among them.
struct AlignedSum {
  Term total;
  std::vector<int> shifts;  ///< of each term

  explicit AlignedSum(const std::vector<Term>& terms) {
    total.fraction = terms.front().fraction;
    for (const Term& t : terms) total.fraction = std::max(total.fraction, t.fraction);
    for (const Term& t : terms) {
      shifts.push_back(total.fraction - t.fraction);
      total.magnitude += std::ldexp(t.magnitude, shifts.back());
    }
  }
};

/// True when every number of this magnitude, and its sum with a smaller one's rounding, is an
/// int32.
inline bool fits_32_bits(double magnitude) {
  return magnitude < 2147483648.0;
}

/// narrow() from `fraction` bits, for numbers within T.
template <class T>
Narrowing<T> make_narrowing(int fraction, const Format& to) {
  constexpr int bits = 8 * sizeof(T);
  Narrowing<T> narrowing;
  narrowing.low = static_cast<T>(to.smallest());
  narrowing.high = static_cast<T>(to.largest());
  const int right = fraction - to.fraction();
  if (right >= bits) {
    // Nothing but the sign is left, and rounding takes that away.
    narrowing.right = bits - 1;
    narrowing.low = narrowing.high = 0;
  } else if (right >= 0) {
    narrowing.right = static_cast<T>(right);
  } else {
    const int left = -right;
    narrowing.left = static_cast<T>(std::min(left, bits - 1));
    narrowing.high_in = left >= to.width ? 0 : static_cast<T>(to.largest() >> left);
    narrowing.low_in = left >= to.width ? 0 : static_cast<T>(-(-to.smallest() >> left));
  }
  return narrowing;
}

}  // namespace ernn
