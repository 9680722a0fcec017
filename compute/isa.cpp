#include "compute/isa.h"

namespace ernn {

const std::vector<std::pair<Isa, const char*>>& enum_names(Isa) {
  static const std::vector<std::pair<Isa, const char*>> names = {
      {Isa::portable, "portable"}, {Isa::avx2, "avx2"}, {Isa::avx512, "avx512"}};
  return names;
}

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = [] {
    std::vector<Isa> found = {Isa::portable};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
      found.push_back(Isa::avx2);
      if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
          __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0)
        found.push_back(Isa::avx512);
    }
#endif
    return found;
  }();
  return isas;
}

Isa best_isa() {
  return available_isas().back();
}

}  // namespace ernn
