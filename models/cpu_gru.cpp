#include "models/cpu_gru.h"

#include <torch/autograd.h>

#include <memory>
#include <utility>

#include "compute/shared_derivatives.h"
#include "models/cpu_matrix.h"
#include "models/cpu_sequence.h"
#include "models/operation.h"

namespace ernn::cpu {

using compute::GruFrame;
using compute::GruFrameBackward;
using compute::Kernels;
using compute::MatrixSize;
using compute::ProductScratch;
using compute::Rows;
using compute::SharedDerivatives;
using compute::SharedMatrix;
using compute::StructuredProduct;
using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

namespace {

// What both directions need to know of a layer and its batch.
struct Shape : BatchFrames {
  int64_t inputs, size;
  bool after;  // the reset gate acts after the product

  // Arguments of the operation: 0 x, 1 W, 2 b, 3 U, 4 U_c, 5 b_v.
  Shape(const tensor_list& p, std::vector<int64_t> running, bool continues)
      : BatchFrames(p[0].size(0), p[0].size(1), std::move(running), continues),
        inputs(p[0].size(2)),
        size(p[2].size(0) / 3),
        after(p[5].numel() > 0) {}

  MatrixSize input(const Tensor& weight) const { return matrix_size(weight, 3 * size, inputs); }
  MatrixSize recurrent(const Tensor& weight) const { return matrix_size(weight, 2 * size, size); }
  MatrixSize candidate(const Tensor& weight) const { return matrix_size(weight, size, size); }
};

// Tensors of the forward pass that the backward pass reads; values, not arguments.
struct Activations {
  Tensor gates;      // [frames, batch, 2 size], z and r
  Tensor candidate;  // [frames, batch, size], n
  Tensor inner;      // [frames, batch, size]; before: r . h', after: U_c h' + b_v
  Tensor hidden;     // [1 + frames, batch, size], h from the frame before the first one on
};

template <class T>
class Forward {
 public:
  using Product = StructuredProduct<T>;

  Forward(const Shape& shape, const tensor_list& p, const Tensor& before)
      : shape_(shape),
        recurrent_(best_isa(), shape.recurrent(p[3]), Product::Side::forward,
                   p[3].template data_ptr<T>()),
        candidate_(best_isa(), shape.candidate(p[4]), Product::Side::forward,
                   p[4].template data_ptr<T>()),
        candidate_bias_(shape.after ? p[5].template data_ptr<T>() : nullptr) {
    a_.gates = torch::empty({shape.frames(), shape.batch(), 2 * shape.size}, p[0].options());
    a_.candidate = torch::empty({shape.frames(), shape.batch(), shape.size}, p[0].options());
    a_.inner = shape.new_tensor(p[0], shape.size);
    a_.hidden = shape.new_tensor_behind(before, p[0], shape.size);
    const int64_t gate_rows = 2 * shape.size / shape.input(p[1]).block;
    input_part(p, p[1].narrow(0, 0, gate_rows), 0, a_.gates);
    input_part(p, p[1].narrow(0, gate_rows, p[1].size(0) - gate_rows), 2 * shape.size,
               a_.candidate);
  }

  Activations run() {
    parallel_parts(shape_.batch(),
                   [this](int64_t, int64_t begin, int64_t end) { utterances(begin, end); });
    return a_;
  }

 private:
  // W x + b of the rows of W that `weight` holds, which begin at row `first`.
  void input_part(const tensor_list& p, const Tensor& weight, int64_t first, const Tensor& to) {
    multiply_all<T>(weight, matrix_size(weight, to.size(-1), shape_.inputs), Product::Side::forward,
                    rows_of<T>(p[0]), shape_.rows(), {p[2].template data_ptr<T>() + first, 0},
                    rows_of<T>(to));
  }

  void utterances(int64_t begin, int64_t end) const {
    const Kernels<T>& kernels = compute::kernels<T>(best_isa());
    ProductScratch<T> scratch;
    for (int64_t t = 0; t < shape_.frames(); ++t) {
      const int64_t count = shape_.running(t, begin, end);
      if (count == 0) return;
      const int64_t row = t * shape_.batch() + begin;
      const Rows<T> gates = rows_of<T>(a_.gates).from(row);
      const Rows<T> inner = rows_of<T>(a_.inner).from(row);
      const Rows<T> candidate = rows_of<T>(a_.candidate).from(row);
      const Rows<T> previous = rows_of<T>(a_.hidden).from(row);
      recurrent_.multiply(previous, count, gates, gates, scratch);
      GruFrame<T> frame;
      frame.batch = count;
      frame.size = shape_.size;
      frame.after = shape_.after;
      frame.gates = gates.data;
      frame.previous = previous.data;
      frame.input = candidate.data;
      frame.input_row = candidate.stride;
      frame.inner = inner.data;
      frame.candidate = candidate.data;
      frame.hidden = previous.from(shape_.batch()).data;
      if (shape_.after) candidate_.multiply(previous, count, {candidate_bias_, 0}, inner, scratch);
      kernels.gru_gates(frame);
      if (!shape_.after) candidate_.multiply(inner, count, candidate, candidate, scratch);
      kernels.gru_hidden(frame);
    }
  }

