// What ap_int.h and ap_fixed.h of this folder share: one fixed-point number on a 64-bit integer.
//
// A stand-in for a vendor's arbitrary-precision headers on the host, written from their documented
// behaviour. Widths up to 64 bits; operators return the full-precision type that the vendors
// document, and a result wider than 64 bits is a compile-time error, never a silent truncation.
#pragma once

#ifdef __SYNTHESIS__
#error "these headers are for the host: synthesis must find the tool's own ap_int.h and ap_fixed.h"
#endif

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

/// Quantisation: what happens to fraction bits that are dropped.
enum ap_q_mode {
  AP_RND,          ///< nearest, half towards plus infinity
  AP_RND_ZERO,     ///< nearest, half towards zero
  AP_RND_MIN_INF,  ///< nearest, half towards minus infinity
  AP_RND_INF,      ///< nearest, half away from zero
  AP_RND_CONV,     ///< nearest, half to even
  AP_TRN,          ///< towards minus infinity
  AP_TRN_ZERO      ///< towards zero
};

/// Overflow: what happens to values outside the range.
enum ap_o_mode {
  AP_SAT,       ///< the nearest limit
  AP_SAT_ZERO,  ///< zero
  AP_SAT_SYM,   ///< the nearest limit of the symmetric range
  AP_WRAP       ///< the low bits
};

namespace ap_shim {

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

constexpr int larger(int a, int b) {
  return a > b ? a : b;
}

/// 2^n of an integer type, 0 <= n.
template <class T>
constexpr T power(int n) {
  return static_cast<T>(static_cast<T>(1) << n);
}

/// v * 2^n without the undefined shift of a negative number.
template <class T>
constexpr T shift_left(T v, int n) {
  return static_cast<T>(v * power<T>(n));
}

/// v / 2^n, n >= 1, rounded as Q says. |v| + 2^n must be representable in T.
template <ap_q_mode Q, class T>
constexpr T shift_right(T v, int n) {
  const T below = static_cast<T>(v >> n);  // floor
  const T rest = static_cast<T>(v - shift_left(below, n));
  const T half = power<T>(n - 1);
  switch (Q) {
    case AP_TRN:
      return below;
    case AP_TRN_ZERO:
      return static_cast<T>(below + ((v < 0 && rest != 0) ? 1 : 0));
    case AP_RND:
      return static_cast<T>((v + half) >> n);
    case AP_RND_ZERO:
      return static_cast<T>(below + ((rest > half || (rest == half && v < 0)) ? 1 : 0));
    case AP_RND_MIN_INF:
      return static_cast<T>(below + (rest > half ? 1 : 0));
    case AP_RND_INF:
      return static_cast<T>(below + ((rest > half || (rest == half && v >= 0)) ? 1 : 0));
    case AP_RND_CONV:
      return static_cast<T>(below + ((rest > half || (rest == half && (below & 1) != 0)) ? 1 : 0));
  }
  return below;
}

/// The 64-bit container of a number: its own sign.
template <bool S>
using Raw = typename std::conditional<S, std::int64_t, std::uint64_t>::type;

/// Low W bits, sign-extended for signed numbers.
template <int W, bool S>
constexpr Raw<S> wrap(std::uint64_t bits) {
  return S ? static_cast<Raw<S>>(static_cast<std::int64_t>(bits << (64 - W)) >> (64 - W))
           : static_cast<Raw<S>>((bits << (64 - W)) >> (64 - W));
}

template <int W, bool S, ap_o_mode O, class T>
constexpr Raw<S> limit(T v) {
  // 128-bit limits only where the value is one; otherwise W < 64 or the compiler's 64 bits do.
  const T top = static_cast<T>(S ? static_cast<T>(power<std::uint64_t>(W - 1) - 1)
                                 : static_cast<T>(~std::uint64_t{0} >> (64 - W)));
  const T bottom = S ? static_cast<T>(-top - 1) : static_cast<T>(0);
  if (O == AP_WRAP) return wrap<W, S>(static_cast<std::uint64_t>(v));
  if (v > top) return static_cast<Raw<S>>(O == AP_SAT_ZERO ? static_cast<T>(0) : top);
  if (O == AP_SAT_SYM && S && v == bottom) return static_cast<Raw<S>>(-top);
  if (v < bottom) {
    return static_cast<Raw<S>>(O == AP_SAT_ZERO         ? static_cast<T>(0)
                               : (O == AP_SAT_SYM && S) ? static_cast<T>(-top)
                                                        : bottom);
  }
  return static_cast<Raw<S>>(v);
}

/// From one format to another; all decisions but the value itself are made at compile time.
template <int W1, int I1, bool S1, int W, int I, bool S, ap_q_mode Q, ap_o_mode O>
struct Convert {
  static constexpr int kMove = (W - I) - (W1 - I1);
  static constexpr int kLeft = kMove > 0 ? kMove : 0;
  static constexpr int kRight = kMove < 0 ? -kMove : 0;
  static_assert(kLeft <= 62 && kRight <= 120, "formats too far apart for a 64-bit number");
  static constexpr bool kRoundsUp = kRight > 0 && Q != AP_TRN;
  /// Every value of the source is one of the destination: no overflow handling.
  static constexpr bool kFits = (S || !S1) && I >= I1 + (kRoundsUp ? 1 : 0) + (S && !S1 ? 1 : 0);
  static constexpr bool kNarrow = larger(larger(W1 + kLeft, kRight), W) + 2 <= 64;
  using Wide = typename std::conditional<kNarrow, std::int64_t, int128>::type;

