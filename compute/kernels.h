// The vector kernels behind training and inference, one table of functions for each instruction
// set.
//
// All matrices are row-major; a stride counts elements between the beginnings of rows.
#pragma once

#include <cstddef>

#include "compute/isa.h"

namespace ernn::compute {

using Index = std::ptrdiff_t;

/// C [rows, columns] = A [rows, depth] B [depth, columns], added to C or to another matrix.
template <class T>
struct ProductArguments {
  Index rows = 0;
  Index depth = 0;
  Index columns = 0;
  const T* a = nullptr;
  Index a_row = 0;    ///< stride between rows of A; 0: A is packed by Kernels::pack_rows()
  Index a_depth = 1;  ///< stride along the depth: 1, or the row stride of a transposed A
  const T* b = nullptr;
  /// 0: B is packed by Kernels::pack(). Else B's stride; its rows must be readable up to the next
  /// multiple of `lanes` columns.
  Index b_row = 0;
  const T* addend = nullptr;  ///< C = addend + A B (addend may be C), or null
  Index addend_row = 0;
  T* c = nullptr;
  Index c_row = 0;
  T* copy = nullptr;  ///< a second place for the result, with c's stride, or null
};

/// Blocks of every row to packed spectra (compute/real_fft.h), a plane for each number of a
/// spectrum: number i of block q of row n goes to spectra[i * plane + n * row + q].
template <class T>
struct TransformArguments {
  Index block = 0;  ///< 2, 4, ... 64
  Index rows = 0;
  Index columns = 0;  ///< of x; what is missing in the last block counts as 0
  const T* x = nullptr;
  Index x_row = 0;
  T* spectra = nullptr;  ///< rows are written up to the next multiple of `lanes` blocks
  Index row = 0;
  Index plane = 0;
  /// When not null, re + im of the complex bins 1 ... block/2 - 1, laid out like the planes, or
  T* sums = nullptr;
  bool differences = false;  ///< re - im in their place
};

/// Packed spectra to rows, without the division by the block size.
template <class T>
struct InverseArguments {
  Index block = 0;  ///< 2, 4, ... 64
  Index rows = 0;
  Index columns = 0;
  const T* spectra = nullptr;  ///< rows are read up to the next multiple of `lanes` blocks
  Index row = 0;
  Index plane = 0;
  const T* addend = nullptr;  ///< y = addend + result (addend may be y), or null
  Index addend_row = 0;
  T* y = nullptr;
  Index y_row = 0;
};

/// One frame of the LSTM of models/lstm.h for a batch, after the matrix products.
template <class T>
struct LstmFrame {
  Index batch = 0;
  Index size = 0;
  T cell_clip = 0;              ///< 0 for none
  const T* peephole = nullptr;  ///< [3, size], or null
  T* gates = nullptr;           ///< [batch, 4 size]: arguments of i, f, g, o in, values out
  const T* previous = nullptr;  ///< [batch, size]: c of the frame before, or null for zeros
  T* cell = nullptr;            ///< [batch, size]: c
  T* hidden = nullptr;          ///< [batch, size]: m
};

/// Its derivatives. tanh(c) is computed again instead of kept: memory is slower.
template <class T>
struct LstmFrameBackward {
  Index batch = 0;
  Index size = 0;
  T cell_clip = 0;
  const T* peephole = nullptr;
  const T* gates = nullptr;     ///< values
  const T* previous = nullptr;  ///< c of the frame before, or null
  const T* cell = nullptr;
  const T* d_hidden = nullptr;  ///< [batch, size]
  T* d_cell = nullptr;          ///< [batch, size]: from the later frame in, for the earlier one out
  T* d_gates = nullptr;         ///< [batch, 4 size]: with respect to the gates' arguments
  T* d_bias = nullptr;          ///< [4 size]: added to
  T* d_peephole = nullptr;      ///< [3, size]: added to; only read with peepholes
};

/// One frame of the GRU of models/gru.h, in two parts with the product of the candidate's recurrent
/// matrix between or before them. Gates are z, r.
template <class T>
struct GruFrame {
  Index batch = 0;
  Index size = 0;
  bool after = false;           ///< reset after the product
  T* gates = nullptr;           ///< [batch, 2 size]: arguments in, values out
  const T* previous = nullptr;  ///< [batch, size]: h of the frame before, or null for zeros
  const T* input = nullptr;     ///< after: W_c x + b_c, rows of `input_row`
  Index input_row = 0;
  /// [batch, size]; before: r . h' is written by gates(); after: U_c h' + b_v, to be read
  T* inner = nullptr;
  T* candidate = nullptr;  ///< [batch, size]: argument in (before), value out
  T* hidden = nullptr;     ///< [batch, size]: h
};

/// Derivatives in two parts as well: candidate() needs d_hidden, gates() also d_inner.
template <class T>
struct GruFrameBackward {
  Index batch = 0;
  Index size = 0;
  bool after = false;
  const T* gates = nullptr;
  const T* previous = nullptr;
  const T* inner = nullptr;
  const T* candidate = nullptr;
  const T* d_hidden = nullptr;  ///< [batch, size]
  T* d_previous = nullptr;      ///< [batch, size]: written, without what the products add
  T* d_input = nullptr;         ///< [batch, 3 size]: with respect to the arguments of z, r, n
  T* d_inner = nullptr;         ///< [batch, size]: after: written; before: read by gates()
};

template <class T>
struct Kernels {
  /// Numbers in a vector.
  Index lanes;
  /// Size of a packed B, in numbers.
  Index (*packed_size)(Index depth, Index columns);
  /// Packs B; element (i, j) is b[i * depth_stride + j * column_stride].
  void (*pack)(const T* b, Index depth_stride, Index column_stride, Index depth, Index columns,
               T* packed);
  /// Packs A [rows, depth], as large as it is; element (i, j) is a[i * row_stride + j]. For an A
  /// that is multiplied by a wide B: rows that are a power of two apart share few cache lines.
  void (*pack_rows)(const T* a, Index row_stride, Index rows, Index depth, T* packed);
  void (*product)(const ProductArguments<T>&);
  void (*transform)(const TransformArguments<T>&);
  void (*inverse)(const InverseArguments<T>&);
  void (*lstm_frame)(const LstmFrame<T>&);
  void (*lstm_frame_backward)(const LstmFrameBackward<T>&);
  void (*gru_gates)(const GruFrame<T>&);
  void (*gru_hidden)(const GruFrame<T>&);
  void (*gru_candidate_backward)(const GruFrameBackward<T>&);
  void (*gru_gates_backward)(const GruFrameBackward<T>&);
};

/// The table of an available instruction set, for float and double.
template <class T>
const Kernels<T>& kernels(Isa isa);

}  // namespace ernn::compute
