// Real transforms of k = 2 ... 64 points, forward and inverse, as pure functions that unroll
// completely (docs/arithmetic.md, Real transforms). Spectra are packed:
// [Re0, Re(k/2), Re1, Im1, Re2, Im2, ...].
//
// Additions are exact in types that grow; a rotation by a constant rounds back to the fraction of
// its operand. Rotations by multiples of a quarter turn cost nothing, by an eighth two
// multiplications.
#pragma once

#include "types.h"

namespace ernn {
namespace kernel {

/// Extra fraction bits inside a transform.
constexpr int kTransformGuardBits = 2;

/// cos(2 pi n / 64), n = 0 ... 16: codes with 16 fraction bits, and real numbers.
constexpr int kCosineCodes[17] = {65536, 65220, 64277, 62714, 60547, 57798, 54491, 50660, 46341,
                                  41576, 36410, 30893, 25080, 19024, 12785, 6424,  0};
constexpr double kCosines[17] = {1.0,
                                 0.99518472667219688624,
                                 0.98078528040323044913,
                                 0.95694033573220886494,
                                 0.92387953251128675613,
                                 0.88192126434835502971,
                                 0.83146961230254523708,
                                 0.77301045336273696081,
                                 0.70710678118654752440,
                                 0.63439328416364549822,
                                 0.55557023301960222474,
                                 0.47139673682599764856,
                                 0.38268343236508977173,
                                 0.29028467725446236764,
                                 0.19509032201612826785,
                                 0.098017140329560601994,
                                 0.0};

/// Multiplication of a component of type T by constants: what a product is, and how it gets back to
/// T.
template <class T>
struct Rotation {
  /// Below 1, so one integer bit, the sign.
  typedef ap_fixed<17, 1> Constant;
  /// Rounds to T's fraction; the callers' bounds make T wide enough.
  typedef ap_fixed<FormatOf<T>::width, FormatOf<T>::integer, AP_RND, AP_WRAP> Rounded;
  /// cos(2 pi n / 64), 0 < n < 16
  static Constant cosine(int n) { return from_code<Constant>(kCosineCodes[n]); }
};
template <>
struct Rotation<double> {
  typedef double Constant;
  typedef double Rounded;
  static double cosine(int n) { return kCosines[n]; }
};

/// (re + j im) * exp(-j 2 pi b / K) when `Forward`, * exp(+j 2 pi b / K) otherwise; 0 < b < K/4.
/// The complex value's magnitude must fit T with a little room.
template <int K, bool Forward, class T>
void rotate(int b, const T& re, const T& im, T& out_re, T& out_im) {
  ERNN_INLINE
  typedef typename Rotation<T>::Constant Constant;
  typedef typename Rotation<T>::Rounded Rounded;
  if (8 * b == K) {
    const Constant c = Rotation<T>::cosine(8);
    const Sum<T, T> plus = re + im;
    const Sum<T, T> minus = Forward ? Sum<T, T>(im - re) : Sum<T, T>(re - im);
    const Rounded scaled_plus = plus * c;
    const Rounded scaled_minus = minus * c;
    out_re = Forward ? scaled_plus : scaled_minus;
    out_im = Forward ? scaled_minus : scaled_plus;
    return;
  }
  const Constant c = Rotation<T>::cosine(64 / K * b);
  const Constant s = Rotation<T>::cosine(16 - 64 / K * b);
  const Product<T, Constant> re_c = re * c;
  const Product<T, Constant> im_s = im * s;
  const Product<T, Constant> im_c = im * c;
  const Product<T, Constant> re_s = re * s;
  const Rounded real = Forward ? Sum<Product<T, Constant>, Product<T, Constant>>(re_c + im_s)
                               : Sum<Product<T, Constant>, Product<T, Constant>>(re_c - im_s);
  const Rounded imaginary = Forward ? Sum<Product<T, Constant>, Product<T, Constant>>(im_c - re_s)
                                    : Sum<Product<T, Constant>, Product<T, Constant>>(im_c + re_s);
  out_re = real;
  out_im = imaginary;
}

/// Forward transform of K numbers of type T. |X| <= K max|x|, so each of the log2 K steps adds one
/// integer bit.
template <int K, class T>
struct ForwardFft {
  typedef typename ForwardFft<K / 2, T>::Output Half;
  typedef Grown<Half, 1> Output;

