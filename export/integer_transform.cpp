#include "export/integer_transform.h"

#include <array>

#include "export/quantised_network.h"

namespace ernn {

namespace {

constexpr int kLargest = 64;

// floor(cos(2 pi n / 64) * 2^16 + 1/2)
constexpr std::array<std::int64_t, 17> kConstants = {65536, 65220, 64277, 62714, 60547, 57798,
                                                     54491, 50660, 46341, 41576, 36410, 30893,
                                                     25080, 19024, 12785, 6424,  0};

struct Complex {
  std::int64_t re, im;
};

/// floor(v / 2^16 + 1/2)
std::int64_t half(std::int64_t v) {
  return (v + (std::int64_t{1} << (kTwiddleFraction - 1))) >> kTwiddleFraction;
}

/// w^b z of rfft_k
Complex turn_back(int k, int b, Complex z) {
  if (8 * b == k) {
    const std::int64_t c = kConstants[8];
    return {half((z.re + z.im) * c), half((z.im - z.re) * c)};
  }
  const std::int64_t c = kConstants[static_cast<std::size_t>(kLargest * b / k)];
  const std::int64_t s = kConstants[static_cast<std::size_t>(16 - kLargest * b / k)];
  return {half(z.re * c + z.im * s), half(z.im * c - z.re * s)};
}

/// w^-b z of irfft_k
Complex turn_forth(int k, int b, Complex z) {
  if (8 * b == k) {
    const std::int64_t c = kConstants[8];
    return {half((z.re - z.im) * c), half((z.im + z.re) * c)};
  }
  const std::int64_t c = kConstants[static_cast<std::size_t>(kLargest * b / k)];
  const std::int64_t s = kConstants[static_cast<std::size_t>(16 - kLargest * b / k)];
  return {half(z.re * c - z.im * s), half(z.im * c + z.re * s)};
}

/// A result of a stage: floor(v / 2^shift + 1/2) for shifts of 0 and 1.
std::int64_t scaled(std::int64_t v, int shift) {
  return (v + shift) >> shift;
}

/// rfft_k of x[0], x[stride], x[2 stride], ...
void forward(int k, const std::int64_t* x, int stride, std::int64_t* out, int shift) {
  if (k == 2) {
    out[0] = scaled(x[0] + x[stride], shift);
    out[1] = scaled(x[0] - x[stride], shift);
    return;
  }
  std::array<std::int64_t, kLargest / 2> even;
  std::array<std::int64_t, kLargest / 2> odd;
  forward(k / 2, x, 2 * stride, even.data(), shift);
  forward(k / 2, x + stride, 2 * stride, odd.data(), shift);
  out[0] = scaled(even[0] + odd[0], shift);
  out[1] = scaled(even[0] - odd[0], shift);
  out[k / 2] = scaled(even[1], shift);  // bin k/4
  out[k / 2 + 1] = scaled(-odd[1], shift);
  for (int b = 1; b < k / 4; ++b) {
    const std::size_t i = 2 * static_cast<std::size_t>(b);
    const Complex t = turn_back(k, b, {odd[i], odd[i + 1]});
    out[2 * b] = scaled(even[i] + t.re, shift);
    out[2 * b + 1] = scaled(even[i + 1] + t.im, shift);
    out[k - 2 * b] = scaled(even[i] - t.re, shift);  // bin k/2 - b
    out[k - 2 * b + 1] = scaled(t.im - even[i + 1], shift);
  }
}

/// irfft_k into y[0], y[stride], ...
void inverse(int k, const std::int64_t* in, std::int64_t* y, int stride, int shift) {
  if (k == 2) {
    y[0] = scaled(in[0] + in[1], shift);
    y[stride] = scaled(in[0] - in[1], shift);
    return;
  }
  std::array<std::int64_t, kLargest / 2> even;
  std::array<std::int64_t, kLargest / 2> odd;
  even[0] = scaled(in[0] + in[1], shift);
  odd[0] = scaled(in[0] - in[1], shift);
  even[1] = scaled(2 * in[k / 2], shift);
  odd[1] = scaled(-2 * in[k / 2 + 1], shift);
  for (int b = 1; b < k / 4; ++b) {
    const std::size_t i = 2 * static_cast<std::size_t>(b);
    const Complex low = {in[2 * b], in[2 * b + 1]};
    const Complex high = {in[k - 2 * b], -in[k - 2 * b + 1]};  // conj(S[k/2 - b])
    even[i] = scaled(low.re + high.re, shift);
    even[i + 1] = scaled(low.im + high.im, shift);
    const Complex d = {scaled(low.re - high.re, shift), scaled(low.im - high.im, shift)};
    const Complex o = turn_forth(k, b, d);
    odd[i] = o.re;
    odd[i + 1] = o.im;
  }
  inverse(k / 2, even.data(), y, 2 * stride, shift);
  inverse(k / 2, odd.data(), y + stride, 2 * stride, shift);
}

}  // namespace

std::int64_t transform_constant(int n) {
  return kConstants[static_cast<std::size_t>(n)];
}

void integer_rfft(int k, const std::int64_t* x, std::int64_t* packed, StageScale scale) {
  forward(k, x, 1, packed, scale == StageScale::half ? 1 : 0);
}

void integer_irfft(int k, const std::int64_t* packed, std::int64_t* y, StageScale scale) {
  inverse(k, packed, y, 1, scale == StageScale::half ? 1 : 0);
}

void add_block_product(int k, const std::int32_t* w, const std::int32_t* x, std::int64_t* sum) {
  sum[0] += static_cast<std::int64_t>(w[0]) * x[0];
  sum[1] += static_cast<std::int64_t>(w[1]) * x[1];
  for (int b = 2; b < k; b += 2) {
    const std::int64_t re = w[b];
    const std::int64_t im = w[b + 1];
    sum[b] += re * x[b] - im * x[b + 1];
    sum[b + 1] += re * x[b + 1] + im * x[b];
  }
}

}  // namespace ernn
