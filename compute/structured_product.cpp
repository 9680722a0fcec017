#include "compute/structured_product.h"

#include <algorithm>

namespace ernn::compute {

namespace {

// Rows transformed and multiplied at a time: their spectra stay in the second-level cache.
constexpr Index kChunk = 64;

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

// The order of the packed matrices is that in which multiply_bins() reads them: bins 0 and k/2,
// then three of each complex bin.
template <class T>
void StructuredProduct<T>::pack_spectrum(const T* weight) {
  const Index k = size_.block;
  const Index p = size_.block_rows();
  AlignedBuffer<T> memory;
  const SpectraRows<T> spectra =
      new_spectra(size_.block_cols(), p, operand_planes(k), kernels_.lanes, memory);
  const Index columns = size_.block_cols() * k;
  transform<T>(kernels_, k, {weight, columns}, p, columns, Operand::input, spectra);
  const Index size = p * spectra.row;
  // The inverse transforms do not divide by the block size.
  const T scale = T(1) / static_cast<T>(k);
  for (Index number = 0; number < k; ++number) {
    for (Index i = 0; i < size; ++i) spectra.number(number)[i] *= scale;
  }
  packed_.reserve(sum_planes(k) * one_);
  T* to = packed_.data();
  to = pack(spectra.number(0), spectra.row, to);
  to = pack(spectra.number(1), spectra.row, to);
  AlignedBuffer<T> combined(size);
  const auto pack_sum = [&](T re_sign, const T* re, T im_sign, const T* im) {
    for (Index i = 0; i < size; ++i) combined.data()[i] = re_sign * re[i] + im_sign * im[i];
    to = pack(combined.data(), spectra.row, to);
  };
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    const T* const re = spectra.number(2 * bin);
    const T* const im = spectra.number(2 * bin + 1);
    if (forward_) {
      pack_sum(1, re, 0, im);
      pack_sum(-1, re, -1, im);
      pack_sum(-1, re, 1, im);
    } else {
      pack_sum(0, re, -1, im);
      pack_sum(1, re, 1, im);
      pack_sum(1, re, -1, im);
    }
  }
}

template <class T>
void StructuredProduct<T>::multiply(Rows<const T> x, Index n, Rows<const T> addend, Rows<T> y,
                                    ProductScratch<T>& scratch) const {
  if (size_.block == 1) return multiply_dense(x, n, addend, y, scratch);
  const Index k = size_.block;
  const SpectraRows<T> spectra =
      new_spectra(inputs_, std::min(kChunk, n), operand_planes(k), kernels_.lanes, scratch.input);
  for (Index begin = 0; begin < n; begin += kChunk) {
    const Index count = std::min(kChunk, n - begin);
    transform<T>(kernels_, k, x.from(begin), count, forward_ ? size_.cols : size_.rows,
                 forward_ ? Operand::input : Operand::derivative, spectra);
    multiply_spectra(spectra, count, addend.data == nullptr ? addend : addend.from(begin),
                     y.from(begin), scratch);
  }
}

template <class T>
void StructuredProduct<T>::multiply_dense(Rows<const T> x, Index n, Rows<const T> addend, Rows<T> y,
                                          ProductScratch<T>& scratch) const {
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
}

template <class T>
void StructuredProduct<T>::multiply_spectra(SpectraRows<const T> x, Index n, Rows<const T> addend,
                                            Rows<T> y, ProductScratch<T>& scratch) const {
  const Index k = size_.block;
  for (Index begin = 0; begin < n; begin += kChunk) {
    const Index count = std::min(kChunk, n - begin);
    const SpectraRows<T> spectra = new_spectra(outputs_, count, k, kernels_.lanes, scratch.output);
    multiply_bins(x.from(begin), count, spectra);
    inverse<T>(kernels_, k, spectra, count, forward_ ? size_.rows : size_.cols,
               addend.data == nullptr ? addend : addend.from(begin), y.from(begin));
  }
}

// With weights w + jv and x = a + jb the way forward takes w (a + b), which is common to the real
// part w a - v b and the imaginary part w b + v a. The way back takes w - jv and a - b, because
// that is what the gradients of the weights read too (WeightGradient::add_spectra()): -v (a - b) is
// common to w a + v b and w b - v a.
template <class T>
void StructuredProduct<T>::multiply_bins(SpectraRows<const T> x, Index n, SpectraRows<T> y) const {
  const Index k = size_.block;
  const T* packed = packed_.data();
  const auto product = [&](Index x_number, T* to, const T* addend, T* copy) {
    ProductArguments<T> arguments;
    arguments.rows = n;
    arguments.depth = inputs_;
    arguments.columns = outputs_;
    arguments.a = x.number(x_number);
    arguments.a_row = x.row;
    arguments.b = packed;
    arguments.addend = addend;
    arguments.addend_row = y.row;
    arguments.c = to;
    arguments.c_row = y.row;
    arguments.copy = copy;
    kernels_.product(arguments);
    packed += one_;
  };
  product(0, y.number(0), nullptr, nullptr);
  product(1, y.number(1), nullptr, nullptr);
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    T* const re = y.number(2 * bin);
    T* const im = y.number(2 * bin + 1);
    product(k + bin - 1, re, nullptr, im);
    product(forward_ ? 2 * bin + 1 : 2 * bin, re, re, nullptr);
    product(forward_ ? 2 * bin : 2 * bin + 1, im, im, nullptr);
  }
}

