#include "models/cpu_lstm.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "models/cpu_matrix.h"
#include "models/cpu_sequence.h"

namespace ernn::cpu {

using compute::Kernels;
using compute::LstmFrame;
using compute::LstmFrameBackward;
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

  Backward(const Shape& shape, const tensor_list& p, Activations activations, Tensor gradient)
      : shape_(shape),
        recurrent_(best_isa(), shape.recurrent(p[3]), Product::Side::backward,
                   p[3].template data_ptr<T>()),
        peephole_(shape.peepholes ? p[4].template data_ptr<T>() : nullptr),
        a_(std::move(activations)),
        gradient_(std::move(gradient)) {
    if (shape.projected) {
      projection_ = std::make_unique<Product>(best_isa(), shape.projection(p[5]),
                                              Product::Side::backward, p[5].template data_ptr<T>());
    }
    d_gates_ = shape.new_tensor(gradient_, 4 * shape.size);
    d_outputs_ = shape.new_tensor(gradient_, shape.outputs);
    d_bias_ = torch::zeros({parts_of(shape.batch()), 4 * shape.size}, gradient_.options());
    d_peephole_ = torch::zeros({parts_of(shape.batch()), 3, shape.size}, gradient_.options());
  }

  /// Gradients in the order of the forward pass' arguments.
  tensor_list run(const tensor_list& p, bool wants_dx) {
    parallel_parts(shape_.batch(), [this](int64_t part, int64_t begin, int64_t end) {
      utterances(part, begin, end);
    });
    const int64_t n = shape_.rows();
    const Rows<const T> d_gates = rows_of<T>(d_gates_);
    tensor_list result(11);
    if (wants_dx) {
      result[0] = torch::empty(p[0].sizes(), p[0].options());
      multiply_all<T>(p[1], shape_.input(p[1]), Product::Side::backward, d_gates, n, {},
                      rows_of<T>(result[0]));
    }
    result[1] = weight_gradient<T>(p[1], shape_.input(p[1]), rows_of<T>(p[0]), d_gates, n);
    result[2] = d_bias_.sum(0);
    const int64_t first = shape_.continues() ? 0 : shape_.batch();
    result[3] = weight_gradient<T>(p[3], shape_.recurrent(p[3]), rows_of<T>(a_.outputs).from(first),
                                   d_gates.from(first), n - first);
    if (shape_.peepholes) result[4] = d_peephole_.sum(0);
    if (shape_.projected) {
      result[5] = weight_gradient<T>(p[5], shape_.projection(p[5]), rows_of<T>(a_.hidden),
                                     rows_of<T>(d_outputs_), n);
    }
    return result;
  }

 private:
  void utterances(int64_t part, int64_t begin, int64_t end) {
    const Kernels<T>& kernels = compute::kernels<T>(best_isa());
    ProductScratch<T> scratch;
    const Tensor d_cell = torch::zeros({end - begin, shape_.size}, gradient_.options());
    const Tensor d_hidden = shape_.projected ? torch::empty_like(d_cell) : Tensor();
    for (int64_t t = shape_.frames() - 1; t >= 0; --t) {
      const int64_t count = shape_.running(t, begin, end);
      if (count == 0) continue;
      const int64_t row = t * shape_.batch() + begin;
      output_gradient(t, begin, end, scratch);
      const Rows<T> d_outputs = rows_of<T>(d_outputs_).from(row);
      Rows<T> d_m = d_outputs;
      if (projection_) {
        d_m = rows_of<T>(d_hidden);
        projection_->multiply(d_outputs, count, {}, d_m, scratch);
      }
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
      frame.d_gates = rows_of<T>(d_gates_).from(row).data;
      frame.d_bias = rows_of<T>(d_bias_).from(part).data;
      frame.d_peephole = d_peephole_.template data_ptr<T>() + part * 3 * shape_.size;
      kernels.lstm_frame_backward(frame);
    }
  }

  // The derivative with respect to y of frame t: what was given, and what the next frame passes on
  // for the utterances that have one.
  void output_gradient(int64_t t, int64_t begin, int64_t end, ProductScratch<T>& scratch) const {
    const int64_t row = t * shape_.batch() + begin;
    const int64_t count = shape_.running(t, begin, end);
    const int64_t later = shape_.running(t + 1, begin, end);
    const Rows<const T> given = rows_of<T>(gradient_).from(row);
    const Rows<T> d_outputs = rows_of<T>(d_outputs_).from(row);
    if (later > 0) {
      recurrent_.multiply(rows_of<T>(d_gates_).from(row + shape_.batch()), later, given, d_outputs,
                          scratch);
    }
    std::copy_n(given.from(later).data, (count - later) * shape_.outputs,
                d_outputs.from(later).data);
  }

  Shape shape_;
  Product recurrent_;
  std::unique_ptr<Product> projection_;
  const T* peephole_;
  Activations a_;
  Tensor gradient_;
  Tensor d_gates_;
  Tensor d_outputs_;
  Tensor d_bias_;      // [parts, 4 size]
  Tensor d_peephole_;  // [parts, 3, size]
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
    const LayerState before{first_output, first_cell};
    const Activations a =
        with_type(x, [&](auto type) { return Forward<decltype(type)>(shape, p, before).run(); });
    context->saved_data["wants_dx"] = x.requires_grad();
    context->saved_data["outputs"] = outputs;
    context->saved_data["cell_clip"] = cell_clip;
    context->saved_data["running"] = running;
    context->saved_data["continues"] = continues;
    context->save_for_backward({x, input, bias, recurrent, peephole, projection, a.gates, a.cells,
                                shape.projected ? a.hidden : Tensor(), a.outputs});
    const Tensor last_cell = last_frame(a.cells);
    context->mark_non_differentiable({last_cell});
    return {shape.without_before(a.outputs), last_cell};
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
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
      return Backward<decltype(type)>(shape, p, a, gradient).run(p, wants_dx);
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
  if (state != nullptr) *state = {last_frame(result[0]), result[1]};
  return result[0];
}

}  // namespace ernn::cpu
