#include "models/cpu_lstm.h"

#include <torch/autograd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "compute/shared_derivatives.h"
#include "models/cpu_matrix.h"
#include "models/cpu_sequence.h"
#include "models/operation.h"

namespace ernn::cpu {

using compute::Kernels;
using compute::LstmFrame;
using compute::LstmFrameBackward;
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
  int64_t inputs, size, outputs;
  bool projected, peepholes;
  double cell_clip;

  // Arguments of the operation: 0 x, 1 W, 2 b, 3 R, 4 p, 5 W_p.
  Shape(const tensor_list& p, int64_t width, double clip, std::vector<int64_t> running,
        bool continues)
      : BatchFrames(p[0].size(0), p[0].size(1), std::move(running), continues),
        inputs(p[0].size(2)),
        size(p[2].size(0) / 4),
        outputs(width),
        projected(p[5].numel() > 0),
        peepholes(p[4].numel() > 0),
        cell_clip(clip) {}

  MatrixSize input(const Tensor& weight) const { return matrix_size(weight, 4 * size, inputs); }
  MatrixSize recurrent(const Tensor& weight) const {
    return matrix_size(weight, 4 * size, outputs);
  }
  MatrixSize projection(const Tensor& weight) const { return matrix_size(weight, outputs, size); }
};

// Tensors of the forward pass that the backward pass reads.
struct Activations {
  Tensor gates;    // [frames, batch, 4 size], values
  Tensor cells;    // [1 + frames, batch, size], from the frame before the first one on
  Tensor hidden;   // [frames, batch, size], m
  Tensor outputs;  // [1 + frames, batch, outputs], y; without a projection the same as hidden
};

template <class T>
class Forward {
 public:
  using Product = StructuredProduct<T>;

  Forward(const Shape& shape, const tensor_list& p, const LayerState& before)
      : shape_(shape),
        recurrent_(best_isa(), shape.recurrent(p[3]), Product::Side::forward,
                   p[3].template data_ptr<T>()),
        peephole_(shape.peepholes ? p[4].template data_ptr<T>() : nullptr) {
    if (shape.projected) {
      projection_ = std::make_unique<Product>(best_isa(), shape.projection(p[5]),
                                              Product::Side::forward, p[5].template data_ptr<T>());
    }
    a_.gates = torch::empty({shape.frames(), shape.batch(), 4 * shape.size}, p[0].options());
    a_.cells = shape.new_tensor_behind(before.cell, p[0], shape.size);
    a_.outputs = shape.new_tensor_behind(before.output, p[0], shape.outputs);
    a_.hidden =
        shape.projected ? shape.new_tensor(p[0], shape.size) : shape.without_before(a_.outputs);
    multiply_all<T>(p[1], shape.input(p[1]), Product::Side::forward, rows_of<T>(p[0]), shape.rows(),
                    {p[2].template data_ptr<T>(), 0}, rows_of<T>(a_.gates));
  }

  Activations run() {
    parallel_parts(shape_.batch(),
                   [this](int64_t, int64_t begin, int64_t end) { utterances(begin, end); });
    return a_;
  }

 private:
  void utterances(int64_t begin, int64_t end) const {
    const Kernels<T>& kernels = compute::kernels<T>(best_isa());
    ProductScratch<T> scratch;
    for (int64_t t = 0; t < shape_.frames(); ++t) {
      const int64_t count = shape_.running(t, begin, end);
      if (count == 0) return;
      const int64_t row = t * shape_.batch() + begin;
      const Rows<T> gates = rows_of<T>(a_.gates).from(row);
      const Rows<T> outputs_before = rows_of<T>(a_.outputs).from(row);
      const Rows<T> cells_before = rows_of<T>(a_.cells).from(row);
      const bool has_previous = shape_.has_previous(t);
      if (has_previous) recurrent_.multiply(outputs_before, count, gates, gates, scratch);
      LstmFrame<T> frame;
      frame.batch = count;
      frame.size = shape_.size;
      frame.cell_clip = static_cast<T>(shape_.cell_clip);
      frame.peephole = peephole_;
      frame.gates = gates.data;
      frame.previous = has_previous ? cells_before.data : nullptr;
      frame.cell = cells_before.from(shape_.batch()).data;
      frame.hidden = rows_of<T>(a_.hidden).from(row).data;
      kernels.lstm_frame(frame);
      if (projection_) {
        projection_->multiply(rows_of<T>(a_.hidden).from(row), count, {},
                              outputs_before.from(shape_.batch()), scratch);
      }
    }
  }

