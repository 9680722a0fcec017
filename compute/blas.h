// The BLAS that LibTorch calls.
#pragma once

#include <string>

namespace ernn {

/// The environment variable that makes OpenBLAS use the kernels of the processor it names.
constexpr const char* kBlasCoreVariable = "OPENBLAS_CORETYPE";

/// What to set it to for kernels that this processor has; empty without AVX2.
std::string vector_blas_core();

/// Name of the processor that OpenBLAS has chosen its kernels for; empty with another BLAS.
std::string openblas_core();

/// Whether BLAS is an OpenBLAS with threads of its own, not OpenMP's: those spin while they wait
/// for the next product, on cores that others need.
bool openblas_threads_spin();

/// OpenBLAS takes an x86-64 processor that is newer than itself for a Prescott, of 2004, and then
/// multiplies matrices at a fifth of the speed or less. When that has happened on a processor with
/// AVX2, this starts the program again with OPENBLAS_CORETYPE set to vector_blas_core(); otherwise,
/// also when the variable is set already, it returns. To be called first in main.
void restart_with_vector_blas(char** argv);

}  // namespace ernn
