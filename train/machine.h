// What the machine's LibTorch can do.
#pragma once

#include <string>

namespace ernn {

/// Sets the number of threads of LibTorch's operators, of the layers and of the BLAS below them. An
/// OpenBLAS whose threads would spin (compute/blas.h) keeps one: the layers divide its products.
void set_threads(int threads);

/// Lets the C library keep what LibTorch frees: activations of a batch are larger than the size at
/// which it would return memory to the system each time, to take it anew in the next step.
/// Does nothing on other libraries than glibc.
void keep_freed_memory();

/// Rate of single-precision 512 x 512 matrix products, in GFLOP/s; takes some 0.1 s at most.
double measure_gemm();

/// One line of advice when products are so slow that the reference BLAS must be at work, else "".
std::string slow_gemm_warning(double gflops);

}  // namespace ernn