template <class T>
WeightGradient<T>::WeightGradient(Isa isa, MatrixSize size)
    : kernels_(kernels<T>(isa)),
      size_(size),
      sums_(new_spectra(size.block_cols(), size.block_rows(), sum_planes(size.block),
                        kernels_.lanes, memory_)) {}

// For dY = c + jd and X = a + jb, dY conj(X) = (ca + db) + j (da - cb) and
// da - cb = ca - db - (c - d)(a + b): the sums of ca, db and (c - d)(a + b) are kept.
template <class T>
void WeightGradient<T>::add_spectra(SpectraRows<const T> x, SpectraRows<const T> dy, Index n) {
  if (n == 0) return;
  const Index k = size_.block;
  Index plane = 0;
  const auto product = [&](Index number) {
    ProductArguments<T> arguments;
    T* const to = sums_.number(plane++);
    arguments.rows = size_.block_rows();
    arguments.depth = n;
    arguments.columns = size_.block_cols();
    arguments.a = dy.number(number);
    arguments.a_row = 1;
    arguments.a_depth = dy.row;
    arguments.b = x.number(number);
    arguments.b_row = x.row;
    arguments.addend = empty_ ? nullptr : to;
    arguments.addend_row = sums_.row;
    arguments.c = to;
    arguments.c_row = sums_.row;
    kernels_.product(arguments);
  };
  product(0);
  product(1);
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    product(2 * bin);
    product(2 * bin + 1);
    product(k + bin - 1);
  }
  empty_ = false;
}

template <class T>
void WeightGradient<T>::add(const WeightGradient& other) {
  if (other.empty_) return;
  const Index size = size_.block_rows() * sums_.row;
  for (Index plane = 0; plane < sum_planes(size_.block); ++plane) {
    T* const to = sums_.number(plane);
    const T* const from = other.sums_.number(plane);
    for (Index i = 0; i < size; ++i) to[i] = empty_ ? from[i] : to[i] + from[i];
  }
  empty_ = false;
}

template <class T>
void WeightGradient<T>::finish(T* gradient, ProductScratch<T>& scratch) {
  const Index k = size_.block;
  const Index columns = size_.block_cols() * k;
  if (empty_) {
    std::fill_n(gradient, size_.block_rows() * columns, T(0));
    return;
  }
  const T scale = T(1) / static_cast<T>(k);
  const SpectraRows<T> spectra =
      new_spectra(size_.block_cols(), size_.block_rows(), k, kernels_.lanes, scratch.output);
  const Index size = size_.block_rows() * sums_.row;
  for (Index number = 0; number < 2; ++number) {
    for (Index i = 0; i < size; ++i) spectra.number(number)[i] = scale * sums_.number(number)[i];
  }
  for (Index bin = 1; bin <= complex_bins(k); ++bin) {
    const T* const ca = sums_.number(3 * bin - 1);
    const T* const db = sums_.number(3 * bin);
    const T* const third = sums_.number(3 * bin + 1);
    T* const re = spectra.number(2 * bin);
    T* const im = spectra.number(2 * bin + 1);
    for (Index i = 0; i < size; ++i) {
      re[i] = scale * (ca[i] + db[i]);
      im[i] = scale * (ca[i] - db[i] - third[i]);
    }
  }
  inverse<T>(kernels_, k, spectra, size_.block_rows(), columns, {}, {gradient, columns});
}

template class StructuredProduct<float>;
template class StructuredProduct<double>;
template class WeightGradient<float>;
template class WeightGradient<double>;

}  // namespace ernn::compute
