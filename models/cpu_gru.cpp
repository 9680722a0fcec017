#include "models/cpu_gru.h"

#include <utility>

#include "models/cpu_matrix.h"
#include "models/cpu_sequence.h"

namespace ernn::cpu {

using compute::GruFrame;
using compute::GruFrameBackward;
using compute::Kernels;
using compute::MatrixSize;
using compute::ProductScratch;
using compute::Rows;
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

  Backward(const Shape& shape, const tensor_list& p, Activations activations, Tensor gradient)
      : shape_(shape),
        recurrent_(best_isa(), shape.recurrent(p[3]), Product::Side::backward,
                   p[3].template data_ptr<T>()),
        candidate_(best_isa(), shape.candidate(p[4]), Product::Side::backward,
                   p[4].template data_ptr<T>()),
        a_(std::move(activations)),
        gradient_(std::move(gradient)) {
    d_input_ = shape.new_tensor(gradient_, 3 * shape.size);
    if (shape.after) d_inner_ = shape.new_tensor(gradient_, shape.size);
  }

  /// Gradients in the order of the forward pass' arguments.
  tensor_list run(const tensor_list& p, bool wants_dx) {
    parallel_parts(shape_.batch(),
                   [this](int64_t, int64_t begin, int64_t end) { utterances(begin, end); });
    const int64_t n = shape_.rows();
    const int64_t first = shape_.continues() ? 0 : shape_.batch();
    const Rows<const T> d_input = rows_of<T>(d_input_);
    const Rows<const T> hidden = rows_of<T>(a_.hidden).from(first);
    tensor_list result(8);
    if (wants_dx) {
      result[0] = torch::empty(p[0].sizes(), p[0].options());
      multiply_all<T>(p[1], shape_.input(p[1]), Product::Side::backward, d_input, n, {},
                      rows_of<T>(result[0]));
    }
    result[1] = weight_gradient<T>(p[1], shape_.input(p[1]), rows_of<T>(p[0]), d_input, n);
    result[2] = d_input_.flatten(0, 1).sum(0);
    result[3] =
        weight_gradient<T>(p[3], shape_.recurrent(p[3]), hidden, d_input.from(first), n - first);
    const MatrixSize candidate = shape_.candidate(p[4]);
    if (shape_.after) {
      const Rows<const T> d_inner = rows_of<T>(d_inner_);
      result[4] = weight_gradient<T>(p[4], candidate, hidden, d_inner.from(first), n - first);
      result[5] = d_inner_.flatten(0, 1).sum(0);
    } else {
      result[4] = weight_gradient<T>(p[4], candidate, rows_of<T>(a_.inner),
                                     columns_from<T>(d_input_, 2 * shape_.size), n);
    }
    return result;
  }

 private:
  void utterances(int64_t begin, int64_t end) const {
    const Kernels<T>& kernels = compute::kernels<T>(best_isa());
    ProductScratch<T> scratch;
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
      GruFrameBackward<T> frame;
      frame.batch = count;
      frame.size = shape_.size;
      frame.after = shape_.after;
      frame.gates = rows_of<T>(a_.gates).from(row).data;
      frame.previous = shape_.has_previous(t) ? rows_of<T>(a_.hidden).from(row).data : nullptr;
      frame.inner = rows_of<T>(a_.inner).from(row).data;
      frame.candidate = rows_of<T>(a_.candidate).from(row).data;
      frame.d_hidden = sum;
      frame.d_previous = passed.template data_ptr<T>();
      frame.d_input = rows_of<T>(d_input_).from(row).data;
      frame.d_inner =
          shape_.after ? rows_of<T>(d_inner_).from(row).data : d_inner.template data_ptr<T>();
      kernels.gru_candidate_backward(frame);
      const Rows<T> d_previous = rows_of<T>(passed);
      if (shape_.after) {
        candidate_.multiply(rows_of<T>(d_inner_).from(row), count, d_previous, d_previous, scratch);
      } else {
        candidate_.multiply(columns_from<T>(d_input_, 2 * shape_.size).from(row), count, {},
                            rows_of<T>(d_inner), scratch);
        kernels.gru_gates_backward(frame);
      }
      recurrent_.multiply(rows_of<T>(d_input_).from(row), count, d_previous, d_previous, scratch);
    }
  }

  Shape shape_;
  Product recurrent_;
  Product candidate_;
  Activations a_;
  Tensor gradient_;
  Tensor d_input_;  // [frames, batch, 3 size]
  Tensor d_inner_;  // after: [frames, batch, size]
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
    context->save_for_backward({x, input, bias, recurrent, candidate, candidate_bias, a.gates,
                                a.candidate, a.inner, a.hidden});
    return shape.without_before(a.hidden);
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const auto saved = context->get_saved_variables();
    const tensor_list p(saved.begin(), saved.begin() + 6);
    const Shape shape(p, context->saved_data["running"].toIntVector(),
                      context->saved_data["continues"].toBool());
    const Activations a{saved[6], saved[7], saved[8], saved[9]};
    const Tensor gradient = gradients[0].contiguous();
    const bool wants_dx = context->saved_data["wants_dx"].toBool();
    return with_type(gradient, [&](auto type) {
      return Backward<decltype(type)>(shape, p, a, gradient).run(p, wants_dx);
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