  static void run(const T (&x)[K], Output (&spectrum)[K]) {
    ERNN_INLINE
    T even[K / 2], odd[K / 2];
    Half e[K / 2], o[K / 2];
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K / 2; ++n) {
      ERNN_UNROLL
      even[n] = x[2 * n];
      odd[n] = x[2 * n + 1];
    }
    ForwardFft<K / 2, T>::run(even, e);
    ForwardFft<K / 2, T>::run(odd, o);
    spectrum[0] = e[0] + o[0];
    spectrum[1] = e[0] - o[0];
    spectrum[K / 2] = e[1];
    spectrum[K / 2 + 1] = -o[1];
    ERNN_BEFORE_UNROLL
    for (int b = 1; b < K / 4; ++b) {
      ERNN_UNROLL
      Half re, im;
      rotate<K, true>(b, o[2 * b], o[2 * b + 1], re, im);
      spectrum[2 * b] = e[2 * b] + re;
      spectrum[2 * b + 1] = e[2 * b + 1] + im;
      spectrum[K - 2 * b] = e[2 * b] - re;
      spectrum[K - 2 * b + 1] = im - e[2 * b + 1];
    }
  }
};
template <class T>
struct ForwardFft<2, T> {
  typedef Grown<T, 1> Output;
  static void run(const T (&x)[2], Output (&spectrum)[2]) {
    ERNN_INLINE
    spectrum[0] = x[0] + x[1];
    spectrum[1] = x[0] - x[1];
  }
};

/// Inverse transform of K packed numbers of type T, times K. After l steps a component is at most
/// 2^l sqrt(2) times the largest input, so T must have one integer bit more than the input.
template <int K, class T>
struct InverseFft {
  typedef Grown<T, 1> Half;
  typedef typename InverseFft<K / 2, Half>::Output Output;

  static void run(const T (&spectrum)[K], Output (&y)[K]) {
    ERNN_INLINE
    Half e[K / 2], o[K / 2];
    Output even[K / 2], odd[K / 2];
    e[0] = spectrum[0] + spectrum[1];
    o[0] = spectrum[0] - spectrum[1];
    e[1] = spectrum[K / 2] + spectrum[K / 2];
    const Half twice = spectrum[K / 2 + 1] + spectrum[K / 2 + 1];
    o[1] = -twice;
    ERNN_BEFORE_UNROLL
    for (int b = 1; b < K / 4; ++b) {
      ERNN_UNROLL
      e[2 * b] = spectrum[2 * b] + spectrum[K - 2 * b];
      e[2 * b + 1] = spectrum[2 * b + 1] - spectrum[K - 2 * b + 1];
      const Half re = spectrum[2 * b] - spectrum[K - 2 * b];
      const Half im = spectrum[2 * b + 1] + spectrum[K - 2 * b + 1];
      rotate<K, false>(b, re, im, o[2 * b], o[2 * b + 1]);
    }
    InverseFft<K / 2, Half>::run(e, even);
    InverseFft<K / 2, Half>::run(o, odd);
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < K / 2; ++n) {
      ERNN_UNROLL
      y[2 * n] = even[n];
      y[2 * n + 1] = odd[n];
    }
  }
};
template <class T>
struct InverseFft<2, T> {
  typedef Grown<T, 1> Output;
  static void run(const T (&spectrum)[2], Output (&y)[2]) {
    ERNN_INLINE
    y[0] = spectrum[0] + spectrum[1];
    y[1] = spectrum[0] - spectrum[1];
  }
};

}  // namespace kernel
}  // namespace ernn
