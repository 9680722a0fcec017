#include "base/tables.h"

#include <gtest/gtest.h>

namespace ernn {
namespace {

TEST(Tables, ColumnsArePaddedByCharactersAndNumbersSetToTheRight) {
  EXPECT_EQ(markdown({{"what", "PER ± %", "n"}, {"µ", "+9.5 (0.1)", "1"}, {"loss", "–", "20"}}),
            "| what |    PER ± % |   n |\n"
            "| ---- | ---------: | --: |\n"
            "| µ    | +9.5 (0.1) |   1 |\n"
            "| loss |          – |  20 |\n");
}

TEST(Tables, OneWordMakesAColumnOfWords) {
  EXPECT_EQ(markdown({{"k"}, {"8"}, {"9 of"}}),
            "| k    |\n"
            "| ---- |\n"
            "| 8    |\n"
            "| 9 of |\n");
}

}  // namespace
}  // namespace ernn
