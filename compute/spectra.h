// Spectra of many rows of blocks, laid out for the products of bins.
//
// Number i of block q of row n (in the order of compute/real_fft.h) is data[i * plane + n * row +
// q]. Behind the `block` numbers stands one more for each complex bin, which the form with three
// multiplications takes: re + im for inputs x of products, re - im for derivatives dy of their
// results. Both kinds meet in the gradient of a weight.
#pragma once

#include "compute/aligned_buffer.h"
#include "compute/kernels.h"

namespace ernn::compute {

/// Rows of numbers, possibly with something between them.
template <class T>
struct Rows {
  T* data = nullptr;
  Index stride = 0;

  Rows<T> from(Index row) const { return {data + row * stride, stride}; }
  operator Rows<const T>() const { return {data, stride}; }
};

/// Spectra of rows.
template <class T>
struct SpectraRows {
  T* data = nullptr;
  Index row = 0;
  Index plane = 0;

  SpectraRows<T> from(Index n) const { return {data + n * row, row, plane}; }
  T* number(Index i) const { return data + i * plane; }
  operator SpectraRows<const T>() const { return {data, row, plane}; }
};

enum class Operand { input, derivative };

inline Index complex_bins(Index block) {
  return block / 2 - 1;
}
/// Planes of an operand's spectra.
inline Index operand_planes(Index block) {
  return block + complex_bins(block);
}
/// Real matrices that a product with all bins takes, or a gradient collects.
inline Index sum_planes(Index block) {
  return 2 + 3 * complex_bins(block);
}

/// Room for `planes` planes of n rows of `blocks` blocks.
template <class T>
SpectraRows<T> new_spectra(Index blocks, Index n, Index planes, Index lanes,
                           AlignedBuffer<T>& memory);

/// Transforms x [n, columns]; what is missing in the last block counts as 0. Throws
/// std::invalid_argument for a block size other than 2, 4, ... 64, as does inverse().
template <class T>
void transform(const Kernels<T>& kernels, Index block, Rows<const T> x, Index n, Index columns,
               Operand operand, SpectraRows<T> spectra);

/// y = addend + the rows of `spectra`, without the division by the block size (addend may be y, or
/// have no data).
template <class T>
void inverse(const Kernels<T>& kernels, Index block, SpectraRows<const T> spectra, Index n,
             Index columns, Rows<const T> addend, Rows<T> y);

/// Spectra that are collected from the last row to the first.
template <class T>
class SpectraBuffer {
 public:
  SpectraBuffer(Isa isa, Index block, Index columns, Operand operand, Index capacity);

  /// Transforms n rows to before those that are there; they must fit.
  SpectraRows<const T> prepend(Rows<const T> x, Index n);
  void clear() { rows_ = 0; }

  Index block() const { return block_; }
  SpectraRows<const T> all() const { return spectra_.from(capacity_ - rows_); }

 private:
  const Kernels<T>& kernels_;
  Index block_;
  Index columns_;
  Operand operand_;
  Index capacity_;
  Index rows_ = 0;
  AlignedBuffer<T> memory_;
  SpectraRows<T> spectra_;
};

}  // namespace ernn::compute
