#include "models/cpu_matrix.h"

#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <vector>

#include "compute/blas.h"
#include "compute/shared_derivatives.h"
#include "models/operation.h"

namespace ernn::cpu {

using compute::MatrixSize;
using compute::ProductScratch;
using compute::Rows;
using compute::SharedDerivatives;
using compute::SharedMatrix;
using compute::StructuredProduct;
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

bool supports(const Tensor& x) {
  return x.device().is_cpu() &&
         (x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kDouble);
}

MatrixSize matrix_size(const Tensor& weight, int64_t rows, int64_t cols) {
  const int64_t block = weight.dim() == 3 ? weight.size(2) : 1;
  const MatrixSize size{rows, cols, block};
  TORCH_CHECK(weight.size(0) == size.block_rows() && weight.size(1) == size.block_cols(),
              "a weight of shape ", weight.sizes(), " does not make a ", rows, " x ", cols,
              " matrix");
  return size;
}

int64_t parts_of(int64_t count) {
  return std::min<int64_t>(at::get_num_threads(), count);
}

void parallel_parts(int64_t count, const std::function<void(int64_t, int64_t, int64_t)>& work) {
  const int64_t parts = parts_of(count);
  std::vector<std::future<void>> others;
  for (int64_t part = 1; part < parts; ++part) {
    others.push_back(std::async(std::launch::async, [&work, part, parts, count] {
      work(part, count * part / parts, count * (part + 1) / parts);
    }));
  }
  if (parts > 0) work(0, 0, count / parts);
  for (auto& other : others) other.get();
}

namespace {

constexpr int64_t kRowsAtATime = 64;

// Rows as a tensor [n, width] on the same memory.
template <class T>
Tensor tensor_of(Rows<const T> rows, int64_t n, int64_t width) {
  const auto type = sizeof(T) == 4 ? torch::kFloat : torch::kDouble;
  return torch::from_blob(const_cast<T*>(rows.data), {n, width}, {rows.stride, 1}, type);
}

// Calls work(begin, end) for parts of 0 ... count, in each of which every number takes
// `multiplications` of BLAS: at the same time where BLAS's own threads are left unused
// (train/machine.h) and the work is worth starting threads.
void divide_product(int64_t count, int64_t multiplications,
                    const std::function<void(int64_t, int64_t)>& work) {
  constexpr int64_t kWorthThreads = 1 << 22;
  if (!openblas_threads_spin() || count * multiplications < kWorthThreads) return work(0, count);
  parallel_parts(count, [&](int64_t, int64_t begin, int64_t end) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    work(begin, end);
  });
}

}  // namespace

template <class T>
void multiply_all(const Tensor& weight, MatrixSize size, typename StructuredProduct<T>::Side side,
                  Rows<const T> x, int64_t n, Rows<const T> addend, Rows<T> y) {
  if (n == 0) return;
  if (size.block == 1) {
    const Tensor matrix = side == StructuredProduct<T>::Side::forward ? weight.t() : weight;
    divide_product(n, weight.numel(), [&](int64_t begin, int64_t end) {
      const int64_t count = end - begin;
      const Tensor from = tensor_of<T>(x.from(begin), count, matrix.size(0));
      Tensor to = tensor_of<T>(y.from(begin), count, matrix.size(1));
      if (addend.data == nullptr) {
        at::mm_out(to, from, matrix);
        return;
      }
      // Not addmm's own copy, which would start threads of OpenMP in this one.
      for (int64_t i = begin; i < end; ++i)
        std::copy_n(addend.from(i).data, matrix.size(1), y.from(i).data);
      at::addmm_out(to, to, from, matrix);
    });
    return;
  }
  const StructuredProduct<T> product(best_isa(), size, side, weight.template data_ptr<T>());
  parallel_parts(n, [&](int64_t, int64_t begin, int64_t end) {
    ProductScratch<T> scratch;
    const Rows<const T> added = addend.data == nullptr ? addend : addend.from(begin);
    product.multiply(x.from(begin), end - begin, added, y.from(begin), scratch);
  });
}

template <class T>
Tensor dense_gradient(const Tensor& weight, Rows<const T> x, Rows<const T> dy, int64_t n) {
  if (n == 0) return torch::zeros_like(weight);
  Tensor gradient = torch::empty_like(weight);
  const Tensor from = tensor_of<T>(x, n, weight.size(1));
  divide_product(weight.size(0), n * weight.size(1), [&](int64_t begin, int64_t end) {
    Tensor to = gradient.slice(0, begin, end);
    at::mm_out(to, tensor_of<T>(dy, n, weight.size(0)).slice(1, begin, end).t(), from);
  });
  return gradient;
}