  Shape shape_;
  Product recurrent_;
  Product candidate_;
  const T* candidate_bias_;
  Activations a_;
};

template <class T>
class Backward {
 public:
  using Product = StructuredProduct<T>;

  Backward(const Shape& shape, const tensor_list& p, Activations activations, Tensor gradient,
           bool wants_dx)
      : shape_(shape),
        p_(p),
        recurrent_(best_isa(), shape.recurrent(p[3]), Product::Side::backward,
                   p[3].template data_ptr<T>()),
        candidate_(best_isa(), shape.candidate(p[4]), Product::Side::backward,
                   p[4].template data_ptr<T>()),
        a_(std::move(activations)),
        gradient_(std::move(gradient)) {
    d_input_ = shape.new_tensor(gradient_, 3 * shape.size);
    if (shape.after) d_inner_ = shape.new_tensor(gradient_, shape.size);
    if (wants_dx) dx_ = shape.new_tensor(p[0], shape.inputs);
    if (is_circulant(p[1])) {
      gate_rows_ = 2 * shape.size / shape.input(p[1]).block;
      if (wants_dx) make_input_products();
    }
    parts_.resize(static_cast<std::size_t>(parts_of(shape.batch())));
  }

  /// Gradients in the order of the forward pass' arguments.
  tensor_list run() {
    parallel_parts(shape_.batch(), [this](int64_t part, int64_t begin, int64_t end) {
      utterances(part, begin, end);
    });
    tensor_list result(8);
    result[1] = input_gradient();
    result[0] = dx_;
    result[2] = d_input_.flatten(0, 1).sum(0);
    result[3] = recurrent_gradient();
    result[4] = candidate_gradient();
    if (shape_.after) result[5] = d_inner_.flatten(0, 1).sum(0);
    return result;
  }

 private:
  /// What the circulant matrices take from the utterances of one thread. Of z and r: first U, if it
  /// is circulant, then the rows of W for them; of n: first U_c, if the reset acts before it and it
  /// is circulant, then the rows of W; of U_c h' + b_v: U_c, when the reset acts after it.
  struct Part {
    SharedDerivatives<T> gates;
    SharedDerivatives<T> candidate;
    SharedDerivatives<T> inner;
    ProductScratch<T> scratch;
  };

  // Rows of W for z and r, or for n.
  Tensor input_rows(bool gates) const {
    return gates ? p_[1].narrow(0, 0, gate_rows_)
                 : p_[1].narrow(0, gate_rows_, p_[1].size(0) - gate_rows_);
  }
  MatrixSize input_size(bool gates) const {
    return matrix_size(input_rows(gates), (gates ? 2 : 1) * shape_.size, shape_.inputs);
  }
  void make_input_products() {
    for (const bool gates : {true, false}) {
      auto& product = gates ? input_gates_ : input_candidate_;
      product = std::make_unique<Product>(best_isa(), input_size(gates), Product::Side::backward,
                                          input_rows(gates).template data_ptr<T>());
    }
  }

  Part make_part(int64_t utterances) const {
    const Rows<const T> hidden = rows_of<T>(a_.hidden);
    std::vector<SharedMatrix<T>> gates;
    std::vector<SharedMatrix<T>> candidate;
    std::vector<SharedMatrix<T>> inner;
    if (is_circulant(p_[3])) gates.push_back({shape_.recurrent(p_[3]), hidden, nullptr, {}});
    if (is_circulant(p_[4]) && shape_.after)
      inner.push_back({shape_.candidate(p_[4]), hidden, nullptr, {}});
    if (is_circulant(p_[4]) && !shape_.after)
      candidate.push_back({shape_.candidate(p_[4]), rows_of<T>(a_.inner), nullptr, {}});
    if (is_circulant(p_[1])) {
      const Rows<const T> x = rows_of<T>(p_[0]);
      const Rows<T> dx = rows_of<T>(dx_);
      // The rows of n are always taken first (utterances()).
      candidate.push_back({input_size(false), x, input_candidate_.get(), dx});
      gates.push_back({input_size(true), x, input_gates_.get(), dx, /*adds=*/true});
    }
    return {SharedDerivatives<T>(best_isa(), gates, utterances),
            SharedDerivatives<T>(best_isa(), candidate, utterances),
            SharedDerivatives<T>(best_isa(), inner, utterances),
            {}};
  }

