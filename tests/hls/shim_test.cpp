// What SystemC does not cover of the host's ap_int, ap_fixed and hls::stream: bit access, shifts,
// widths of results, the edges of 64 bits.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hls/shim/ap_fixed.h"
#include "hls/shim/ap_int.h"
#include "hls/shim/hls_stream.h"

namespace {

template <class T>
constexpr int width(const T& /*number*/) {
  return T::width;
}
template <class T>
constexpr int integer(const T& /*number*/) {
  return T::iwidth;
}

TEST(Shim, ResultsHaveTheDocumentedWidths) {
  const ap_fixed<12, 4> a;
  const ap_fixed<16, 3> b;
  const ap_ufixed<10, 6> u;
  EXPECT_EQ(width(a * b), 28);
  EXPECT_EQ(integer(a * b), 7);
  EXPECT_EQ(width(a + b), 5 + 13);
  EXPECT_EQ(integer(a + b), 5);
  EXPECT_EQ(integer(a + u), 8);  // the unsigned operand needs a sign first
  EXPECT_EQ(width(-a), 13);
  EXPECT_TRUE((decltype(u - u)::is_signed));
  EXPECT_FALSE((decltype(u + u)::is_signed));
  const ap_int<20> i;
  const ap_uint<20> j;
  EXPECT_EQ(width(i + i), 21);
  EXPECT_EQ(width(i + j), 22);
  EXPECT_EQ(width(i * j), 40);
}

TEST(Shim, BitsAreReadAndWritten) {
  ap_fixed<12, 4> x = -1.5;
  EXPECT_EQ(x.raw(), -384);
  const ap_uint<12> bits = x.range(11, 0);
  EXPECT_EQ(bits.raw(), 0xE80U);
  const ap_int<12> code = x.range(11, 0);
  EXPECT_EQ(code.raw(), -384);
  EXPECT_EQ(ap_uint<4>(x.range(11, 8)).raw(), 14U);
  x.range(11, 8) = ap_uint<4>(2);
  EXPECT_EQ(x.raw(), 0x280);
  x.range(11, 0) = ap_int<12>(-1);
  EXPECT_EQ(x.raw(), -1);
  EXPECT_TRUE(x[11]);
  ap_uint<64> wide;
  wide.range(63, 0) = ap_int<64>(-1);
  EXPECT_EQ(wide.raw(), std::numeric_limits<std::uint64_t>::max());
}

TEST(Shim, ShiftsKeepTheType) {
  const ap_int<8> x = -100;
  EXPECT_EQ((x >> 3).raw(), -13);
  EXPECT_EQ((x << 1).raw(), 56);
  EXPECT_EQ((x >> 70).raw(), -1);
  EXPECT_EQ((x << 8).raw(), 0);
  EXPECT_EQ((ap_uint<8>(200) >> 3).raw(), 25U);
}

TEST(Shim, EdgesOfSixtyFourBits) {
  const std::int64_t low = std::numeric_limits<std::int64_t>::min();
  const std::int64_t high = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(ap_int<64>(low).raw(), low);
  EXPECT_EQ((ap_fixed<63, 63, AP_RND, AP_SAT>(ap_int<64>(low)).raw()), low / 2);
  EXPECT_EQ((ap_fixed<64, 64, AP_RND, AP_SAT>(ap_int<64>(high)).raw()), high);
  EXPECT_EQ((ap_ufixed<64, 64, AP_RND, AP_SAT>(ap_int<64>(low)).raw()), 0U);
  EXPECT_EQ((ap_fixed<64, 60, AP_RND, AP_SAT>(ap_fixed<64, 64>(high)).raw()), high);
  EXPECT_EQ((ap_fixed<32, 32, AP_RND, AP_SAT>(ap_fixed<64, 32>::from_raw(high)).raw()),
            std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ((ap_fixed<8, 4, AP_RND, AP_SAT>(std::numeric_limits<double>::infinity()).raw()), 127);
  EXPECT_EQ((ap_fixed<8, 4, AP_RND, AP_SAT>(-1e300).raw()), -128);
  EXPECT_EQ((ap_fixed<8, 4>(std::nan("")).raw()), 0);
  EXPECT_EQ((ap_fixed<8, 4>(1e-300).raw()), 0);
  EXPECT_EQ((ap_fixed<8, 4>(-1e-300).raw()), -1);
}

TEST(Shim, ComparisonsAreExactAcrossFormats) {
  const auto a = ap_fixed<60, 2>::from_raw((std::int64_t{1} << 58) + 1);  // just above 1
  const ap_int<60> one = 1;
  EXPECT_TRUE(a > one);
  EXPECT_FALSE(a == one);
  EXPECT_TRUE(ap_int<8>(-1) < ap_uint<8>(0));
}

TEST(Shim, IntegerPartIsTowardsZero) {
  EXPECT_EQ((ap_fixed<12, 8>(-14.5).to_int()), -14);
  EXPECT_EQ((ap_fixed<12, 8>(14.5).to_int()), 14);
  EXPECT_EQ((ap_fixed<12, 8>(-14.5).to_double()), -14.5);
}

TEST(Shim, CompoundAssignmentGoesThroughTheType) {
  ap_fixed<8, 4, AP_RND, AP_SAT> x = 7;
  x += ap_fixed<8, 4>(3);
  EXPECT_EQ(x.raw(), 127);
  x -= ap_fixed<8, 4>(7.5);
  EXPECT_EQ(x.to_double(), 0.4375);
  x *= ap_fixed<8, 4>(2);
  EXPECT_EQ(x.to_double(), 0.875);
}

TEST(Shim, StreamsKeepOrderAndRefuseToReadNothing) {
  hls::stream<int> stream("numbers");
  for (int i = 0; i < 5000; ++i) {
    stream.write(2 * i);
    stream << 2 * i + 1;
    EXPECT_EQ(stream.read(), i);
  }
  EXPECT_EQ(stream.size(), 5000U);
  for (int i = 5000; i < 10000; ++i) ASSERT_EQ(stream.read(), i);
  int unchanged = 3;
  EXPECT_FALSE(stream.read_nb(unchanged));
  EXPECT_THROW(stream.read(), std::logic_error);
}

}  // namespace
