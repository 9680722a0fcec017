#include "compute/table_impl.h"

namespace ernn::compute {

template <>
const Kernels<float>& kernels_for<Avx512, float>() {
  static constexpr Kernels<float> table = make_table<Avx512, float>();
  return table;
}

template <>
const Kernels<double>& kernels_for<Avx512, double>() {
  static constexpr Kernels<double> table = make_table<Avx512, double>();
  return table;
}

}  // namespace ernn::compute
