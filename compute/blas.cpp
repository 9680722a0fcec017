#include "compute/blas.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

#include "compute/isa.h"

namespace ernn {

namespace {
constexpr const char* kCoreVariable = "OPENBLAS_CORETYPE";
}

std::string openblas_core() {
  using CoreName = char* (*)();
  const auto core_name = reinterpret_cast<CoreName>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return core_name == nullptr ? "" : core_name();
}

void restart_with_vector_blas(char** argv) {
  if (std::getenv(kCoreVariable) != nullptr || openblas_core() != "Prescott") return;
  const Isa isa = best_isa();
  if (isa == Isa::portable) return;
  setenv(kCoreVariable, isa == Isa::avx512 ? "SkylakeX" : "Haswell", 1);
  execv("/proc/self/exe", argv);
  unsetenv(kCoreVariable);  // not started again: go on as before
}

}  // namespace ernn