  void utterances(int64_t part, int64_t begin, int64_t end) {
    auto& own = parts_[static_cast<std::size_t>(part)];
    own = std::make_unique<Part>(make_part(end - begin));
    // With respect to h: what the later frame passes on, and with what was given for this one.
    const Tensor passed = torch::zeros({end - begin, shape_.size}, gradient_.options());
    const Tensor d_hidden = torch::empty_like(passed);
    const Tensor d_inner = torch::empty_like(passed);
    for (int64_t t = shape_.frames() - 1; t >= 0; --t) {
      const int64_t count = shape_.running(t, begin, end);
      if (count == 0) continue;
      const int64_t row = t * shape_.batch() + begin;
      const T* const given = rows_of<T>(gradient_).from(row).data;
      const T* const later = passed.template data_ptr<T>();
      T* const sum = d_hidden.template data_ptr<T>();
      for (int64_t i = 0; i < count * shape_.size; ++i) sum[i] = given[i] + later[i];
      const Rows<T> d_v = shape_.after ? rows_of<T>(d_inner_).from(row) : rows_of<T>(d_inner);
      frame_backward(t, row, count, sum, rows_of<T>(passed), d_v, *own);
    }
    own->candidate.flush();
    own->gates.flush();
    own->inner.flush();
  }

  void frame_backward(int64_t t, int64_t row, int64_t count, const T* d_hidden, Rows<T> d_previous,
                      Rows<T> d_inner, Part& own) const {
    const Kernels<T>& kernels = compute::kernels<T>(best_isa());
    const Rows<T> d_input = rows_of<T>(d_input_).from(row);
    const Rows<T> d_candidate = columns_from<T>(d_input_, 2 * shape_.size).from(row);
    GruFrameBackward<T> frame;
    frame.batch = count;
    frame.size = shape_.size;
    frame.after = shape_.after;
    frame.gates = rows_of<T>(a_.gates).from(row).data;
    frame.previous = shape_.has_previous(t) ? rows_of<T>(a_.hidden).from(row).data : nullptr;
    frame.inner = rows_of<T>(a_.inner).from(row).data;
    frame.candidate = rows_of<T>(a_.candidate).from(row).data;
    frame.d_hidden = d_hidden;
    frame.d_previous = d_previous.data;
    frame.d_input = d_input.data;
    frame.d_inner = d_inner.data;
    kernels.gru_candidate_backward(frame);
    own.candidate.take(d_candidate, count, row);
    if (shape_.after) {
      multiply_taken(candidate_, p_[4], own.inner, d_inner, count, row, d_previous, d_previous,
                     own.scratch);
    } else {
      if (is_circulant(p_[4])) {
        candidate_.multiply_spectra(own.candidate.last(0), count, {}, d_inner, own.scratch);
      } else {
        candidate_.multiply(d_candidate, count, {}, d_inner, own.scratch);
      }
      kernels.gru_gates_backward(frame);
    }
    multiply_taken(recurrent_, p_[3], own.gates, d_input, count, row, d_previous, d_previous,
                   own.scratch);
  }

  // Lets `derivatives` take the rows dy and multiplies them by its first matrix.
  void multiply_taken(const Product& product, const Tensor& weight,
                      SharedDerivatives<T>& derivatives, Rows<const T> dy, int64_t count,
                      int64_t row, Rows<const T> addend, Rows<T> y,
                      ProductScratch<T>& scratch) const {
    derivatives.take(dy, count, row);
    if (is_circulant(weight)) {
      product.multiply_spectra(derivatives.last(0), count, addend, y, scratch);
    } else {
      product.multiply(dy, count, addend, y, scratch);
    }
  }

  // The gradient of a circulant matrix, from all parts.
  void collect(SharedDerivatives<T> Part::*derivatives, std::size_t matrix, const Tensor& to) {
    SharedDerivatives<T>& sum = (*parts_[0]).*derivatives;
    for (std::size_t i = 1; i < parts_.size(); ++i) sum.add(matrix, (*parts_[i]).*derivatives);
    sum.finish(matrix, to.template data_ptr<T>());
  }

  // Those of dense matrices are products over all frames. Also computes dx then.
  Tensor input_gradient() {
    const Rows<const T> d_input = rows_of<T>(d_input_);
    if (is_circulant(p_[1])) {
      Tensor gradient = torch::empty_like(p_[1]);
      collect(&Part::gates, is_circulant(p_[3]) ? 1 : 0, gradient);
      collect(&Part::candidate, is_circulant(p_[4]) && !shape_.after ? 1 : 0,
              gradient.narrow(0, gate_rows_, gradient.size(0) - gate_rows_));
      return gradient;
    }
    if (dx_.defined()) {
      multiply_all<T>(p_[1], shape_.input(p_[1]), Product::Side::backward, d_input, shape_.rows(),
                      {}, rows_of<T>(dx_));
    }
    return dense_gradient<T>(p_[1], rows_of<T>(p_[0]), d_input, shape_.rows());
  }

