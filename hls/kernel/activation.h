// Sigmoid and tanh by straight pieces (docs/arithmetic.md, Activation tables).
//
// A table configuration T (generated) has
//   bool odd                          tanh: f(-v) = -f(v); sigmoid: f(-v) = 1 - f(v)
//   int range_log2, segments_log2     R and s
//   static int last(), base(segment), slope(segment)     codes
#pragma once

#include "types.h"

namespace ernn {
namespace kernel {

/// Extra fraction bits of table entries.
constexpr int kTableExtraBits = 6;

/// One activation function from `Argument` to `Gate`, both ap_fixed.
template <class Table, class Argument, class Gate>
struct ActivationFunction {
  static constexpr int kWidth = FormatOf<Argument>::width;
  static constexpr int kFraction = FormatOf<Argument>::fraction;
  /// Bits of the argument's code within one segment.
  static constexpr int kDistanceBits = Table::range_log2 - Table::segments_log2 + kFraction;
  static constexpr int kRangeBits = Table::range_log2 + kFraction;
  static constexpr int kSegments = 1 << Table::segments_log2;
  static_assert(kDistanceBits >= 0, "a segment must be at least one code of the argument wide");

  /// Entries reach 1.0, which the gate format does not hold: one bit more, and the sign.
  typedef Grown<Finer<Gate, kTableExtraBits>, 1> Entry;
  /// Where in its segment the argument lies: 0 (inclusive) to 1.
  typedef ap_fixed<kDistanceBits + 2, 2> Distance;
  typedef Sum<Entry, Product<Entry, Distance>> Interpolated;
  /// The result before the last limit.
  typedef Grown<Gate, 1> Value;
  typedef ap_uint<kWidth> Magnitude;

  static Gate run(const Argument& argument) {
    ERNN_INLINE
    const ap_int<kWidth> code = Codes<Argument>::code(argument);
    const bool negative = code < ap_int<kWidth>(0);
    // The magnitude of the most negative code needs the bit that the sign had.
    const Magnitude magnitude = negative ? Magnitude(-code) : Magnitude(code);
    const Value positive = of_magnitude(magnitude);
    const Value one = 1;
    const Value zero = 0;
    const Sum<Value, Value> mirrored = (Table::odd ? zero : one) - positive;
    const ap_fixed<FormatOf<Gate>::width, FormatOf<Gate>::integer, AP_RND, AP_SAT> limited =
        negative ? mirrored : Sum<Value, Value>(positive);
    return limited;
  }

 private:
  static Value of_magnitude(const Magnitude& magnitude) {
    ERNN_INLINE
    const Magnitude beyond = magnitude >> kRangeBits;
    const Magnitude number = magnitude >> kDistanceBits;
    const Magnitude within = magnitude - Magnitude(number << kDistanceBits);
    // Beyond the range it is some segment, whose entries are not used: no branch in the datapath.
    const int segment = number.to_int() & (kSegments - 1);
    const Distance distance = from_code<Distance>(within);
    const Entry base = from_code<Entry>(Table::base(segment));
    const Entry slope = from_code<Entry>(Table::slope(segment));
    const Interpolated exact = base + Product<Entry, Distance>(slope * distance);
    const ap_fixed<FormatOf<Value>::width, FormatOf<Value>::integer, AP_RND, AP_WRAP> rounded =
        exact;
    const Value inside = rounded;
    const Value last = from_code<Value>(Table::last());
    return kRangeBits < kWidth && beyond != Magnitude(0) ? last : inside;
  }
};

template <class Table, class Gate, class Argument>
Gate activate(const Argument& argument) {
  ERNN_INLINE
  return ActivationFunction<Table, Argument, Gate>::run(argument);
}

}  // namespace kernel
}  // namespace ernn
