#include "compute/shared_derivatives.h"

#include <algorithm>

namespace ernn::compute {

namespace {

// Rows of a chunk: fewer, and the sums of gradients are read and written more often; more, and the
// spectra leave the second-level cache.
constexpr Index kChunk = 64;

}  // namespace

template <class T>
SharedDerivatives<T>::SharedDerivatives(Isa isa, const std::vector<SharedMatrix<T>>& matrices,
                                        Index largest)
    : isa_(isa), capacity_(std::max(kChunk, largest)) {
  for (const auto& matrix : matrices) {
    const MatrixSize& size = matrix.size;
    std::size_t source = 0;
    while (source < sources_.size() && sources_[source].spectra.block() != size.block) ++source;
    if (source == sources_.size()) {
      sources_.push_back(
          {SpectraBuffer<T>(isa, size.block, size.rows, Operand::derivative, capacity_), {}});
    }
    matrices_.push_back({matrix, WeightGradient<T>(isa, size), source});
  }
}

template <class T>
void SharedDerivatives<T>::take(Rows<const T> dy, Index n, Index first) {
  if (rows_ + n > capacity_) flush();
  for (auto& source : sources_) source.last = source.spectra.prepend(dy, n);
  if (!segments_.empty() && segments_.back().first == first + n) {
    segments_.back() = {first, segments_.back().count + n};
  } else {
    segments_.push_back({first, n});
  }
  rows_ += n;
}

template <class T>
void SharedDerivatives<T>::flush() {
  for (auto& matrix : matrices_) add_chunk(matrix);
  for (auto& source : sources_) source.spectra.clear();
  segments_.clear();
  rows_ = 0;
}

template <class T>
void SharedDerivatives<T>::add_chunk(Matrix& matrix) {
  const SharedMatrix<T>& shared = matrix.shared;
  const Index block = shared.size.block;
  const Kernels<T>& table = kernels<T>(isa_);
  const SpectraRows<const T> dy = sources_[matrix.source].spectra.all();
  const SpectraRows<T> x =
      new_spectra(shared.size.block_cols(), rows_, operand_planes(block), table.lanes, x_memory_);
  Index row = 0;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    transform<T>(table, block, shared.x.from(segment->first), segment->count, shared.size.cols,
                 Operand::input, x.from(row));
    row += segment->count;
  }
  matrix.gradient.add_spectra(x, dy, rows_);
  if (shared.backward == nullptr) return;
  row = 0;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    const Rows<T> dx = shared.dx.from(segment->first);
    const Rows<const T> addend = shared.adds ? Rows<const T>(dx) : Rows<const T>{};
    shared.backward->multiply_spectra(dy.from(row), segment->count, addend, dx, scratch_);
    row += segment->count;
  }
}

template <class T>
void SharedDerivatives<T>::add(std::size_t i, const SharedDerivatives& other) {
  matrices_[i].gradient.add(other.matrices_[i].gradient);
}

template <class T>
void SharedDerivatives<T>::finish(std::size_t i, T* gradient) {
  matrices_[i].gradient.finish(gradient, scratch_);
}

template class SharedDerivatives<float>;
template class SharedDerivatives<double>;

}  // namespace ernn::compute
