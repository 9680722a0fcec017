#include "train/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

#include "train/machine.h"

namespace ernn {
namespace {

TEST(Interrupt, TheFirstSignalOnlyAsks) {
  const InterruptGuard guard;
  EXPECT_FALSE(InterruptGuard::requested());
  std::raise(SIGTERM);
  EXPECT_TRUE(InterruptGuard::requested());
}

TEST(Machine, WarnsOfSlowProductsOnly) {
  EXPECT_EQ(slow_gemm_warning(60), "");
  EXPECT_NE(slow_gemm_warning(5).find("libopenblas"), std::string::npos);
  EXPECT_GT(measure_gemm(), 0);
}

}  // namespace
}  // namespace ernn
