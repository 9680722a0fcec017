#include "compute/kernels.h"

namespace ernn::compute {

struct Portable;
struct Avx2;
struct Avx512;

// Each is defined in the translation unit with the set's compiler flags.
template <class Set, class T>
const Kernels<T>& kernels_for();
template <>
const Kernels<float>& kernels_for<Portable, float>();
template <>
const Kernels<double>& kernels_for<Portable, double>();
template <>
const Kernels<float>& kernels_for<Avx2, float>();
template <>
const Kernels<double>& kernels_for<Avx2, double>();
template <>
const Kernels<float>& kernels_for<Avx512, float>();
template <>
const Kernels<double>& kernels_for<Avx512, double>();

template <class T>
const Kernels<T>& kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return kernels_for<Avx512, T>();
  if (isa == Isa::avx2) return kernels_for<Avx2, T>();
#else
  (void)isa;
#endif
  return kernels_for<Portable, T>();
}

template const Kernels<float>& kernels<float>(Isa);
template const Kernels<double>& kernels<double>(Isa);

}  // namespace ernn::compute
