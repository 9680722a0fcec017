#include "compute/table_impl.h"

namespace ernn::compute {

template <>
const Kernels<float>& kernels_for<Portable, float>() {
  static constexpr Kernels<float> table = make_table<Portable, float>();
  return table;
}

template <>
const Kernels<double>& kernels_for<Portable, double>() {
  static constexpr Kernels<double> table = make_table<Portable, double>();
  return table;
}

}  // namespace ernn::compute