  Shape shape_;
  Product recurrent_;
  std::unique_ptr<Product> projection_;
  const T* peephole_;
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
        peephole_(shape.peepholes ? p[4].template data_ptr<T>() : nullptr),
        a_(std::move(activations)),
        gradient_(std::move(gradient)) {
    if (shape.projected) {
      projection_ = std::make_unique<Product>(best_isa(), shape.projection(p[5]),
                                              Product::Side::backward, p[5].template data_ptr<T>());
    }
    if (wants_dx) dx_ = shape.new_tensor(p[0], shape.inputs);
    if (wants_dx && is_circulant(p[1])) {
      input_ = std::make_unique<Product>(best_isa(), shape.input(p[1]), Product::Side::backward,
                                         p[1].template data_ptr<T>());
    }
    const int64_t parts = parts_of(shape.batch());
    parts_.resize(static_cast<std::size_t>(parts));
    d_gates_ =
        FrameRows(shape, gradient_, 4 * shape.size, !is_circulant(p[1]) || !is_circulant(p[3]));
    d_outputs_ = FrameRows(shape, gradient_, shape.outputs, shape.projected && !is_circulant(p[5]));
    d_bias_ = torch::zeros({parts, 4 * shape.size}, gradient_.options());
    d_peephole_ = torch::zeros({parts, 3, shape.size}, gradient_.options());
  }

  /// Gradients in the order of the forward pass' arguments.
  tensor_list run() {
    parallel_parts(shape_.batch(), [this](int64_t part, int64_t begin, int64_t end) {
      utterances(part, begin, end);
    });
    tensor_list result(11);
    result[1] = input_gradient();
    result[0] = dx_;
    result[2] = d_bias_.sum(0);
    result[3] = recurrent_gradient();
    if (shape_.peepholes) result[4] = d_peephole_.sum(0);
    if (shape_.projected) result[5] = projection_gradient();
    return result;
  }

 private:
  /// What the circulant matrices take from the utterances of one thread: first R, if it is
  /// circulant, then W, which multiply gates' derivatives, and W_p, which multiplies those of y.
  struct Part {
    SharedDerivatives<T> gates;
    SharedDerivatives<T> outputs;
    ProductScratch<T> scratch;
  };

  Part make_part(int64_t utterances) const {
    std::vector<SharedMatrix<T>> gates;
    std::vector<SharedMatrix<T>> outputs;
    if (is_circulant(p_[3]))
      gates.push_back({shape_.recurrent(p_[3]), rows_of<T>(a_.outputs), nullptr, {}});
    if (is_circulant(p_[1]))
      gates.push_back({shape_.input(p_[1]), rows_of<T>(p_[0]), input_.get(), rows_of<T>(dx_)});
    if (shape_.projected && is_circulant(p_[5]))
      outputs.push_back({shape_.projection(p_[5]), rows_of<T>(a_.hidden), nullptr, {}});
    return {SharedDerivatives<T>(best_isa(), gates, utterances),
            SharedDerivatives<T>(best_isa(), outputs, utterances),
            {}};
  }

  void utterances(int64_t part_number, int64_t begin, int64_t end) {
    auto& own = parts_[static_cast<std::size_t>(part_number)];
    own = std::make_unique<Part>(make_part(end - begin));
    const Tensor d_cell = torch::zeros({end - begin, shape_.size}, gradient_.options());
    const Tensor d_hidden = shape_.projected ? torch::empty_like(d_cell) : Tensor();
    for (int64_t t = shape_.frames() - 1; t >= 0; --t) {
      const int64_t count = shape_.running(t, begin, end);
      if (count == 0) continue;
      const int64_t row = t * shape_.batch() + begin;
      output_gradient(t, begin, end, *own);
      Rows<T> d_m = d_outputs_.template at<T>(t, begin);
      if (projection_) d_m = hidden_gradient(d_m, count, row, rows_of<T>(d_hidden), *own);
      const Rows<T> d_gates = d_gates_.template at<T>(t, begin);
      gate_gradients(t, part_number, begin, count, d_m, d_cell, d_gates);
      own->gates.take(d_gates, count, row);
    }
    own->gates.flush();
    own->outputs.flush();
  }

