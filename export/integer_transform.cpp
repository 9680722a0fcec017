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

/// rfft_k of x[0], x[stride], x[2 stride], ...
void forward(int k, const std::int64_t* x, int stride, std::int64_t* out) {
  if (k == 2) {
    out[0] = x[0] + x[stride];
    out[1] = x[0] - x[stride];
    return;
  }
  std::array<std::int64_t, kLargest / 2> even;
  std::array<std::int64_t, kLargest / 2> odd;
  forward(k / 2, x, 2 * stride, even.data());
  forward(k / 2, x + stride, 2 * stride, odd.data());
  out[0] = even[0] + odd[0];
  out[1] = even[0] - odd[0];
  out[k / 2] = even[1];  // bin k/4
  out[k / 2 + 1] = -odd[1];
  for (int b = 1; b < k / 4; ++b) {
    const std::size_t i = 2 * static_cast<std::size_t>(b);
    const Complex t = turn_back(k, b, {odd[i], odd[i + 1]});
    out[2 * b] = even[i] + t.re;
    out[2 * b + 1] = even[i + 1] + t.im;
    out[k - 2 * b] = even[i] - t.re;  // bin k/2 - b
    out[k - 2 * b + 1] = t.im - even[i + 1];
  }
}

/// irfft_k into y[0], y[stride], ...
void inverse(int k, const std::int64_t* in, std::int64_t* y, int stride) {
  if (k == 2) {
    y[0] = in[0] + in[1];
    y[stride] = in[0] - in[1];
    return;
  }
  std::array<std::int64_t, kLargest / 2> even;
  std::array<std::int64_t, kLargest / 2> odd;
  even[0] = in[0] + in[1];
  odd[0] = in[0] - in[1];
  even[1] = 2 * in[k / 2];
  odd[1] = -2 * in[k / 2 + 1];
  for (int b = 1; b < k / 4; ++b) {
    const std::size_t i = 2 * static_cast<std::size_t>(b);
    const Complex low = {in[2 * b], in[2 * b + 1]};
    const Complex high = {in[k - 2 * b], -in[k - 2 * b + 1]};  // conj(S[k/2 - b])
    even[i] = low.re + high.re;
    even[i + 1] = low.im + high.im;
    const Complex o = turn_forth(k, b, {low.re - high.re, low.im - high.im});
    odd[i] = o.re;
    odd[i + 1] = o.im;
  }
  inverse(k / 2, even.data(), y, 2 * stride);
  inverse(k / 2, odd.data(), y + stride, 2 * stride);
}

}  // namespace

std::int64_t transform_constant(int n) {
  return kConstants[static_cast<std::size_t>(n)];
}

void integer_rfft(int k, const std::int64_t* x, std::int64_t* packed) {
  forward(k, x, 1, packed);
}

void integer_irfft(int k, const std::int64_t* packed, std::int64_t* y) {
  inverse(k, packed, y, 1);
}

}  // namespace ernn
