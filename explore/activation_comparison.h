// What activation tables are worth: errors of straight pieces and of plain tables beside the LUTs
// they take (docs/arithmetic.md, "Pieces or plain tables").
#pragma once

#include <string>
#include <vector>

#include "explore/datapath.h"
#include "export/activation_table.h"

namespace ernn {

/// In units of the gate format's last bit, where the function is limited to that format's codes.
struct LookupError {
  double largest = 0;  ///< over every preactivation code
  double rms = 0;      ///< over those with |x| < 8
};

/// One table. The plain kind has the function's value at the middle of each segment.
struct LookupFigures {
  LookupKind kind = LookupKind::pieces;
  Activation function = Activation::tanh;
  int gate_bits = 0;
  int segments = 0;
  LookupError error;
  DatapathCost cost;
};

/// The preactivation format that goes with a gate of `bits`: 4 guard bits, range +-16.
Format comparison_preactivation(int bits);

/// `segments`: a power of two; 0 for the fewest that keep the largest error at 1 or below. `ends`
/// gives the results of `pieces`.
LookupFigures measure_lookup(LookupKind kind, Activation function, int gate_bits, int segments,
                             DatapathTable& table);

/// Markdown tables: errors by segments and gate bits, then what one last bit of error takes.
std::string activation_comparison(const std::vector<int>& gate_bits,
                                  const std::vector<int>& segments, DatapathTable& table);

}  // namespace ernn
