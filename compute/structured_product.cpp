#include "compute/structured_product.h"

#include <algorithm>

namespace ernn::compute {

namespace {

// Rows transformed and multiplied at a time: their spectra stay in the second-level cache.
constexpr Index kChunk = 64;

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

// Planes of a spectrum: k numbers, and behind them re + im or re - im of the complex bins.
Index complex_bins(Index block) {
  return block / 2 - 1;
}
Index operand_planes(Index block) {
  return block + complex_bins(block);
}
// Real matrices that a product with all bins takes, or a gradient collects.
Index sum_planes(Index block) {
  return 2 + 3 * complex_bins(block);
}

template <class T>
void transform(const Kernels<T>& kernels, Index block, Rows<const T> x, Index n, Index columns,
               Index row, T* spectra, bool differences = false) {
  TransformArguments<T> arguments;
  arguments.block = block;
  arguments.rows = n;
  arguments.columns = columns;
  arguments.x = x.data;
  arguments.x_row = x.stride;
  arguments.spectra = spectra;
  arguments.row = row;
  arguments.plane = plane_stride<T>(n, row);
  arguments.sums = block > 2 ? spectra + block * arguments.plane : nullptr;
  arguments.differences = differences;
  kernels.transform(arguments);
}

}  // namespace

template <class T>
StructuredProduct<T>::StructuredProduct(Isa isa, MatrixSize size, Side side, const T* weight)
    : kernels_(kernels<T>(isa)),
      size_(size),
      forward_(side == Side::forward),
      inputs_(forward_ ? size.block_cols() : size.block_rows()),
      outputs_(forward_ ? size.block_rows() : size.block_cols()),
      one_(kernels_.packed_size(inputs_, outputs_)) {
  if (size_.block == 1) {
    packed_.reserve(one_);
    pack(weight, size_.cols, packed_.data());
  } else {
    pack_spectrum(weight);
  }
}

// Packs a plane [block_rows, block_cols] for products with rows from its right or left side.
template <class T>
T* StructuredProduct<T>::pack(const T* plane, Index row, T* to) const {
  kernels_.pack(plane, forward_ ? 1 : row, forward_ ? row : 1, inputs_, outputs_, to);
  return to + one_;
}

// The order of the packed matrices is that in which multiply_spectra() reads them: bins 0 and k/2,
// then re, -(re + im) and im - re of each complex bin (of the conjugate on the way back).
template <class T>
void StructuredProduct<T>::pack_spectrum(const T* weight) {
  const Index k = size_.block;
  const Index p = size_.block_rows();
  const Index row = row_stride<T>(size_.block_cols(), kernels_.lanes);
  const Index size = p * row;
  const Index plane = plane_stride<T>(p, row);
  AlignedBuffer<T> spectra(operand_planes(k) * plane);
  transform<T>(kernels_, k, {weight, size_.block_cols() * k}, p, size_.block_cols() * k, row,
               spectra.data());
  // The inverse transforms do not divide by the block size.
  const T scale = T(1) / static_cast<T>(k);
  for (Index number = 0; number < k; ++number) {
    T* const values = spectra.data() + number * plane;
    for (Index i = 0; i < size; ++i) values[i] *= scale;
  }
  packed_.reserve(sum_planes(k) * one_);
  T* to = packed_.data();
  to = pack(spectra.data(), row, to);
  to = pack(spectra.data() + plane, row, to);
  AlignedBuffer<T> combined(size);
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    const T* const re = spectra.data() + 2 * bin * plane;
    const T* const im = re + plane;
    const T sign = forward_ ? T(1) : T(-1);
    to = pack(re, row, to);
    for (Index i = 0; i < size; ++i) combined.data()[i] = -(re[i] + sign * im[i]);
    to = pack(combined.data(), row, to);
    for (Index i = 0; i < size; ++i) combined.data()[i] = sign * im[i] - re[i];
    to = pack(combined.data(), row, to);
  }
}

