// Products with a weight matrix that is dense or block-circulant, many input rows at a time.
//
// Circulant blocks are multiplied in the frequency domain: every input block is transformed once,
// each bin is a matrix product over the blocks (bins between 0 and k/2 are complex and take three
// real products), every output block is transformed back once. With c [p, q, k] the first columns
// of the blocks of W [rows, cols] (models/circulant.h) and F the transform:
//
//   y = x W^T:              Y_i = sum_j F(c_ij) X_j
//   dx = dy W:              dX_j = sum_i conj(F(c_ij)) dY_i
//   dc_ij = sum over rows:  F^-1( dY_i conj(X_j) )
#pragma once

#include "compute/aligned_buffer.h"
#include "compute/kernels.h"
#include "compute/spectra.h"

namespace ernn::compute {

/// A matrix [rows, cols] with square circulant blocks of `block`, 1 for a dense one.
struct MatrixSize {
  Index rows = 0;
  Index cols = 0;
  Index block = 1;

  Index block_rows() const { return (rows + block - 1) / block; }
  Index block_cols() const { return (cols + block - 1) / block; }
};

/// Working memory of one thread, to be kept between calls.
template <class T>
struct ProductScratch {
  AlignedBuffer<T> input;
  AlignedBuffer<T> output;
  AlignedBuffer<T> packed;
};

/// y = x M for M = W^T or M = W, with the weights packed for one instruction set.
template <class T>
class StructuredProduct {
 public:
  enum class Side {
    forward,   ///< x [n, cols] to x W^T [n, rows]
    backward,  ///< x [n, rows] to x W [n, cols]
  };

  /// @param weight [rows, cols], or first columns [block_rows, block_cols, block]
  StructuredProduct(Isa isa, MatrixSize size, Side side, const T* weight);

  /// y = x M, or addend + x M (addend may be y).
  void multiply(Rows<const T> x, Index n, Rows<const T> addend, Rows<T> y,
                ProductScratch<T>& scratch) const;
  /// The same of a circulant matrix from the spectra of x: Operand::input on the way forward,
  /// Operand::derivative on the way back.
  void multiply_spectra(SpectraRows<const T> x, Index n, Rows<const T> addend, Rows<T> y,
                        ProductScratch<T>& scratch) const;

 private:
  void pack_spectrum(const T* weight);
  T* pack(const T* plane, Index row, T* to) const;
  void multiply_dense(Rows<const T> x, Index n, Rows<const T> addend, Rows<T> y,
                      ProductScratch<T>& scratch) const;
  void multiply_bins(SpectraRows<const T> x, Index n, SpectraRows<T> y) const;

  const Kernels<T>& kernels_;
  MatrixSize size_;
  bool forward_;
  Index inputs_;   // blocks of x, or numbers when dense
  Index outputs_;  // of y
  Index one_;      // size of one packed matrix
  AlignedBuffer<T> packed_;
};

/// Collects dc of a block-circulant matrix over many calls. (For a dense one dy^T x is a single
/// product that any BLAS does well.)
template <class T>
class WeightGradient {
 public:
  WeightGradient(Isa isa, MatrixSize size);

  /// Adds the spectra of the rows x [n, cols] and dy [n, rows].
  void add_spectra(SpectraRows<const T> x, SpectraRows<const T> dy, Index n);
  /// Adds what another one of the same size has collected.
  void add(const WeightGradient& other);
  /// Writes the sum, [block_rows, block_cols, block].
  void finish(T* gradient, ProductScratch<T>& scratch);

 private:
  const Kernels<T>& kernels_;
  MatrixSize size_;
  AlignedBuffer<T> memory_;
  SpectraRows<T> sums_;  // of products, sum_planes(block)
  bool empty_ = true;
};

}  // namespace ernn::compute
