// Guards the speed of the circulant product where clocks cannot: by instructions, counted by
// valgrind's callgrind, against the multiply-adds that the arithmetic needs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "compute/isa.h"

namespace ernn::compute {
namespace {

bool can_count() {
  const auto& isas = available_isas();
  return ERNN_SANITIZED == 0 && std::find(isas.begin(), isas.end(), Isa::avx2) != isas.end() &&
         std::system("valgrind --version > /dev/null 2>&1") == 0;
}

double instructions(int block, int repetitions) {
  const std::string command =
      std::string("valgrind --tool=callgrind --callgrind-out-file=/dev/null ") +
      ERNN_INSTRUCTIONS_PROGRAM + " " + std::to_string(block) + " " + std::to_string(repetitions) +
      " 2>&1";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return 0;
  std::string output;
  char buffer[256];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  pclose(pipe);
  const auto at = output.find("Collected : ");
  EXPECT_NE(at, std::string::npos) << output;
  return at == std::string::npos ? 0 : std::stod(output.substr(at + 12));
}

class Instructions : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Blocks, Instructions, testing::Values(8, 16),
                         testing::PrintToStringParamName());

TEST_P(Instructions, OfACirculantProductStayNearItsMultiplyAdds) {
  if (!can_count()) GTEST_SKIP() << "needs valgrind, AVX2 and a build without sanitizers";
  const int block = GetParam();
  const double found = instructions(block, 2) - instructions(block, 1);
  // 2 real bins and 3 products for each of k/2 - 1 complex ones; 8 numbers an instruction.
  const int products = 2 + 3 * (block / 2 - 1);
  const double needed = products * 32 * (4096.0 / block) * (1024.0 / block) / 8;
  EXPECT_GT(found, needed);
  // Found with GCC 12: 2.3 and 2.8, where each multiply-add is one of about two instructions (it
  // reads its operands, the loop runs) and the transforms are the rest.
  EXPECT_LT(found, (block == 8 ? 2.5 : 3.0) * needed);
}

}  // namespace
}  // namespace ernn::compute
