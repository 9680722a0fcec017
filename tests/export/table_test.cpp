#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "export/activation_table.h"

namespace ernn {
namespace {

double exact(Activation kind, double x) {
  return kind == Activation::tanh ? std::tanh(x) : 1 / (1 + std::exp(-x));
}

struct Case {
  Activation kind;
  Format preactivation;
  Format gate;
};

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const Activation kind : {Activation::sigmoid, Activation::tanh}) {
    for (int bits = 6; bits <= 16; ++bits) {
      for (const int integer : {1, 2, 4, 6}) list.push_back({kind, {bits + 4, integer}, {bits, 1}});
    }
    list.push_back({kind, {12, 11}, {12, 1}});
  }
  return list;
}

// Every code of the argument against the C library, independently of table_error().
TEST(ActivationTable, WithinOneBitOfTheFunctionForEveryCode) {
  for (const Case& c : cases()) {
    const ActivationTable table = make_table(c.kind, c.preactivation, c.gate, 0);
    double worst = 0;
    for (std::int64_t v = c.preactivation.smallest(); v <= c.preactivation.largest(); ++v) {
      const double ideal =
          std::ldexp(exact(c.kind, dequantise(v, c.preactivation)), c.gate.fraction());
      const std::int64_t code = table_lookup(table, v, c.preactivation, c.gate);
      ASSERT_GE(code, c.gate.smallest());
      ASSERT_LE(code, c.gate.largest());
      const double limited = std::min(ideal, static_cast<double>(c.gate.largest()));
      worst = std::max(worst, std::abs(static_cast<double>(code) - limited));
    }
    EXPECT_LE(worst, 1.0) << (c.kind == Activation::tanh ? "tanh " : "sigmoid ")
                          << c.preactivation.text() << c.gate.text();
    EXPECT_NEAR(worst, table_error(table, c.preactivation, c.gate), 1e-9);
  }
}

TEST(ActivationTable, ZeroIsExactAndTheFunctionNeverFalls) {
  for (const Case& c : cases()) {
    const ActivationTable table = make_table(c.kind, c.preactivation, c.gate, 0);
    const std::int64_t middle =
        c.kind == Activation::tanh ? 0 : std::int64_t{1} << (c.gate.fraction() - 1);
    EXPECT_EQ(table_lookup(table, 0, c.preactivation, c.gate), middle);
    std::int64_t before = table_lookup(table, c.preactivation.smallest(), c.preactivation, c.gate);
    for (std::int64_t v = c.preactivation.smallest(); v <= c.preactivation.largest(); ++v) {
      const std::int64_t code = table_lookup(table, v, c.preactivation, c.gate);
      ASSERT_GE(code, before) << v << " " << c.preactivation.text() << c.gate.text();
      before = code;
    }
  }
}

TEST(ActivationTable, TakesTheFewestSegments) {
  for (const Case& c : cases()) {
    const ActivationTable table = make_table(c.kind, c.preactivation, c.gate, 0);
    EXPECT_EQ(table.base.size(), std::size_t{1} << table.segments_log2);
    EXPECT_EQ(table.slope.size(), table.base.size());
    if (table.segments_log2 < 2) continue;
    const ActivationTable coarser =
        make_table(c.kind, c.preactivation, c.gate, 1 << (table.segments_log2 - 1));
    EXPECT_GT(table_error(coarser, c.preactivation, c.gate), 1.0);
  }
  // The figures of the default width.
  EXPECT_EQ(make_table(Activation::sigmoid, {16, 5}, {12, 1}, 0).base.size(), 64U);
  EXPECT_EQ(make_table(Activation::tanh, {16, 5}, {12, 1}, 0).base.size(), 64U);
}

TEST(ActivationTable, RefusesWhatCannotBe) {
  EXPECT_THROW(make_table(Activation::tanh, {12, 16}, {12, 1}, 0), UsageError);
  EXPECT_THROW(make_table(Activation::tanh, {12, 11}, {12, 1}, 256), UsageError);
  EXPECT_NO_THROW(make_table(Activation::tanh, {12, 11}, {12, 1}, 8));
}

}  // namespace
}  // namespace ernn
