#include "compute/table_impl.h"

namespace ernn::compute {

template <>
const Kernels<float>& kernels_for<Avx2, float>() {
  static constexpr Kernels<float> table = make_table<Avx2, float>();
  return table;
}

template <>
const Kernels<double>& kernels_for<Avx2, double>() {
  static constexpr Kernels<double> table = make_table<Avx2, double>();
  return table;
}

}  // namespace ernn::compute
