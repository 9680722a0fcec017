// What the machine's LibTorch can do.
#pragma once

#include <string>

namespace ernn {

/// Sets the number of threads of LibTorch's operators.
void set_threads(int threads);

/// Rate of single-precision 512 x 512 matrix products, in GFLOP/s; takes some 0.1 s at most.
double measure_gemm();

/// One line of advice when products are so slow that the reference BLAS must be at work, else "".
std::string slow_gemm_warning(double gflops);

}  // namespace ernn
