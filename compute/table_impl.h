// Puts the kernels of one instruction set into its table. Included once for each set, in a
// translation unit with the compiler flags of the set.
#pragma once

#include "compute/frames_impl.h"
#include "compute/product_impl.h"
#include "compute/transform_impl.h"

namespace ernn::compute {

template <class Set, class T>
const Kernels<T>& kernels_for();

template <class Set, class T>
constexpr Kernels<T> make_table() {
  return {kLanes<Set, T>,
          MatrixProduct<Set, T>::packed_size,
          MatrixProduct<Set, T>::pack,
          MatrixProduct<Set, T>::pack_rows,
          MatrixProduct<Set, T>::product,
          BlockTransform<Set, T>::transform,
          BlockTransform<Set, T>::inverse,
          Frames<Set, T>::lstm,
          Frames<Set, T>::lstm_backward,
          Frames<Set, T>::gru_gates,
          Frames<Set, T>::gru_hidden,
          Frames<Set, T>::gru_candidate_backward,
          Frames<Set, T>::gru_gates_backward};
}

}  // namespace ernn::compute
