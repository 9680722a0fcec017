// Compiled with the flags of its instruction set, and only called where the processor has it.
#include <immintrin.h>

#include "runtime/kernels/table.h"

namespace ernn {
namespace kernels {

namespace {

struct Registers {
  using Set = compute::Avx2;
  static constexpr int lanes = Set::kBytes / 4;
  static constexpr int tile = 2;
  typedef float Floats __attribute__((vector_size(32)));
  typedef std::int32_t Ints __attribute__((vector_size(32)));
  typedef std::uint32_t Words __attribute__((vector_size(32)));
  typedef std::int64_t Longs __attribute__((vector_size(32)));
  typedef std::int32_t HalfInts __attribute__((vector_size(16)));

  /// sum + w.low x.low + w.high x.high of 16-bit halves, modulo 2^32.
  ERNN_INLINE static Ints add_pairs(Ints sum, Ints w, Ints x) {
    const auto products = _mm256_madd_epi16(bits_as<__m256i>(w), bits_as<__m256i>(x));
    return bits_as<Ints>(_mm256_add_epi32(bits_as<__m256i>(sum), products));
  }

  ERNN_INLINE static Ints gather(const std::int32_t* table, Ints index) {
    return bits_as<Ints>(_mm256_i32gather_epi32(table, bits_as<__m256i>(index), 4));
  }
};

}  // namespace

const Kernels& avx2_kernels() {
  return kTable<Registers>;
}

}  // namespace kernels
}  // namespace ernn
