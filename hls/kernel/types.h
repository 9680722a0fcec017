// The kernel's number types: exact intermediate types from formats, and narrowing.
//
// <ap_fixed.h>, <ap_int.h> and <hls_stream.h> come from the include path: the project's stand-ins
// on the host, the tool's own in synthesis. Every type function also works for double, so that the
// same datapath can be run with real numbers.
#pragma once

#include <ap_fixed.h>
#include <ap_int.h>
#include <hls_stream.h>

#include "schedule.h"

namespace ernn {
namespace kernel {

/// Largest width of an exact intermediate value (docs/arithmetic.md, Numbers): adding half before a
/// shift must stay within 64 bits.
constexpr int kWidestExact = 63;

constexpr int larger(int a, int b) {
  return a > b ? a : b;
}

/// Smallest n with 2^n >= value.
constexpr int ceil_log2(int value) {
  int n = 0;
  while ((1 << n) < value) ++n;
  return n;
}

constexpr int ceil_divide(int a, int b) {
  return (a + b - 1) / b;
}

/// Width and integer bits of a type; double has none.
template <class T>
struct FormatOf;
template <int W, int I, ap_q_mode Q, ap_o_mode O>
struct FormatOf<ap_fixed<W, I, Q, O>> {
  static constexpr int width = W;
  static constexpr int integer = I;
  static constexpr int fraction = W - I;
};

/// A signed number with `Integer` bits before the point and `Fraction` after it.
template <int Integer, int Fraction>
struct Exact {
  static_assert(Integer + Fraction <= kWidestExact, "an exact value needs more than 63 bits");
  typedef ap_fixed<Integer + Fraction, Integer> type;
};

/// T with `Bits` more integer bits.
template <class T, int Bits>
struct GrownType : Exact<FormatOf<T>::integer + Bits, FormatOf<T>::fraction> {};
template <int Bits>
struct GrownType<double, Bits> {
  typedef double type;
};
template <class T, int Bits>
using Grown = typename GrownType<T, Bits>::type;

/// T with `Bits` more fraction bits.
template <class T, int Bits>
struct FinerType : Exact<FormatOf<T>::integer, FormatOf<T>::fraction + Bits> {};
template <int Bits>
struct FinerType<double, Bits> {
  typedef double type;
};
template <class T, int Bits>
using Finer = typename FinerType<T, Bits>::type;

/// Holds a + b and a - b.
template <class A, class B>
struct SumType : Exact<larger(FormatOf<A>::integer, FormatOf<B>::integer) + 1,
                       larger(FormatOf<A>::fraction, FormatOf<B>::fraction)> {};
template <>
struct SumType<double, double> {
  typedef double type;
};
template <class A, class B>
using Sum = typename SumType<A, B>::type;

/// Holds a * b.
template <class A, class B>
struct ProductType : Exact<FormatOf<A>::integer + FormatOf<B>::integer,
                           FormatOf<A>::fraction + FormatOf<B>::fraction> {};
template <>
struct ProductType<double, double> {
  typedef double type;
};
template <class A, class B>
using Product = typename ProductType<A, B>::type;

/// The number whose bits are `code`: code * 2^-F. A double is its own code.
template <class T>
struct Codes {
  static constexpr int width = FormatOf<T>::width;
  typedef ap_int<width> Code;
  template <class Integer>
  static T number(Integer code) {
    T value;
    value.range(width - 1, 0) = ap_int<width>(code);
    return value;
  }
  static Code code(const T& value) {
    T bits = value;
    Code result = bits.range(width - 1, 0);
    return result;
  }
};
template <>
struct Codes<double> {
  static double number(double code) { return code; }
  static double code(double value) { return value; }
};

template <class T, class Integer>
T from_code(Integer code) {
  ERNN_INLINE
  return Codes<T>::number(code);
}

/// Rounds half up to the fraction of To, without a limit; the type cannot overflow.
template <class To, class From>
struct Rounding {
  static constexpr int integer =
      larger(FormatOf<To>::integer,
             FormatOf<From>::integer + (FormatOf<From>::fraction > FormatOf<To>::fraction ? 1 : 0));
  typedef ap_fixed<integer + FormatOf<To>::fraction, integer, AP_RND, AP_WRAP> type;
};

/// Narrowing (docs/arithmetic.md): rounds half up and limits. `probe` hears when the limit acts.
template <class To, class From>
struct Narrowing {
  template <class Probe>
  static To run(const From& value, Probe probe, int signal) {
    ERNN_INLINE
    const typename Rounding<To, From>::type rounded = value;
    const ap_fixed<FormatOf<To>::width, FormatOf<To>::integer, AP_RND, AP_SAT> limited = rounded;
    if (limited != rounded) probe.saturated(signal);
    return limited;
  }
};
template <>
struct Narrowing<double, double> {
  template <class Probe>
  static double run(double value, Probe /*probe*/, int /*signal*/) {
    return value;
  }
};

template <class To, class From, class Probe>
To narrow(const From& value, Probe probe, int signal) {
  ERNN_INLINE
  return Narrowing<To, From>::run(value, probe, signal);
}

/// The default observer of the datapath: nothing. Any other has the same two functions and is
/// cheap to copy; `signal` is a number of the generated configuration.
struct NoProbe {
  /// Element `index` of a frame's `signal`. Called once for each element of each frame.
  template <class T>
  void value(int /*signal*/, int /*index*/, const T& /*value*/) const {}
  /// A narrowing to `signal` was limited.
  void saturated(int /*signal*/) const {}
};

/// What a stream carries in one transfer: N neighbouring elements.
template <class T, int N>
struct Beat {
  T at[N];
};

}  // namespace kernel
}  // namespace ernn