  static constexpr Raw<S> run(Raw<S1> raw) {
    const Wide moved = kRight > 0
                           ? shift_right<Q, Wide>(static_cast<Wide>(raw), kRight > 0 ? kRight : 1)
                           : shift_left<Wide>(static_cast<Wide>(raw), kLeft);
    return kFits && O != AP_SAT_SYM ? static_cast<Raw<S>>(moved) : limit<W, S, O, Wide>(moved);
  }
};

template <int W, bool S>
class BitRange;

/// W bits, I of them before the binary point (sign included when S).
template <int W, int I, bool S, ap_q_mode Q, ap_o_mode O>
class Number {
 public:
  static_assert(W >= 1 && W <= 64, "a number of these headers has 1 to 64 bits");
  static constexpr int width = W;
  static constexpr int iwidth = I;
  static constexpr ap_q_mode qmode = Q;
  static constexpr ap_o_mode omode = O;

  constexpr Number() = default;
  template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1>
  constexpr Number(const Number<W1, I1, S1, Q1, O1>& other)
      : raw_(Convert<W1, I1, S1, W, I, S, Q, O>::run(other.raw())) {}
  template <class T, typename std::enable_if<std::is_integral<T>::value, int>::type = 0>
  constexpr Number(T value)
      : raw_(Convert<std::numeric_limits<T>::digits + (std::is_signed<T>::value ? 1 : 0),
                     std::numeric_limits<T>::digits + (std::is_signed<T>::value ? 1 : 0),
                     std::is_signed<T>::value, W, I, S, Q, O>::run(value)) {}
  Number(double value) : raw_(from_double(value)) {}

  /// The W bits as an integer: value * 2^(W - I).
  constexpr Raw<S> raw() const { return raw_; }
  /// `raw` must be in range.
  static constexpr Number from_raw(Raw<S> raw) {
    Number result;
    result.raw_ = raw;
    return result;
  }

  double to_double() const { return std::ldexp(static_cast<double>(raw_), I - W); }
  /// Integer part, towards zero as the vendors' conversion to a built-in integer.
  constexpr std::int64_t to_int64() const {
    return Convert<W, I, S, 64, 64, true, AP_TRN_ZERO, AP_WRAP>::run(raw_);
  }
  constexpr int to_int() const { return static_cast<int>(to_int64()); }

