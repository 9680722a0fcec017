// The real transforms of docs/arithmetic.md once more, in plain 128-bit integers and written from
// that page alone, to check the kernel's typed version against.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ernn::slow {

__extension__ typedef __int128 Wide;

inline Wide floor_shift(Wide value, int bits) {
  const Wide unit = static_cast<Wide>(1) << bits;
  Wide quotient = value / unit;
  if (value % unit != 0 && value < 0) --quotient;
  return quotient;
}

/// Round half up from `from` to `to` fraction bits, limited to `width` bits.
inline std::int64_t narrow(Wide value, int from, int width, int to) {
  Wide code = 0;
  if (from > to) {
    code = floor_shift(value + (static_cast<Wide>(1) << (from - to - 1)), from - to);
  } else {
    code = value * (static_cast<Wide>(1) << (to - from));
  }
  const Wide top = (static_cast<Wide>(1) << (width - 1)) - 1;
  if (code > top) code = top;
  if (code < -top - 1) code = -top - 1;
  return static_cast<std::int64_t>(code);
}

inline Wide constant(int n) {
  const double pi = std::acos(-1.0);
  return static_cast<Wide>(std::floor(std::cos(2 * pi * n / 64) * 65536 + 0.5));
}

inline Wide half(Wide value) {
  return floor_shift(value + 32768, 16);
}

struct Complex {
  Wide re = 0, im = 0;
};

/// Bins 0 ... k/2.
using Bins = std::vector<Complex>;

inline Bins forward(const std::vector<Wide>& x) {
  const std::size_t k = x.size();
  if (k == 2) return {{x[0] + x[1], 0}, {x[0] - x[1], 0}};
  std::vector<Wide> even, odd;
  for (std::size_t n = 0; n < k; ++n) (n % 2 == 0 ? even : odd).push_back(x[n]);
  const Bins e = forward(even);
  const Bins o = forward(odd);
  Bins out(k / 2 + 1);
  out[0].re = e[0].re + o[0].re;
  out[k / 2].re = e[0].re - o[0].re;
  out[k / 4] = {e[k / 4].re, -o[k / 4].re};
  for (std::size_t b = 1; b < k / 4; ++b) {
    Complex t;
    if (b * 8 == k) {
      t = {half((o[b].re + o[b].im) * constant(8)), half((o[b].im - o[b].re) * constant(8))};
    } else {
      const Wide c = constant(static_cast<int>(64 * b / k));
      const Wide s = constant(static_cast<int>(16 - 64 * b / k));
      t = {half(o[b].re * c + o[b].im * s), half(o[b].im * c - o[b].re * s)};
    }
    out[b] = {e[b].re + t.re, e[b].im + t.im};
    out[k / 2 - b] = {e[b].re - t.re, -(e[b].im - t.im)};
  }
  return out;
}

inline std::vector<Wide> inverse(const Bins& s) {
  const std::size_t k = 2 * (s.size() - 1);
  if (k == 2) return {s[0].re + s[1].re, s[0].re - s[1].re};
  Bins e(k / 4 + 1), o(k / 4 + 1);
  e[0].re = s[0].re + s[k / 2].re;
  o[0].re = s[0].re - s[k / 2].re;
  e[k / 4].re = 2 * s[k / 4].re;
  o[k / 4].re = -2 * s[k / 4].im;
  for (std::size_t b = 1; b < k / 4; ++b) {
    const Complex m = s[k / 2 - b];
    e[b] = {s[b].re + m.re, s[b].im - m.im};
    const Complex d = {s[b].re - m.re, s[b].im + m.im};
    if (b * 8 == k) {
      o[b] = {half((d.re - d.im) * constant(8)), half((d.im + d.re) * constant(8))};
    } else {
      const Wide c = constant(static_cast<int>(64 * b / k));
      const Wide n = constant(static_cast<int>(16 - 64 * b / k));
      o[b] = {half(d.re * c - d.im * n), half(d.im * c + d.re * n)};
    }
  }
  const std::vector<Wide> even = inverse(e);
  const std::vector<Wide> odd = inverse(o);
  std::vector<Wide> y;
  for (std::size_t n = 0; n < k / 2; ++n) {
    y.push_back(even[n]);
    y.push_back(odd[n]);
  }
  return y;
}

/// Packed order to bins and back.
template <class T>
Bins unpack(const std::vector<T>& packed) {
  const std::size_t k = packed.size();
  Bins bins(k / 2 + 1);
  bins[0].re = packed[0];
  bins[k / 2].re = packed[1];
  for (std::size_t b = 1; b < k / 2; ++b) bins[b] = {packed[2 * b], packed[2 * b + 1]};
  return bins;
}

inline std::vector<Wide> pack(const Bins& bins) {
  const std::size_t k = 2 * (bins.size() - 1);
  std::vector<Wide> packed(k);
  packed[0] = bins[0].re;
  packed[1] = bins[k / 2].re;
  for (std::size_t b = 1; b < k / 2; ++b) {
    packed[2 * b] = bins[b].re;
    packed[2 * b + 1] = bins[b].im;
  }
  return packed;
}

}  // namespace ernn::slow
