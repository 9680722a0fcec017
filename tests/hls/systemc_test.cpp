// The host's ap_fixed against SystemC's sc_fixed, an independent implementation of the same
// rounding and overflow modes.
#define SC_INCLUDE_FX
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <systemc>
#include <vector>

#include "hls/shim/ap_fixed.h"

// The SystemC library has a main that calls sc_main; ours comes first, and sc_main is never called.
int sc_main(int /*argc*/, char** /*argv*/) {
  return 0;
}
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

namespace {

constexpr int kRandomValues = 20000;

/// The limits, their neighbours, halves and random codes of W bits.
template <int W>
std::vector<std::int64_t> codes() {
  const std::int64_t top = (std::int64_t{1} << (W - 1)) - 1;
  std::vector<std::int64_t> values = {0, 1, -1, 2, -2, top, -top - 1, top - 1, -top, top / 2};
  for (int bit = 0; bit < W - 1; ++bit) {
    for (std::int64_t delta = -1; delta <= 1; ++delta) {
      values.push_back((std::int64_t{1} << bit) + delta);
      values.push_back(-(std::int64_t{1} << bit) + delta);
    }
  }
  std::mt19937_64 random(static_cast<unsigned>(W));
  std::uniform_int_distribution<std::int64_t> any(-top - 1, top);
  for (int i = 0; i < kRandomValues; ++i) values.push_back(any(random) >> (i % W));
  for (std::int64_t& value : values) {
    if (value > top || value < -top - 1) value = 0;
  }
  return values;
}

/// An sc_fixed with the given code; exact.
template <int W, int I>
sc_dt::sc_fixed<W, I> systemc_number(std::int64_t code) {
  sc_dt::sc_int<64> bits = code;
  sc_dt::sc_fixed<W, I> number;
  number.range(W - 1, 0) = bits.range(W - 1, 0);
  return number;
}

template <class Fixed>
std::int64_t systemc_code(const Fixed& number, int width, bool is_signed) {
  std::int64_t code = 0;
  for (int bit = 0; bit < width; ++bit) {
    if (number[bit]) {
      code += (bit == width - 1 && is_signed) ? -(std::int64_t{1} << bit) : std::int64_t{1} << bit;
    }
  }
  return code;
}

template <int W1, int I1, int W, int I, ap_q_mode Q, sc_dt::sc_q_mode ScQ, ap_o_mode O,
          sc_dt::sc_o_mode ScO>
void compare_casts() {
  for (const std::int64_t code : codes<W1>()) {
    const auto source = ap_fixed<W1, I1>::from_raw(code);
    const auto systemc_source = systemc_number<W1, I1>(code);
    const ap_fixed<W, I, Q, O> found = source;
    const sc_dt::sc_fixed<W, I, ScQ, ScO> expected = systemc_source;
    ASSERT_EQ(found.raw(), systemc_code(expected, W, true))
        << "code " << code << " of <" << W1 << "," << I1 << "> to <" << W << "," << I << ">, mode "
        << Q << "/" << O;
    const ap_ufixed<W, I, Q, O> found_unsigned = source;
    const sc_dt::sc_ufixed<W, I, ScQ, ScO> expected_unsigned = systemc_source;
    ASSERT_EQ(static_cast<std::int64_t>(found_unsigned.raw()),
              systemc_code(expected_unsigned, W, false))
        << "code " << code << " of <" << W1 << "," << I1 << "> to unsigned <" << W << "," << I
        << ">, mode " << Q << "/" << O;
  }
}

template <int W1, int I1, int W, int I, ap_q_mode Q, sc_dt::sc_q_mode ScQ>
void compare_overflow_modes() {
  compare_casts<W1, I1, W, I, Q, ScQ, AP_SAT, sc_dt::SC_SAT>();
  compare_casts<W1, I1, W, I, Q, ScQ, AP_SAT_ZERO, sc_dt::SC_SAT_ZERO>();
  compare_casts<W1, I1, W, I, Q, ScQ, AP_SAT_SYM, sc_dt::SC_SAT_SYM>();
  compare_casts<W1, I1, W, I, Q, ScQ, AP_WRAP, sc_dt::SC_WRAP>();
}

template <ap_q_mode Q, sc_dt::sc_q_mode ScQ>
void compare_formats() {
  compare_overflow_modes<20, 8, 12, 4, Q, ScQ>();    // the usual narrowing
  compare_overflow_modes<12, 4, 20, 8, Q, ScQ>();    // wider: exact
  compare_overflow_modes<16, 6, 10, 6, Q, ScQ>();    // only fraction
  compare_overflow_modes<16, 10, 12, 2, Q, ScQ>();   // only integer bits, more fraction
  compare_overflow_modes<12, -2, 8, 0, Q, ScQ>();    // a point left of the number
  compare_overflow_modes<12, 15, 9, 14, Q, ScQ>();   // a point right of the number
  compare_overflow_modes<48, 20, 16, 8, Q, ScQ>();   // an accumulator
  compare_overflow_modes<60, 30, 24, 12, Q, ScQ>();  // one that needs 128 bits inside
}

TEST(Systemc, CastsRoundHalfUp) {
  compare_formats<AP_RND, sc_dt::SC_RND>();
}
TEST(Systemc, CastsTruncate) {
  compare_formats<AP_TRN, sc_dt::SC_TRN>();
}
TEST(Systemc, CastsTruncateToZero) {
  compare_formats<AP_TRN_ZERO, sc_dt::SC_TRN_ZERO>();
}
TEST(Systemc, CastsRoundConvergent) {
  compare_formats<AP_RND_CONV, sc_dt::SC_RND_CONV>();
}
TEST(Systemc, CastsRoundHalfToZero) {
  compare_formats<AP_RND_ZERO, sc_dt::SC_RND_ZERO>();
}
TEST(Systemc, CastsRoundHalfDown) {
  compare_formats<AP_RND_MIN_INF, sc_dt::SC_RND_MIN_INF>();
}
TEST(Systemc, CastsRoundHalfAway) {
  compare_formats<AP_RND_INF, sc_dt::SC_RND_INF>();
}

template <int W1, int I1, int W2, int I2>
void compare_operators() {
  const std::vector<std::int64_t> left = codes<W1>();
  std::vector<std::int64_t> right = codes<W2>();
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::int64_t other = right[(i * 7919) % right.size()];
    const auto a = ap_fixed<W1, I1>::from_raw(left[i]);
    const auto b = ap_fixed<W2, I2>::from_raw(other);
    const auto sa = systemc_number<W1, I1>(left[i]);
    const auto sb = systemc_number<W2, I2>(other);
    const auto product = a * b;
    const auto sum = a + b;
    const auto difference = a - b;
    using Product = decltype(product);
    using Sum = decltype(sum);
    // SystemC's results have no format of their own: any that holds them exactly will do.
    const sc_dt::sc_fixed<Product::width, Product::iwidth> expected_product = sa * sb;
    const sc_dt::sc_fixed<Sum::width, Sum::iwidth> expected_sum = sa + sb;
    const sc_dt::sc_fixed<Sum::width, Sum::iwidth> expected_difference = sa - sb;
    ASSERT_EQ(product.raw(), systemc_code(expected_product, Product::width, true));
    ASSERT_EQ(sum.raw(), systemc_code(expected_sum, Sum::width, true));
    ASSERT_EQ(difference.raw(), systemc_code(expected_difference, Sum::width, true));
    ASSERT_EQ(a < b, sa < sb);
    ASSERT_EQ(a == b, sa == sb);
    ASSERT_EQ(a >= b, sa >= sb);
  }
}

