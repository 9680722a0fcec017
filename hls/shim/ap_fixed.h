// Host stand-in for a vendor's ap_fixed.h: fixed-point numbers of 1 to 64 bits (ap_number.h).
#pragma once

#include "ap_int.h"

/// Signed, W bits, I of them (sign included) before the binary point.
template <int W, int I, ap_q_mode Q = AP_TRN, ap_o_mode O = AP_WRAP>
class ap_fixed : public ap_shim::Number<W, I, true, Q, O> {
 public:
  using Base = ap_shim::Number<W, I, true, Q, O>;
  constexpr ap_fixed() = default;
  template <class T>
  constexpr ap_fixed(const T& value) : Base(value) {}
};

/// Unsigned, W bits, I of them before the binary point.
template <int W, int I, ap_q_mode Q = AP_TRN, ap_o_mode O = AP_WRAP>
class ap_ufixed : public ap_shim::Number<W, I, false, Q, O> {
 public:
  using Base = ap_shim::Number<W, I, false, Q, O>;
  constexpr ap_ufixed() = default;
  template <class T>
  constexpr ap_ufixed(const T& value) : Base(value) {}
};
