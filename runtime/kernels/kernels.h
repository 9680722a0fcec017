// The inner loops of the runtime: what they take, and the table of them that each instruction set
// provides. Plain data only: the translation units behind it are compiled for processors that may
// not be this one, so nothing here may become a function that the linker could pick for others.
//
// Values of a vector of n elements in blocks of k are kept in *planes*: element u at
// [(u mod k) * stride + u / k]. A register then holds one element of many blocks, transforms need
// no shuffles, and elementwise work does not care. Strides are multiples of kGroup; what lies
// between the last block and the stride is garbage that nothing reads back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ernn {

/// Output blocks that weights are stored together by: one 64-byte register of floats.
inline constexpr int kGroup = 16;

/// Transforms of `blocks` blocks of k in planes.
struct TransformPlan {
  int k = 0;
  int blocks = 0;
  std::ptrdiff_t from_stride = 0;
  std::ptrdiff_t to_stride = 0;
};

/// A rounding shift and a limit (docs/arithmetic.md, "Narrowing"), T = int32 or int64. One of the
/// shifts is 0; with `left`, what lies beyond low_in and high_in is limited before the shift.
template <class T>
struct Narrowing {
  T right = 0, left = 0;
  T low = 0, high = 0;
  T low_in = 0, high_in = 0;
};

/// Weights of a matrix in the order in which they are read: by bin (k/2 of them, the first holds
/// the two real ones), by tile of up to `tile` groups of output blocks, by block column, by group:
/// kGroup real parts, then kGroup imaginary parts (pairs of 16 bits: kGroup pairs). Dense matrices
/// have one bin, rows in place of block rows, and no imaginary part (pairs: two columns at once).
template <class Weight>
struct ProductPlan {
  const Weight* weights = nullptr;
  int bins = 0;
  int groups = 0;
  int columns = 0;                 ///< block columns; dense pairs: pairs of columns
  std::ptrdiff_t from_stride = 0;  ///< of the input's spectrum
  std::ptrdiff_t to_stride = 0;    ///< of the sums
};

/// 16-bit pairs: sums that provably fit 32 bits within a segment of block columns.
struct PairProductPlan {
  ProductPlan<std::int32_t> product;
  const int* segment_ends = nullptr;  ///< [segments], the last is `columns`
  int segments = 0;
  /// What a segment's sums begin with, [segments, bins, 2, groups * kGroup]; null for dense.
  const std::int32_t* start = nullptr;
  Narrowing<std::int32_t> narrow;       ///< of a single segment
  Narrowing<std::int64_t> narrow_wide;  ///< of the sum of several
};

/// 32-bit codes and 64-bit sums, for whatever the pairs cannot prove.
struct WideProductPlan {
  ProductPlan<std::int32_t> product;
  Narrowing<std::int64_t> narrow;
};

/// Where a layer's units are: `planes` x `blocks` in planes of `stride`; gates follow each other by
/// `blocks` within planes of `gate_stride`.
struct UnitPlan {
  int planes = 0;
  int blocks = 0;
  std::ptrdiff_t stride = 0;
  std::ptrdiff_t gate_stride = 0;
};

/// Null pointers stand for what a layer does not have.
struct FloatLstmPlan {
  UnitPlan units;
  const float* bias = nullptr;      ///< in gate planes: i, f, g, o
  const float* peephole = nullptr;  ///< three times unit planes: i, f, o
  float clip = 0;                   ///< 0: none
};

struct FloatGruPlan {
  UnitPlan units;
  std::ptrdiff_t state_stride = 0;        ///< gate planes of the recurrent product (z, r)
  const float* bias = nullptr;            ///< in gate planes: z, r, candidate
  const float* candidate_bias = nullptr;  ///< in unit planes; reset after
};

enum class ElementFunction : int { none, relu, sigmoid, tanh };

/// A table of docs/arithmetic.md; `packed` holds base << slope_bits | slope where that fits.
struct TablePlan {
  const std::int32_t* packed = nullptr;
  const std::int32_t* base = nullptr;
  const std::int32_t* slope = nullptr;
  int slope_bits = 0;
  int shift = 0;           ///< D
  std::int64_t limit = 0;  ///< first |argument| beyond the range
  std::int64_t last = 0;
  std::int64_t mirror = 0;  ///< result for -x is mirror - t: 0 (tanh) or 1.0 (sigmoid)
  std::int64_t largest = 0;
};

/// Left shifts align the terms of a sum.
template <class T>
struct FixedLstmPlan {
  UnitPlan units;
  const std::int32_t* bias = nullptr;
  const std::int32_t* peephole = nullptr;
  int input_shift = 0, state_shift = 0, bias_shift = 0, peephole_shift = 0;
  Narrowing<T> preactivation;
  int forget_shift = 0, write_shift = 0;
  Narrowing<T> cell;
  T clip = 0;  ///< 0: none
  Narrowing<T> argument;
  Narrowing<T> hidden;
  TablePlan sigmoid, tanh;
};

