// A function of a wide word whose result comes in parts.
#pragma once

#include "functions.h"

namespace ernn {
namespace rtl {

/// Bits 64 part ... 64 part + 63 of the result. A tool that returns at most 64 bits from a function
/// gives a wide result in parts, chosen by a selector.
template <class Function>
unsigned long long part_of(const ap_uint<Function::input_bits>& in, unsigned char part) {
  ERNN_INLINE
  WideWord<Function::output_bits> out;
  Function::run(in, out);
  unsigned long long result = 0;
  ERNN_BEFORE_UNROLL
  for (int n = 0; n < WideWord<Function::output_bits>::count; ++n) {
    ERNN_UNROLL
    if (part == n) result = out.parts[n];
  }
  return result;
}

}  // namespace rtl
}  // namespace ernn