  /// Bits high..low as an unsigned number; assignable.
  BitRange<W, S> range(int high, int low) { return BitRange<W, S>(raw_, high, low); }
  constexpr Number<64, 64, false, AP_TRN, AP_WRAP> range(int high, int low) const {
    return Number<64, 64, false, AP_TRN, AP_WRAP>::from_raw(
        (static_cast<std::uint64_t>(raw_) >> low) & (~std::uint64_t{0} >> (63 - (high - low))));
  }
  constexpr bool operator[](int bit) const {
    return ((static_cast<std::uint64_t>(raw_) >> bit) & 1U) != 0;
  }

  template <class T>
  Number& operator+=(const T& other) {
    return *this =
               Number(*this + Number<T::width, T::iwidth, T::is_signed, AP_TRN, AP_WRAP>(other));
  }
  template <class T>
  Number& operator-=(const T& other) {
    return *this =
               Number(*this - Number<T::width, T::iwidth, T::is_signed, AP_TRN, AP_WRAP>(other));
  }
  template <class T>
  Number& operator*=(const T& other) {
    return *this =
               Number(*this * Number<T::width, T::iwidth, T::is_signed, AP_TRN, AP_WRAP>(other));
  }
  static constexpr bool is_signed = S;

  /// One bit more on the left, always signed.
  constexpr Number<W + 1, I + 1, true, AP_TRN, AP_WRAP> operator-() const {
    return Number<W + 1, I + 1, true, AP_TRN, AP_WRAP>::from_raw(-static_cast<std::int64_t>(raw_));
  }

  /// Shifts keep the type, as the vendors' do; bits that leave it are lost. 0 <= n.
  constexpr Number operator<<(int n) const {
    return from_raw(n >= W ? Raw<S>{0} : wrap<W, S>(static_cast<std::uint64_t>(raw_) << n));
  }
  constexpr Number operator>>(int n) const {
    return from_raw(static_cast<Raw<S>>(raw_ >> (n > 63 ? 63 : n)));
  }

 private:
  static Raw<S> from_double(double value) {
    if (value != value) return 0;
    int exponent = 0;
    const double mantissa = std::frexp(value, &exponent);  // [1/2, 1): 53 bits
    const std::int64_t digits = std::isinf(value)
                                    ? (value > 0 ? 1 : -1)
                                    : static_cast<std::int64_t>(std::ldexp(mantissa, 53));
    const int move = std::isinf(value) ? 64 : exponent - 53 + (W - I);
    if (digits == 0) return 0;
    if (move < 0) {
      return limit<W, S, O, int128>(shift_right<Q, int128>(digits, move < -100 ? 100 : -move));
    }
    if (move > 64 && O == AP_WRAP) return 0;
    return limit<W, S, O, int128>(shift_left<int128>(digits, move > 66 ? 66 : move));
  }

  Raw<S> raw_ = 0;
};

/// A reference to some bits of a number.
template <int W, bool S>
class BitRange {
 public:
  BitRange(Raw<S>& raw, int high, int low) : raw_(raw), high_(high), low_(low) {}
  operator Number<64, 64, false, AP_TRN, AP_WRAP>() const {
    return Number<64, 64, false, AP_TRN, AP_WRAP>::from_raw(bits());
  }
  template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1>
  BitRange& operator=(const Number<W1, I1, S1, Q1, O1>& value) {
    const std::uint64_t mask = ones() << low_;
    const std::uint64_t kept = static_cast<std::uint64_t>(raw_) & ~mask;
    raw_ = wrap<W, S>(kept | ((static_cast<std::uint64_t>(value.raw()) << low_) & mask));
    return *this;
  }
  std::uint64_t bits() const { return (static_cast<std::uint64_t>(raw_) >> low_) & ones(); }