  // The derivative with respect to y of frame t: what was given, and what the next frame passes on
  // for the utterances that have one.
  void output_gradient(int64_t t, int64_t begin, int64_t end, Part& own) const {
    const int64_t count = shape_.running(t, begin, end);
    const int64_t later = shape_.running(t + 1, begin, end);
    const Rows<const T> given = rows_of<T>(gradient_).from(t * shape_.batch() + begin);
    const Rows<T> d_outputs = d_outputs_.template at<T>(t, begin);
    if (later > 0 && is_circulant(p_[3])) {
      recurrent_.multiply_spectra(own.gates.last(0), later, given, d_outputs, own.scratch);
    } else if (later > 0) {
      recurrent_.multiply(d_gates_.template at<T>(t + 1, begin), later, given, d_outputs,
                          own.scratch);
    }
    std::copy_n(given.from(later).data, (count - later) * shape_.outputs,
                d_outputs.from(later).data);
  }

  // The derivative with respect to m from that with respect to y.
  Rows<T> hidden_gradient(Rows<const T> d_outputs, int64_t count, int64_t row, Rows<T> d_hidden,
                          Part& own) const {
    if (is_circulant(p_[5])) {
      own.outputs.take(d_outputs, count, row);
      projection_->multiply_spectra(own.outputs.last(0), count, {}, d_hidden, own.scratch);
    } else {
      projection_->multiply(d_outputs, count, {}, d_hidden, own.scratch);
    }
    return d_hidden;
  }

  void gate_gradients(int64_t t, int64_t part, int64_t begin, int64_t count, Rows<const T> d_m,
                      const Tensor& d_cell, Rows<T> d_gates) const {
    const int64_t row = t * shape_.batch() + begin;
    LstmFrameBackward<T> frame;
    frame.batch = count;
    frame.size = shape_.size;
    frame.cell_clip = static_cast<T>(shape_.cell_clip);
    frame.peephole = peephole_;
    frame.gates = rows_of<T>(a_.gates).from(row).data;
    const Rows<T> cells_before = rows_of<T>(a_.cells).from(row);
    frame.previous = shape_.has_previous(t) ? cells_before.data : nullptr;
    frame.cell = cells_before.from(shape_.batch()).data;
    frame.d_hidden = d_m.data;
    frame.d_cell = d_cell.template data_ptr<T>();
    frame.d_gates = d_gates.data;
    frame.d_bias = rows_of<T>(d_bias_).from(part).data;
    frame.d_peephole = d_peephole_.template data_ptr<T>() + part * 3 * shape_.size;
    compute::kernels<T>(best_isa()).lstm_frame_backward(frame);
  }

  // Of a circulant matrix, from all parts.
  Tensor collected(SharedDerivatives<T> Part::*derivatives, std::size_t matrix,
                   const Tensor& weight) {
    Tensor gradient = torch::empty_like(weight);
    SharedDerivatives<T>& sum = (*parts_[0]).*derivatives;
    for (std::size_t i = 1; i < parts_.size(); ++i) sum.add(matrix, (*parts_[i]).*derivatives);
    sum.finish(matrix, gradient.template data_ptr<T>());
    return gradient;
  }

  // Those of dense matrices are products over all frames. Also computes dx then.
  Tensor input_gradient() {
    if (is_circulant(p_[1])) return collected(&Part::gates, is_circulant(p_[3]) ? 1 : 0, p_[1]);
    const Rows<const T> d_gates = rows_of<T>(d_gates_.all());
    if (dx_.defined()) {
      multiply_all<T>(p_[1], shape_.input(p_[1]), Product::Side::backward, d_gates, shape_.rows(),
                      {}, rows_of<T>(dx_));
    }
    return dense_gradient<T>(p_[1], rows_of<T>(p_[0]), d_gates, shape_.rows());
  }

  Tensor recurrent_gradient() {
    if (is_circulant(p_[3])) return collected(&Part::gates, 0, p_[3]);
    const int64_t first = shape_.continues() ? 0 : shape_.batch();
    return dense_gradient<T>(p_[3], rows_of<T>(a_.outputs).from(first),
                             rows_of<T>(d_gates_.all()).from(first), shape_.rows() - first);
  }