namespace {

template <class T>
Tensor linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t rows) {
  auto sizes = x.sizes().vec();
  sizes.back() = rows;
  Tensor y = torch::empty(sizes, x.options());
  // The same bias for every row: rows of stride 0.
  Rows<const T> addend;
  if (bias.numel() > 0) addend = {bias.template data_ptr<T>(), 0};
  multiply_all<T>(weight, matrix_size(weight, rows, x.size(-1)),
                  StructuredProduct<T>::Side::forward, rows_of<T>(x), x.numel() / x.size(-1),
                  addend, rows_of<T>(y));
  return y;
}

// dx, if it is wanted, and the gradient of a circulant weight.
template <class T>
Tensor circulant_backward(const Tensor& weight, const SharedMatrix<T>& matrix, Rows<const T> dy,
                          int64_t n) {
  if (n == 0) return torch::zeros_like(weight);
  std::vector<std::unique_ptr<SharedDerivatives<T>>> parts(static_cast<std::size_t>(parts_of(n)));
  parallel_parts(n, [&](int64_t part, int64_t begin, int64_t end) {
    auto& own = parts[static_cast<std::size_t>(part)];
    own = std::make_unique<SharedDerivatives<T>>(best_isa(), std::vector{matrix}, kRowsAtATime);
    // The last ones first, as they are asked for.
    for (int64_t to = end; to > begin; to -= kRowsAtATime) {
      const int64_t from = std::max(begin, to - kRowsAtATime);
      own->take(dy.from(from), to - from, from);
    }
    own->flush();
  });
  for (std::size_t i = 1; i < parts.size(); ++i) parts[0]->add(0, *parts[i]);
  Tensor gradient = torch::empty_like(weight);
  parts[0]->finish(0, gradient.data_ptr<T>());
  return gradient;
}

template <class T>
tensor_list linear_backward(const Tensor& x, const Tensor& weight, const Tensor& dy, bool has_bias,
                            bool wants_dx) {
  using Product = StructuredProduct<T>;
  const MatrixSize size = matrix_size(weight, dy.size(-1), x.size(-1));
  const int64_t n = x.numel() / x.size(-1);
  tensor_list result(4);
  if (wants_dx) result[0] = torch::empty_like(x, torch::MemoryFormat::Contiguous);
  if (is_circulant(weight)) {
    std::unique_ptr<Product> backward;
    if (wants_dx) {
      backward = std::make_unique<Product>(best_isa(), size, Product::Side::backward,
                                           weight.template data_ptr<T>());
    }
    result[1] = circulant_backward<T>(
        weight, {size, rows_of<T>(x), backward.get(), rows_of<T>(result[0])}, rows_of<T>(dy), n);
  } else {
    if (wants_dx) {
      multiply_all<T>(weight, size, Product::Side::backward, rows_of<T>(dy), n, {},
                      rows_of<T>(result[0]));
    }
    result[1] = dense_gradient<T>(weight, rows_of<T>(x), rows_of<T>(dy), n);
  }
  if (has_bias) result[2] = dy.reshape({n, dy.size(-1)}).sum(0);
  return result;
}

struct Linear : torch::autograd::Function<Linear> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, int64_t rows) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    context->saved_data["wants_dx"] = x.requires_grad();
    context->saved_data["has_bias"] = bias.numel() > 0;
    const Tensor whole = x.contiguous();
    context->save_for_backward({whole, weight});
    return with_type(
        x, [&](auto type) { return linear_forward<decltype(type)>(whole, weight, bias, rows); });
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    require_first_derivative();
    const at::AutoDispatchBelowADInplaceOrView guard;
    const auto saved = context->get_saved_variables();
    const Tensor dy = gradients[0].contiguous();
    return with_type(dy, [&](auto type) {
      return linear_backward<decltype(type)>(saved[0], saved[1], dy,
                                             context->saved_data["has_bias"].toBool(),
                                             context->saved_data["wants_dx"].toBool());
    });
  }
};

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t rows) {
  return Linear::apply(x, weight, bias.defined() ? bias : x.new_empty({0}), rows);
}

template void multiply_all<float>(const Tensor&, MatrixSize, StructuredProduct<float>::Side,
                                  Rows<const float>, int64_t, Rows<const float>, Rows<float>);
template void multiply_all<double>(const Tensor&, MatrixSize, StructuredProduct<double>::Side,
                                   Rows<const double>, int64_t, Rows<const double>, Rows<double>);
template Tensor dense_gradient<float>(const Tensor&, Rows<const float>, Rows<const float>, int64_t);
template Tensor dense_gradient<double>(const Tensor&, Rows<const double>, Rows<const double>,
                                       int64_t);

}  // namespace ernn::cpu