 private:
  std::uint64_t ones() const { return ~std::uint64_t{0} >> (63 - (high_ - low_)); }
  Raw<S>& raw_;
  int high_, low_;
};

template <int W1, int I1, bool S1, int W2, int I2, bool S2, bool Minus>
struct SumType {
  static constexpr bool kSigned = Minus || S1 || S2;
  static constexpr int kInteger = larger(I1 + (S2 && !S1 ? 1 : 0), I2 + (S1 && !S2 ? 1 : 0)) + 1;
  static constexpr int kFraction = larger(W1 - I1, W2 - I2);
  using type = Number<kInteger + kFraction, kInteger, kSigned, AP_TRN, AP_WRAP>;
  using Value = Raw<kSigned>;
  static constexpr Value left(Raw<S1> raw) {
    return shift_left(static_cast<Value>(raw), kFraction - (W1 - I1));
  }
  static constexpr Value right(Raw<S2> raw) {
    return shift_left(static_cast<Value>(raw), kFraction - (W2 - I2));
  }
};

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr typename SumType<W1, I1, S1, W2, I2, S2, false>::type operator+(
    const Number<W1, I1, S1, Q1, O1>& a, const Number<W2, I2, S2, Q2, O2>& b) {
  using Sum = SumType<W1, I1, S1, W2, I2, S2, false>;
  return Sum::type::from_raw(Sum::left(a.raw()) + Sum::right(b.raw()));
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr typename SumType<W1, I1, S1, W2, I2, S2, true>::type operator-(
    const Number<W1, I1, S1, Q1, O1>& a, const Number<W2, I2, S2, Q2, O2>& b) {
  using Sum = SumType<W1, I1, S1, W2, I2, S2, true>;
  return Sum::type::from_raw(Sum::left(a.raw()) - Sum::right(b.raw()));
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr Number<W1 + W2, I1 + I2, S1 || S2, AP_TRN, AP_WRAP> operator*(
    const Number<W1, I1, S1, Q1, O1>& a, const Number<W2, I2, S2, Q2, O2>& b) {
  using Value = Raw<S1 || S2>;
  return Number < W1 + W2, I1 + I2, S1 || S2, AP_TRN,
         AP_WRAP > ::from_raw(static_cast<Value>(a.raw()) * static_cast<Value>(b.raw()));
}

/// -1, 0 or 1, exact for any two formats.
template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr int compare(const Number<W1, I1, S1, Q1, O1>& a, const Number<W2, I2, S2, Q2, O2>& b) {
  constexpr int fraction = larger(W1 - I1, W2 - I2);
  constexpr int left = fraction - (W1 - I1);
  constexpr int right = fraction - (W2 - I2);
  static_assert(left <= 62 && right <= 62, "formats too far apart for a 64-bit number");
  using Wide =
      typename std::conditional<(larger(W1 + left, W2 + right) < 63), std::int64_t, int128>::type;
  const Wide x = shift_left(static_cast<Wide>(a.raw()), left);
  const Wide y = shift_left(static_cast<Wide>(b.raw()), right);
  return x < y ? -1 : (x > y ? 1 : 0);
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr bool operator==(const Number<W1, I1, S1, Q1, O1>& a,
                          const Number<W2, I2, S2, Q2, O2>& b) {
  return compare(a, b) == 0;
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr bool operator!=(const Number<W1, I1, S1, Q1, O1>& a,
                          const Number<W2, I2, S2, Q2, O2>& b) {
  return compare(a, b) != 0;
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr bool operator<(const Number<W1, I1, S1, Q1, O1>& a, const Number<W2, I2, S2, Q2, O2>& b) {
  return compare(a, b) < 0;
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr bool operator<=(const Number<W1, I1, S1, Q1, O1>& a,
                          const Number<W2, I2, S2, Q2, O2>& b) {
  return compare(a, b) <= 0;
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr bool operator>(const Number<W1, I1, S1, Q1, O1>& a, const Number<W2, I2, S2, Q2, O2>& b) {
  return compare(a, b) > 0;
}

template <int W1, int I1, bool S1, ap_q_mode Q1, ap_o_mode O1, int W2, int I2, bool S2,
          ap_q_mode Q2, ap_o_mode O2>
constexpr bool operator>=(const Number<W1, I1, S1, Q1, O1>& a,
                          const Number<W2, I2, S2, Q2, O2>& b) {
  return compare(a, b) >= 0;
}

}  // namespace ap_shim