  Tensor recurrent_gradient() {
    if (is_circulant(p_[3])) {
      Tensor gradient = torch::empty_like(p_[3]);
      collect(&Part::gates, 0, gradient);
      return gradient;
    }
    return behind_previous(p_[3], rows_of<T>(d_input_));
  }

  Tensor candidate_gradient() {
    if (is_circulant(p_[4])) {
      Tensor gradient = torch::empty_like(p_[4]);
      collect(shape_.after ? &Part::inner : &Part::candidate, 0, gradient);
      return gradient;
    }
    if (shape_.after) return behind_previous(p_[4], rows_of<T>(d_inner_));
    return dense_gradient<T>(p_[4], rows_of<T>(a_.inner),
                             columns_from<T>(d_input_, 2 * shape_.size), shape_.rows());
  }

  // The gradient of a dense matrix that multiplies h of the frame before.
  Tensor behind_previous(const Tensor& weight, Rows<const T> dy) const {
    const int64_t first = shape_.continues() ? 0 : shape_.batch();
    return dense_gradient<T>(weight, rows_of<T>(a_.hidden).from(first), dy.from(first),
                             shape_.rows() - first);
  }

  Shape shape_;
  tensor_list p_;
  Product recurrent_;
  Product candidate_;
  std::unique_ptr<Product> input_gates_;  // circulant, and dx is wanted
  std::unique_ptr<Product> input_candidate_;
  int64_t gate_rows_ = 0;  // of a circulant W: block rows for z and r
  Activations a_;
  Tensor gradient_;
  Tensor dx_;
  Tensor d_input_;  // [frames, batch, 3 size]
  Tensor d_inner_;  // after: [frames, batch, size]
  std::vector<std::unique_ptr<Part>> parts_;
};

// Absent parameters are empty: LibTorch 1.13 takes no undefined tensors as arguments.
struct GruOperation : torch::autograd::Function<GruOperation> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& input,
                        const Tensor& bias, const Tensor& recurrent, const Tensor& candidate,
                        const Tensor& candidate_bias, const Tensor& first,
                        const std::vector<int64_t>& running) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const tensor_list p = {x, input, bias, recurrent, candidate, candidate_bias};
    const bool continues = first.numel() > 0;
    const Shape shape(p, running, continues);
    const Activations a =
        with_type(x, [&](auto type) { return Forward<decltype(type)>(shape, p, first).run(); });
    context->saved_data["wants_dx"] = x.requires_grad();
    context->saved_data["running"] = running;
    context->saved_data["continues"] = continues;
    const Tensor h = shape.without_before(a.hidden);
    // h too, on a.hidden's memory: so LibTorch notices when it has been changed in place.
    context->save_for_backward({x, input, bias, recurrent, candidate, candidate_bias, a.gates,
                                a.candidate, a.inner, a.hidden, h});
    return h;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    require_first_derivative();
    const at::AutoDispatchBelowADInplaceOrView guard;
    const auto saved = context->get_saved_variables();
    const tensor_list p(saved.begin(), saved.begin() + 6);
    const Shape shape(p, context->saved_data["running"].toIntVector(),
                      context->saved_data["continues"].toBool());
    const Activations a{saved[6], saved[7], saved[8], saved[9]};
    const Tensor gradient = gradients[0].contiguous();
    const bool wants_dx = context->saved_data["wants_dx"].toBool();
    return with_type(gradient, [&](auto type) {
      return Backward<decltype(type)>(shape, p, a, gradient, wants_dx).run();
    });
  }
};

}  // namespace

Tensor gru_layer(const Tensor& x, const GruParameters& parameters,
                 const std::vector<int64_t>& running, LayerState* state) {
  TORCH_CHECK(x.dim() == 3 && x.size(0) > 0, "x must be [frames, batch, inputs], not ", x.sizes());
  const Tensor first = state == nullptr ? Tensor() : state->output;
  const Tensor h = GruOperation::apply(
      x.contiguous(), parameters.input, parameters.bias, parameters.recurrent, parameters.candidate,
      parameters.candidate_bias.defined() ? parameters.candidate_bias : x.new_empty({0}),
      state_argument(first, x, parameters.bias.size(0) / 3), running);
  if (state != nullptr) state->output = last_frame(h);
  return h;
}

}  // namespace ernn::cpu