TEST(Systemc, OperatorsAreExact) {
  compare_operators<12, 4, 16, 5>();
  compare_operators<16, 1, 12, 8>();
  compare_operators<18, 2, 28, 10>();
  compare_operators<12, -3, 14, 20>();
  compare_operators<8, 8, 8, 8>();
  compare_operators<30, 10, 33, 12>();
}

template <int W, int I, ap_q_mode Q, sc_dt::sc_q_mode ScQ>
void compare_doubles() {
  std::mt19937_64 random(17);
  std::uniform_real_distribution<double> any(-1.5, 1.5);
  for (int i = 0; i < kRandomValues; ++i) {
    // Multiples of a quarter of the last bit meet every tie; others have a full mantissa.
    double value = std::ldexp(any(random), I - 1);
    if (i % 2 == 0) value = std::ldexp(std::floor(std::ldexp(value, W - I + 2)), I - W - 2);
    const ap_fixed<W, I, Q, AP_SAT> found = value;
    const sc_dt::sc_fixed<W, I, ScQ, sc_dt::SC_SAT> expected = value;
    ASSERT_EQ(found.raw(), systemc_code(expected, W, true)) << value;
    const ap_fixed<W, I, Q, AP_WRAP> wrapped = value;
    const sc_dt::sc_fixed<W, I, ScQ, sc_dt::SC_WRAP> expected_wrapped = value;
    ASSERT_EQ(wrapped.raw(), systemc_code(expected_wrapped, W, true)) << value;
  }
}

TEST(Systemc, DoublesConvert) {
  compare_doubles<12, 4, AP_RND, sc_dt::SC_RND>();
  compare_doubles<12, 4, AP_TRN, sc_dt::SC_TRN>();
  compare_doubles<16, 1, AP_RND_CONV, sc_dt::SC_RND_CONV>();
  compare_doubles<24, 30, AP_RND, sc_dt::SC_RND>();
  compare_doubles<10, -3, AP_RND, sc_dt::SC_RND>();
}

}  // namespace
