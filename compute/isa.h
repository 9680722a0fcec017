// Instruction sets the vector kernels are compiled for, and which of them this processor has.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ernn {

/// portable: whatever every processor of the compiler's target has.
enum class Isa { portable, avx2, avx512 };

const std::vector<std::pair<Isa, const char*>>& enum_names(Isa);

/// Those that were compiled in and that this processor and its operating system support, the
/// fastest last; `portable` is always there.
const std::vector<Isa>& available_isas();

/// The fastest.
Isa best_isa();

}  // namespace ernn
