// For every processor: 16-byte registers of the compiler's vector extension.
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "runtime/kernels/table.h"

namespace ernn {
namespace kernels {

namespace {

struct Registers {
  using Set = compute::Portable;
  static constexpr int lanes = Set::kBytes / 4;
  static constexpr int tile = 1;
  typedef float Floats __attribute__((vector_size(16)));
  typedef std::int32_t Ints __attribute__((vector_size(16)));
  typedef std::uint32_t Words __attribute__((vector_size(16)));
  typedef std::int64_t Longs __attribute__((vector_size(16)));
  typedef std::int32_t HalfInts __attribute__((vector_size(8)));

  /// sum + w.low x.low + w.high x.high of 16-bit halves, modulo 2^32.
  ERNN_INLINE static Ints add_pairs(Ints sum, Ints w, Ints x) {
#if defined(__SSE2__)
    return bits_as<Ints>(_mm_add_epi32(bits_as<__m128i>(sum),
                                       _mm_madd_epi16(bits_as<__m128i>(w), bits_as<__m128i>(x))));
#else
    const Ints low = ((w << 16) >> 16) * ((x << 16) >> 16);
    const Ints high = (w >> 16) * (x >> 16);
    return bits_as<Ints>(bits_as<Words>(sum) + bits_as<Words>(low) + bits_as<Words>(high));
#endif
  }

  ERNN_INLINE static Ints gather(const std::int32_t* table, Ints index) {
    return Ints{table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
  }
};

}  // namespace

const Kernels& portable_kernels() {
  return kTable<Registers>;
}

}  // namespace kernels
}  // namespace ernn
