#include "compute/spectra.h"

#include <stdexcept>
#include <string>

namespace ernn::compute {

namespace {

// The kernels take any other size for the nearest one that they have.
void check_block(Index block) {
  if (block >= 2 && block <= 64 && (block & (block - 1)) == 0) return;
  throw std::invalid_argument("circulant blocks of size " + std::to_string(block) +
                              ", expected 2, 4, 8, 16, 32 or 64");
}

// Stride of the rows of a plane of spectra: whole vectors, and not a multiple of 512 bytes, since
// numbers of many rows would then fight for few places in the cache.
template <class T>
Index row_stride(Index blocks, Index lanes) {
  const Index row = (blocks + lanes - 1) / lanes * lanes;
  return row * static_cast<Index>(sizeof(T)) % 512 == 0 ? row + lanes : row;
}

// Stride of the planes: a cache line more than their content, so that the planes that a transform
// writes together lie in different sets of the cache.
template <class T>
Index plane_stride(Index rows, Index row) {
  return rows * row + 64 / static_cast<Index>(sizeof(T));
}

}  // namespace

template <class T>
SpectraRows<T> new_spectra(Index blocks, Index n, Index planes, Index lanes,
                           AlignedBuffer<T>& memory) {
  const Index row = row_stride<T>(blocks, lanes);
  const Index plane = plane_stride<T>(n, row);
  return {memory.reserve(planes * plane), row, plane};
}

template <class T>
void transform(const Kernels<T>& kernels, Index block, Rows<const T> x, Index n, Index columns,
               Operand operand, SpectraRows<T> spectra) {
  check_block(block);
  TransformArguments<T> arguments;
  arguments.block = block;
  arguments.rows = n;
  arguments.columns = columns;
  arguments.x = x.data;
  arguments.x_row = x.stride;
  arguments.spectra = spectra.data;
  arguments.row = spectra.row;
  arguments.plane = spectra.plane;
  arguments.sums = block > 2 ? spectra.number(block) : nullptr;
  arguments.differences = operand == Operand::derivative;
  kernels.transform(arguments);
}

template <class T>
void inverse(const Kernels<T>& kernels, Index block, SpectraRows<const T> spectra, Index n,
             Index columns, Rows<const T> addend, Rows<T> y) {
  check_block(block);
  InverseArguments<T> arguments;
  arguments.block = block;
  arguments.rows = n;
  arguments.columns = columns;
  arguments.spectra = spectra.data;
  arguments.row = spectra.row;
  arguments.plane = spectra.plane;
  arguments.addend = addend.data;
  arguments.addend_row = addend.stride;
  arguments.y = y.data;
  arguments.y_row = y.stride;
  kernels.inverse(arguments);
}

template <class T>
SpectraBuffer<T>::SpectraBuffer(Isa isa, Index block, Index columns, Operand operand,
                                Index capacity)
    : kernels_(kernels<T>(isa)),
      block_(block),
      columns_(columns),
      operand_(operand),
      capacity_(capacity),
      spectra_(new_spectra<T>((columns + block - 1) / block, capacity, operand_planes(block),
                              kernels_.lanes, memory_)) {}

template <class T>
SpectraRows<const T> SpectraBuffer<T>::prepend(Rows<const T> x, Index n) {
  rows_ += n;
  const SpectraRows<T> to = spectra_.from(capacity_ - rows_);
  transform<T>(kernels_, block_, x, n, columns_, operand_, to);
  return to;
}

template SpectraRows<float> new_spectra(Index, Index, Index, Index, AlignedBuffer<float>&);
template SpectraRows<double> new_spectra(Index, Index, Index, Index, AlignedBuffer<double>&);
template void transform(const Kernels<float>&, Index, Rows<const float>, Index, Index, Operand,
                        SpectraRows<float>);
template void transform(const Kernels<double>&, Index, Rows<const double>, Index, Index, Operand,
                        SpectraRows<double>);
template void inverse(const Kernels<float>&, Index, SpectraRows<const float>, Index, Index,
                      Rows<const float>, Rows<float>);
template void inverse(const Kernels<double>&, Index, SpectraRows<const double>, Index, Index,
                      Rows<const double>, Rows<double>);
template class SpectraBuffer<float>;
template class SpectraBuffer<double>;

}  // namespace ernn::compute