template <class T>
struct FixedGruPlan {
  UnitPlan units;
  std::ptrdiff_t state_stride = 0;
  bool reset_after = false;
  const std::int32_t* bias = nullptr;
  const std::int32_t* candidate_bias = nullptr;
  int input_shift = 0, state_shift = 0, bias_shift = 0;
  Narrowing<T> preactivation;
  Narrowing<T> reset_hidden;                        ///< reset before
  int product_shift = 0, candidate_bias_shift = 0;  ///< reset after: v = product + bias
  Narrowing<T> reset_argument;                      ///< reset after
  int candidate_input_shift = 0, candidate_shift = 0, candidate_gate_bias_shift = 0;
  Narrowing<T> candidate;
  T one = 0;  ///< 1.0 in the gate format
  int keep_shift = 0, write_shift = 0;
  Narrowing<T> hidden;
  TablePlan sigmoid, tanh;
};

template <class T>
struct FixedElementPlan {
  UnitPlan units;
  ElementFunction function = ElementFunction::none;
  const std::int32_t* bias = nullptr;
  int product_shift = 0, bias_shift = 0;
  Narrowing<T> result;  ///< of the sum: the output, or the table's argument
  TablePlan table;
};

/// The elementwise part of fixed-point layers in one width of arithmetic.
template <class T>
struct FixedGateKernels {
  /// `input`, `state` in gate planes; `cell` in and out; `hidden` out.
  void (*lstm)(const FixedLstmPlan<T>&, const std::int32_t* input, const std::int32_t* state,
               std::int32_t* cell, std::int32_t* hidden);
  /// `update` takes z; `reset` takes the reset hidden state (before) or the gate r (after).
  void (*gru_gates)(const FixedGruPlan<T>&, const std::int32_t* input, const std::int32_t* state,
                    const std::int32_t* hidden, std::int32_t* update, std::int32_t* reset);
  void (*gru_update)(const FixedGruPlan<T>&, const std::int32_t* input,
                     const std::int32_t* candidate, const std::int32_t* update,
                     const std::int32_t* reset, std::int32_t* hidden);
  void (*element)(const FixedElementPlan<T>&, const std::int32_t* product, std::int32_t* out);
};

/// Everything one instruction set provides.
struct Kernels {
  int tile = 1;  ///< groups that products read together

  /// Planes of blocks to planes of packed spectra.
  void (*float_forward)(const TransformPlan&, const float* from, float* to);
  /// Packed sums to planes of blocks; from == to is allowed.
  void (*float_inverse)(const TransformPlan&, const float* from, float* to);
  /// `sums` are set, or added to.
  void (*float_product)(const ProductPlan<float>&, const float* spectrum, float* sums, bool add);
  void (*float_dense)(const ProductPlan<float>&, const float* input, float* output, bool add);
  /// `state` may be null when `input` holds both products.
  void (*float_lstm)(const FloatLstmPlan&, const float* input, const float* state, float* cell,
                     float* hidden);
  void (*float_gru_gates)(const FloatGruPlan&, const float* input, const float* state,
                          const float* hidden, float* update, float* reset);
  void (*float_gru_update)(const FloatGruPlan&, const float* input, const float* candidate,
                           const float* update, const float* reset, float* hidden);
  void (*float_element)(const UnitPlan&, ElementFunction, const float* bias, const float* product,
                        float* out);

  /// Spectra as two pairs a bin: (Re, ~Im) and (Im, Re), or (Re0, 0) and (0, Re(k/2)).
  void (*pair_forward)(const TransformPlan&, const Narrowing<std::int32_t>&,
                       const std::int32_t* from, std::int32_t* to);
  void (*pair_product)(const PairProductPlan&, const std::int32_t* spectrum, std::int32_t* sums);
  void (*pair_inverse)(const TransformPlan&, const Narrowing<std::int32_t>&,
                       const std::int32_t* from, std::int32_t* to);
  /// `columns` pairs out of natural order; an odd last column gets a zero from behind the end.
  void (*pair_columns)(const std::int32_t* from, std::int32_t* to, int columns);
  void (*pair_dense)(const PairProductPlan&, const std::int32_t* pairs, std::int32_t* output);

  void (*wide_forward)(const TransformPlan&, const Narrowing<std::int64_t>&,
                       const std::int32_t* from, std::int32_t* to);
  void (*wide_product)(const WideProductPlan&, const std::int32_t* spectrum, std::int32_t* sums);
  void (*wide_inverse)(const TransformPlan&, const Narrowing<std::int64_t>&,
                       const std::int32_t* from, std::int32_t* to);
  void (*wide_dense)(const WideProductPlan&, const std::int32_t* input, std::int32_t* output);

  /// `count` codes narrowed to another format.
  void (*convert)(const Narrowing<std::int32_t>&, const std::int32_t* from, std::int32_t* to,
                  std::ptrdiff_t count);

  FixedGateKernels<std::int32_t> gates32;
  FixedGateKernels<std::int64_t> gates64;
};

}  // namespace ernn
