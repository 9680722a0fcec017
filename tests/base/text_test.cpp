#include "base/text.h"

#include <gtest/gtest.h>

namespace ernn {
namespace {

TEST(Text, SplitsAndTrims) {
  EXPECT_EQ(split_words("  a\tbc \n"), (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(trim("  x y \r\n"), "x y");
  EXPECT_EQ(trim(" \t"), "");
}

TEST(Text, NumbersMustBeWholeTexts) {
  long long integer = 0;
  double number = 0;
  EXPECT_TRUE(parse_int("-12", integer));
  EXPECT_EQ(integer, -12);
  EXPECT_FALSE(parse_int("12x", integer));
  EXPECT_FALSE(parse_int("", integer));
  EXPECT_TRUE(parse_double("1e-3", number));
  EXPECT_DOUBLE_EQ(number, 1e-3);
  EXPECT_FALSE(parse_double("1e-3 ", number));
}

// They would pass every check of the kind "less than 0 is refused".
TEST(Text, NanAndInfinityAreNoNumbers) {
  double number = 0;
  for (const char* text : {"nan", "NaN", "-nan", "nan(1)", "inf", "-inf", "Infinity", "1e999"})
    EXPECT_FALSE(parse_double(text, number)) << text;
}

TEST(Text, SuggestsTheNearestNameOnly) {
  EXPECT_EQ(nearest_name("epohcs", {"epochs", "optimiser"}), "epochs");
  EXPECT_EQ(nearest_name("colour", {"epochs", "optimiser"}), "");
  EXPECT_EQ(nearest_name("mo", {"mu", "tau"}), "mu");
  EXPECT_EQ(nearest_name("K", {"mu", "k"}), "k");
  // Names that have no letter in common.
  EXPECT_EQ(nearest_name("k", {"mu"}), "");
  EXPECT_EQ(nearest_name("k", {"q"}), "");
  EXPECT_EQ(nearest_name("lr", {"mu"}), "");
}

}  // namespace
}  // namespace ernn