template <class T>
void StructuredProduct<T>::multiply(Rows<const T> x, Index n, Rows<const T> addend, Rows<T> y,
                                    ProductScratch<T>& scratch) const {
  if (size_.block == 1) {
    ProductArguments<T> product;
    product.rows = n;
    product.depth = inputs_;
    product.columns = outputs_;
    T* const rows = scratch.packed.reserve(n * inputs_);
    kernels_.pack_rows(x.data, x.stride, n, inputs_, rows);
    product.a = rows;
    product.b = packed_.data();
    product.addend = addend.data;
    product.addend_row = addend.stride;
    product.c = y.data;
    product.c_row = y.stride;
    kernels_.product(product);
    return;
  }
  const Index k = size_.block;
  const Index x_row = row_stride<T>(inputs_, kernels_.lanes);
  const Index y_row = row_stride<T>(outputs_, kernels_.lanes);
  T* const x_spectra = scratch.input.reserve(operand_planes(k) * plane_stride<T>(kChunk, x_row));
  T* const y_spectra = scratch.output.reserve(k * plane_stride<T>(kChunk, y_row));
  for (Index begin = 0; begin < n; begin += kChunk) {
    const Index count = std::min(kChunk, n - begin);
    transform<T>(kernels_, k, x.from(begin), count, forward_ ? size_.cols : size_.rows, x_row,
                 x_spectra);
    multiply_spectra(count, x_spectra, y_spectra);
    InverseArguments<T> inverse;
    inverse.block = k;
    inverse.rows = count;
    inverse.columns = forward_ ? size_.rows : size_.cols;
    inverse.spectra = y_spectra;
    inverse.row = y_row;
    inverse.plane = plane_stride<T>(count, y_row);
    if (addend.data != nullptr) {
      inverse.addend = addend.from(begin).data;
      inverse.addend_row = addend.stride;
    }
    inverse.y = y.from(begin).data;
    inverse.y_row = y.stride;
    kernels_.inverse(inverse);
  }
}

// (a + jb)(re + j im): re (a + b) is common to both parts.
template <class T>
void StructuredProduct<T>::multiply_spectra(Index n, const T* x, T* y) const {
  const Index k = size_.block;
  const Index x_row = row_stride<T>(inputs_, kernels_.lanes);
  const Index y_row = row_stride<T>(outputs_, kernels_.lanes);
  const Index x_plane = plane_stride<T>(n, x_row);
  const Index y_plane = plane_stride<T>(n, y_row);
  const T* packed = packed_.data();
  const auto product = [&](Index x_number, T* to, const T* addend, T* copy) {
    ProductArguments<T> arguments;
    arguments.rows = n;
    arguments.depth = inputs_;
    arguments.columns = outputs_;
    arguments.a = x + x_number * x_plane;
    arguments.a_row = x_row;
    arguments.b = packed;
    arguments.addend = addend;
    arguments.addend_row = y_row;
    arguments.c = to;
    arguments.c_row = y_row;
    arguments.copy = copy;
    kernels_.product(arguments);
    packed += one_;
  };
  product(0, y, nullptr, nullptr);
  product(1, y + y_plane, nullptr, nullptr);
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    T* const re = y + 2 * bin * y_plane;
    T* const im = re + y_plane;
    product(k + bin - 1, re, nullptr, im);
    product(2 * bin + 1, re, re, nullptr);
    product(2 * bin, im, im, nullptr);
  }
}

template <class T>
WeightGradient<T>::WeightGradient(Isa isa, MatrixSize size)
    : kernels_(kernels<T>(isa)),
      size_(size),
      width_(row_stride<T>(size.block_cols(), kernels_.lanes)),
      plane_(plane_stride<T>(size.block_rows(), width_)) {
  sums_.reserve(sum_planes(size_.block) * plane_);
}

