// Proof that no exact sum of docs/arithmetic.md overflows, from the formats alone.
#pragma once

#include <string>
#include <vector>

#include "export/quantised_network.h"

namespace ernn {

/// Bits, sign included, that a sum needs in the worst case.
struct AccumulatorWidth {
  std::string name;  ///< for example "layers.0.recurrent: block row"
  int bits = 0;
};

/// Most bits an accumulator may have: rounding adds one half, which must stay within 64.
inline constexpr int kLargestAccumulator = 63;

/// Every accumulator of a network.
std::vector<AccumulatorWidth> accumulator_widths(const QuantisedNetwork& network);

/// Throws UsageError naming the first one beyond kLargestAccumulator.
void check_accumulators(const QuantisedNetwork& network);

}  // namespace ernn
