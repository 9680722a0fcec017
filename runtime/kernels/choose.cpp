#include "runtime/kernels/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/options.h"
#include "base/text.h"

namespace ernn {

namespace kernels {

// Each is defined in the translation unit with the set's compiler flags.
const Kernels& portable_kernels();
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();

}  // namespace kernels

const Kernels& kernels_for(Isa isa) {
  const std::vector<Isa>& available = available_isas();
  if (std::find(available.begin(), available.end(), isa) == available.end()) {
    std::vector<std::string> names;
    names.reserve(available.size());
    for (const Isa known : available) names.emplace_back(name_of(known));
    throw UsageError(fmt::format("this processor cannot run {} instructions; available: {}",
                                 name_of(isa), join(names, ", ")));
  }
#if defined(__x86_64__)
  if (isa == Isa::avx512) return kernels::avx512_kernels();
  if (isa == Isa::avx2) return kernels::avx2_kernels();
#endif
  return kernels::portable_kernels();
}

}  // namespace ernn