template <class T>
void WeightGradient<T>::add(Rows<const T> x, Rows<const T> dy, Index n,
                            ProductScratch<T>& scratch) {
  const Index k = size_.block;
  const Index dy_row = row_stride<T>(size_.block_rows(), kernels_.lanes);
  T* const x_spectra = scratch.input.reserve(operand_planes(k) * plane_stride<T>(kChunk, width_));
  T* const dy_spectra = scratch.output.reserve(operand_planes(k) * plane_stride<T>(kChunk, dy_row));
  for (Index begin = 0; begin < n; begin += kChunk) {
    const Index count = std::min(kChunk, n - begin);
    transform<T>(kernels_, k, x.from(begin), count, size_.cols, width_, x_spectra);
    transform<T>(kernels_, k, dy.from(begin), count, size_.rows, dy_row, dy_spectra, true);
    add_spectra(count, x_spectra, dy_spectra);
    empty_ = false;
  }
}

// For dY = c + jd and X = a + jb, dY conj(X) = (ca + db) + j (da - cb) and
// da - cb = ca - db - (c - d)(a + b): the sums of ca, db and (c - d)(a + b) are kept.
template <class T>
void WeightGradient<T>::add_spectra(Index n, const T* x, const T* dy) {
  const Index k = size_.block;
  const Index x_plane = plane_stride<T>(n, width_);
  const Index dy_row = row_stride<T>(size_.block_rows(), kernels_.lanes);
  const Index dy_plane = plane_stride<T>(n, dy_row);
  T* to = sums_.data();
  const auto product = [&](Index dy_number, Index x_number) {
    ProductArguments<T> arguments;
    arguments.rows = size_.block_rows();
    arguments.depth = n;
    arguments.columns = size_.block_cols();
    arguments.a = dy + dy_number * dy_plane;
    arguments.a_row = 1;
    arguments.a_depth = dy_row;
    arguments.b = x + x_number * x_plane;
    arguments.b_row = width_;
    arguments.addend = empty_ ? nullptr : to;
    arguments.addend_row = width_;
    arguments.c = to;
    arguments.c_row = width_;
    kernels_.product(arguments);
    to += plane_;
  };
  product(0, 0);
  product(1, 1);
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    product(2 * bin, 2 * bin);
    product(2 * bin + 1, 2 * bin + 1);
    product(k + bin - 1, k + bin - 1);
  }
}

template <class T>
void WeightGradient<T>::finish(T* gradient, ProductScratch<T>& scratch) {
  const Index k = size_.block;
  if (empty_) std::fill_n(sums_.data(), sum_planes(k) * plane_, T(0));
  const T scale = T(1) / static_cast<T>(k);
  T* const spectra = scratch.output.reserve(k * plane_);
  const Index size = size_.block_rows() * width_;
  for (Index i = 0; i < size; ++i) {
    spectra[i] = scale * sums_.data()[i];
    spectra[plane_ + i] = scale * sums_.data()[plane_ + i];
  }
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    const T* const ca = sums_.data() + (3 * bin - 1) * plane_;
    const T* const db = ca + plane_;
    const T* const third = db + plane_;
    T* const re = spectra + 2 * bin * plane_;
    T* const im = re + plane_;
    for (Index i = 0; i < size; ++i) {
      re[i] = scale * (ca[i] + db[i]);
      im[i] = scale * (ca[i] - db[i] - third[i]);
    }
  }
  InverseArguments<T> inverse;
  inverse.block = k;
  inverse.rows = size_.block_rows();
  inverse.columns = size_.block_cols() * k;
  inverse.spectra = spectra;
  inverse.row = width_;
  inverse.plane = plane_;
  inverse.y = gradient;
  inverse.y_row = inverse.columns;
  kernels_.inverse(inverse);
}

template class StructuredProduct<float>;
template class StructuredProduct<double>;
template class WeightGradient<float>;
template class WeightGradient<double>;

}  // namespace ernn::compute
