// Multiplies 32 rows by a circulant matrix [4096, 1024] as often as the arguments say: for
// instructions_test.cpp, which counts what one product takes.
//
// instructions_program BLOCK REPETITIONS
#include <cstdlib>
#include <vector>

#include "compute/structured_product.h"

int main(int argc, char** argv) {
  using namespace ernn::compute;
  if (argc != 3) return 2;
  const MatrixSize size{4096, 1024, std::atoi(argv[1])};
  constexpr Index kRows = 32;
  const std::vector<float> weight(
      static_cast<std::size_t>(size.block_rows() * size.block_cols() * size.block), 0.5F);
  const std::vector<float> x(static_cast<std::size_t>(kRows * size.cols), 0.25F);
  std::vector<float> y(static_cast<std::size_t>(kRows * size.rows));
  // The machine that counts knows no AVX-512.
  const StructuredProduct<float> product(ernn::Isa::avx2, size,
                                         StructuredProduct<float>::Side::forward, weight.data());
  ProductScratch<float> scratch;
  for (int i = 0; i < std::atoi(argv[2]); ++i)
    product.multiply({x.data(), size.cols}, kRows, {}, {y.data(), size.rows}, scratch);
  return y[0] > 0 ? 0 : 1;
}
