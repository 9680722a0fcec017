#include "compute/blas.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "compute/isa.h"

namespace ernn {

std::string vector_blas_core() {
  switch (best_isa()) {
    case Isa::avx512:
      return "SkylakeX";
    case Isa::avx2:
      return "Haswell";
    case Isa::portable:
      break;
  }
  return "";
}

std::string openblas_core() {
  using CoreName = char* (*)();
  const auto core_name = reinterpret_cast<CoreName>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return core_name == nullptr ? "" : core_name();
}

bool openblas_threads_spin() {
  constexpr int kOwnThreads = 1;  // openblas_get_parallel(): 0 is none, 2 is OpenMP's
  using Parallel = int (*)();
  static const auto parallel =
      reinterpret_cast<Parallel>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
  return parallel != nullptr && parallel() == kOwnThreads;
}

void restart_with_vector_blas(char** argv) {
  if (std::getenv(kBlasCoreVariable) != nullptr || openblas_core() != "Prescott") return;
  const std::string core = vector_blas_core();
  if (core.empty()) return;
  setenv(kBlasCoreVariable, core.c_str(), 1);
  // By its own name, which tools like ps show.
  std::error_code error;
  execv(std::filesystem::read_symlink("/proc/self/exe", error).c_str(), argv);
  unsetenv(kBlasCoreVariable);  // not started again: go on as before
}

}  // namespace ernn