  Tensor projection_gradient() {
    if (is_circulant(p_[5])) return collected(&Part::outputs, 0, p_[5]);
    return dense_gradient<T>(p_[5], rows_of<T>(a_.hidden), rows_of<T>(d_outputs_.all()),
                             shape_.rows());
  }

  Shape shape_;
  tensor_list p_;
  Product recurrent_;
  std::unique_ptr<Product> projection_;
  std::unique_ptr<Product> input_;  // circulant, and dx is wanted
  const T* peephole_;
  Activations a_;
  Tensor gradient_;
  Tensor dx_;
  FrameRows d_gates_;
  FrameRows d_outputs_;
  Tensor d_bias_;      // [parts, 4 size]
  Tensor d_peephole_;  // [parts, 3, size]
  std::vector<std::unique_ptr<Part>> parts_;
};

// Absent parameters are empty: LibTorch 1.13 takes no undefined tensors as arguments. Returns y,
// and c of the last frame without history.
struct LstmOperation : torch::autograd::Function<LstmOperation> {
  static tensor_list forward(AutogradContext* context, const Tensor& x, const Tensor& input,
                             const Tensor& bias, const Tensor& recurrent, const Tensor& peephole,
                             const Tensor& projection, const Tensor& first_output,
                             const Tensor& first_cell, int64_t outputs, double cell_clip,
                             const std::vector<int64_t>& running) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const tensor_list p = {x, input, bias, recurrent, peephole, projection};
    const bool continues = first_output.numel() > 0 || first_cell.numel() > 0;
    const Shape shape(p, outputs, cell_clip, running, continues);
    const LayerState before{first_output, first_cell, {}};
    const Activations a =
        with_type(x, [&](auto type) { return Forward<decltype(type)>(shape, p, before).run(); });
    context->saved_data["wants_dx"] = x.requires_grad();
    context->saved_data["outputs"] = outputs;
    context->saved_data["cell_clip"] = cell_clip;
    context->saved_data["running"] = running;
    context->saved_data["continues"] = continues;
    const Tensor y = shape.without_before(a.outputs);
    // y too, on a.outputs' memory: so LibTorch notices when it has been changed in place.
    context->save_for_backward({x, input, bias, recurrent, peephole, projection, a.gates, a.cells,
                                shape.projected ? a.hidden : Tensor(), a.outputs, y});
    const Tensor last_cell = last_frame(a.cells);
    context->mark_non_differentiable({last_cell});
    return {y, last_cell};
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    require_first_derivative();
    const at::AutoDispatchBelowADInplaceOrView guard;
    const auto saved = context->get_saved_variables();
    const tensor_list p(saved.begin(), saved.begin() + 6);
    auto& data = context->saved_data;
    const Shape shape(p, data["outputs"].toInt(), data["cell_clip"].toDouble(),
                      data["running"].toIntVector(), data["continues"].toBool());
    const Activations a{saved[6], saved[7],
                        shape.projected ? saved[8] : shape.without_before(saved[9]), saved[9]};
    const Tensor gradient = gradients[0].contiguous();
    const bool wants_dx = data["wants_dx"].toBool();
    return with_type(gradient, [&](auto type) {
      return Backward<decltype(type)>(shape, p, a, gradient, wants_dx).run();
    });
  }
};

}  // namespace

Tensor lstm_layer(const Tensor& x, const LstmParameters& parameters,
                  const std::vector<int64_t>& running, LayerState* state) {
  TORCH_CHECK(x.dim() == 3 && x.size(0) > 0, "x must be [frames, batch, inputs], not ", x.sizes());
  const Tensor absent = x.new_empty({0});
  const auto or_absent = [&absent](const Tensor& t) { return t.defined() ? t : absent; };
  const LayerState before = state == nullptr ? LayerState{} : *state;
  const tensor_list result =
      LstmOperation::apply(x.contiguous(), parameters.input, parameters.bias, parameters.recurrent,
                           or_absent(parameters.peephole), or_absent(parameters.projection),
                           state_argument(before.output, x, parameters.outputs),
                           state_argument(before.cell, x, parameters.bias.size(0) / 4),
                           parameters.outputs, parameters.cell_clip, running);
  if (state != nullptr) *state = {last_frame(result[0]), result[1], {}};
  return result[0];
}

}  // namespace ernn::cpu
