// The BLAS that LibTorch calls.
#pragma once

#include <string>

namespace ernn {

/// Name of the processor that OpenBLAS has chosen its kernels for; empty with another BLAS.
std::string openblas_core();

/// OpenBLAS takes an x86-64 processor that is newer than itself for a Prescott, of 2004, and then
/// multiplies matrices at a fifth of the speed or less. When that has happened on a processor with
/// AVX2, this starts the program again with OPENBLAS_CORETYPE set to kernels that the processor
/// has; otherwise, also when the variable is set already, it returns. To be called first in main.
void restart_with_vector_blas(char** argv);

}  // namespace ernn
