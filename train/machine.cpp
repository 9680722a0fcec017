#include "train/machine.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "compute/blas.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace ernn {

namespace {
constexpr int kSize = 512;
constexpr int kRepeats = 2;
/// Debian's reference BLAS reaches about 5, OpenBLAS 30 to 90 on one core.
constexpr double kSlow = 15;
}  // namespace

void set_threads(int threads) {
  torch::set_num_threads(threads);
  // Without OpenMP OpenBLAS does not follow LibTorch's count.
  using SetThreads = void (*)(int);
  const auto set_openblas =
      reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set_openblas != nullptr) set_openblas(openblas_threads_spin() ? 1 : threads);
}

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

double measure_gemm() {
  const torch::NoGradGuard no_grad;
  const torch::Tensor a = torch::ones({kSize, kSize});
  double best_seconds = 1e9;
  for (int i = 0; i < kRepeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const torch::Tensor product = torch::mm(a, a);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best_seconds = std::min(best_seconds, taken.count());
  }
  return 2.0 * kSize * kSize * kSize / best_seconds / 1e9;
}

std::string slow_gemm_warning(double gflops) {
  if (gflops >= kSlow) return "";
  return fmt::format(
      "warning: matrix products run at {:.1f} GFLOP/s, expected 30 or more a core: LibTorch uses a "
      "slow BLAS or the machine is busy; installing libopenblas0-pthread helps with the former",
      gflops);
}

}  // namespace ernn
