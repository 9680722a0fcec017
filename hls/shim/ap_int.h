// Host stand-in for a vendor's ap_int.h: integers of 1 to 64 bits (ap_number.h).
#pragma once

#include "ap_number.h"

/// Signed integer of W bits.
template <int W>
class ap_int : public ap_shim::Number<W, W, true, AP_TRN, AP_WRAP> {
 public:
  using Base = ap_shim::Number<W, W, true, AP_TRN, AP_WRAP>;
  constexpr ap_int() = default;
  template <class T>
  constexpr ap_int(const T& value) : Base(value) {}
  template <int V, bool S>
  ap_int(const ap_shim::BitRange<V, S>& bits) : Base(bits.bits()) {}
};

/// Unsigned integer of W bits.
template <int W>
class ap_uint : public ap_shim::Number<W, W, false, AP_TRN, AP_WRAP> {
 public:
  using Base = ap_shim::Number<W, W, false, AP_TRN, AP_WRAP>;
  constexpr ap_uint() = default;
  template <class T>
  constexpr ap_uint(const T& value) : Base(value) {}
  template <int V, bool S>
  ap_uint(const ap_shim::BitRange<V, S>& bits) : Base(bits.bits()) {}
};
