// The table of kernels of one instruction set, instantiated.
#pragma once

#include "runtime/kernels/fixed_gates.h"
#include "runtime/kernels/float_gates.h"
#include "runtime/kernels/products.h"
#include "runtime/kernels/transforms.h"

namespace ernn {
namespace kernels {

template <class N>
constexpr FixedGateKernels<Value<N>> gate_kernels() {
  return {fixed_lstm<N>, fixed_gru_gates<N>, fixed_gru_update<N>, fixed_element<N>};
}

template <class Tag>
inline constexpr Kernels kTable = {
    Tag::tile,
    float_forward<Tag>,
    float_inverse<Tag>,
    float_product<Tag>,
    float_dense<Tag>,
    float_lstm<Tag>,
    float_gru_gates<Tag>,
    float_gru_update<Tag>,
    float_element<Tag>,
    pair_forward<Tag>,
    pair_product<Tag>,
    pair_inverse<Tag>,
    pair_columns<Tag>,
    pair_dense<Tag>,
    wide_forward<Tag>,
    wide_product<Tag>,
    wide_inverse<Tag>,
    wide_dense<Tag>,
    fixed_convert<IntNumbers<Tag>>,
    gate_kernels<IntNumbers<Tag>>(),
    gate_kernels<LongNumbers<Tag>>(),
};

}  // namespace kernels
}  // namespace ernn
