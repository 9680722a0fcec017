#include "models/lstm.h"

#include <ATen/Dispatch.h>
#include <torch/autograd.h>
#include <torch/utils.h>

#include <optional>

#include "compute/gates.h"
#include "models/cpu_lstm.h"
#include "models/operation.h"

namespace ernn {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Parts of a tensor [frames, batch, gates x size] by gate and frame.
struct GateViews {
  GateViews(const Tensor& gates, int64_t count, int64_t first, int64_t number) {
    const int64_t size = gates.size(2) / count;
    at_frame = gates.unflatten(2, {count, size}).narrow(2, first, number).unbind(0);
  }
  std::vector<Tensor> at_frame;  // shape: [batch, number, size] each
};

Tensor gate(const Tensor& gates, int64_t n) {
  const int64_t size = gates.size(2) / 4;
  return gates.narrow(2, n * size, size);
}

// What the recurrence computes frame by frame and its derivatives need. Shape: [frames, batch, 4
// size] of the gates' values, [frames, batch, size] of the others.
struct LstmMemory {
  Tensor gates, cells, squashed, hidden;
};

// The gates of a frame, from arguments without peepholes to the hidden output, by LibTorch's
// operators.
class OperatorGates {
 public:
  OperatorGates(const LstmMemory& memory, const Tensor& peephole, double cell_clip)
      : cell_clip_(cell_clip),
        input_forget_(memory.gates, 4, 0, 2),
        i_(gate(memory.gates, 0).unbind(0)),
        f_(gate(memory.gates, 1).unbind(0)),
        g_(gate(memory.gates, 2).unbind(0)),
        o_(gate(memory.gates, 3).unbind(0)),
        c_(memory.cells.unbind(0)),
        s_(memory.squashed.unbind(0)),
        m_(memory.hidden.unbind(0)) {
    if (!present(peephole)) return;
    peephole_if_ = peephole.narrow(0, 0, 2);
    peephole_o_ = peephole.select(0, 2);
  }

  void operator()(std::size_t t, const Tensor& c_before) {
    const Tensor& input_forget = input_forget_.at_frame[t];
    if (peephole_if_.defined()) input_forget.addcmul_(c_before.unsqueeze(1), peephole_if_);
    input_forget.sigmoid_();
    g_[t].tanh_();
    at::mul_out(c_[t], i_[t], g_[t]);
    c_[t].addcmul_(f_[t], c_before);
    if (cell_clip_ > 0) c_[t].clamp_(-cell_clip_, cell_clip_);
    if (peephole_o_.defined()) o_[t].addcmul_(c_[t], peephole_o_);
    o_[t].sigmoid_();
    at::tanh_out(s_[t], c_[t]);
    at::mul_out(m_[t], o_[t], s_[t]);
  }

 private:
  double cell_clip_;
  GateViews input_forget_;
  std::vector<Tensor> i_, f_, g_, o_, c_, s_, m_;
  Tensor peephole_if_, peephole_o_;
};

// The same in one pass.
void one_pass_gates(const LstmMemory& memory, std::size_t t, const Tensor& c_before,
                    const Tensor& peephole, double cell_clip) {
  AT_DISPATCH_FLOATING_TYPES(memory.gates.scalar_type(), "gates of an LSTM", [&] {
    compute::run_step(
        place_of(memory.gates),
        compute::LstmForward<scalar_t>{
            memory.cells.size(2), frame_data<scalar_t>(memory.gates, t),
            c_before.data_ptr<scalar_t>(), data_or_null<scalar_t>(peephole),
            static_cast<scalar_t>(cell_clip), frame_data<scalar_t>(memory.cells, t),
            frame_data<scalar_t>(memory.squashed, t), frame_data<scalar_t>(memory.hidden, t)},
        c_before.numel());
  });
}

// Back through the gates of a frame by LibTorch's operators: what can be computed for all frames at
// once is.
class OperatorGateDerivatives {
 public:
  OperatorGateDerivatives(const LstmMemory& memory, const Tensor& previous_cells,
                          const Tensor& peephole, double cell_clip, const Tensor& d_gates)
      : slopes_(torch::empty_like(memory.gates)),
        d_i_(gate(d_gates, 0).unbind(0)),
        d_f_(gate(d_gates, 1).unbind(0)),
        d_o_(gate(d_gates, 3).unbind(0)),
        d_ifg_(d_gates, 4, 0, 3),
        slope_ifg_(slopes_, 4, 0, 3),
        o_slope_(gate(slopes_, 3).unbind(0)),
        f_(gate(memory.gates, 1).unbind(0)),
        peephole_(peephole) {
    const auto value = [&memory](int64_t n) { return gate(memory.gates, n); };
    // d argument = d cell * slope for i, f, g and = d hidden * slope for o
    Tensor slope_i = gate(slopes_, 0);
    Tensor slope_f = gate(slopes_, 1);
    Tensor slope_g = gate(slopes_, 2);
    Tensor slope_o = gate(slopes_, 3);
    at::sigmoid_backward_out(slope_i, value(2), value(0));
    at::sigmoid_backward_out(slope_f, previous_cells, value(1));
    at::tanh_backward_out(slope_g, value(0), value(2));
    at::sigmoid_backward_out(slope_o, memory.squashed, value(3));
    // d cell += d hidden * slope
    c_slope_ = at::tanh_backward(value(3), memory.squashed).unbind(0);
    if (cell_clip > 0)
      unclipped_ = (memory.cells.abs() < cell_clip).to(memory.cells.scalar_type()).unbind(0);
  }

  void operator()(std::size_t t, const Tensor& d_hidden, const Tensor& d_cell) {
    const bool peepholes = present(peephole_);
    at::mul_out(d_o_[t], d_hidden, o_slope_[t]);
    d_cell.addcmul_(d_hidden, c_slope_[t]);
    if (peepholes) d_cell.addcmul_(d_o_[t], peephole_.select(0, 2));
    if (!unclipped_.empty()) d_cell.mul_(unclipped_[t]);
    at::mul_out(d_ifg_.at_frame[t], d_cell.unsqueeze(1), slope_ifg_.at_frame[t]);
    d_cell.mul_(f_[t]);
    if (peepholes && t > 0) {
      d_cell.addcmul_(d_i_[t], peephole_.select(0, 0));
      d_cell.addcmul_(d_f_[t], peephole_.select(0, 1));
    }
  }

 private:
  Tensor slopes_;
  std::vector<Tensor> d_i_, d_f_, d_o_;
  GateViews d_ifg_, slope_ifg_;
  std::vector<Tensor> o_slope_, f_, c_slope_, unclipped_;
  Tensor peephole_;
};

// The same in one pass.
void one_pass_derivatives(const LstmMemory& memory, const Tensor& previous_cells, std::size_t t,
                          const Tensor& peephole, double cell_clip, const Tensor& d_hidden,
                          const Tensor& d_cell, const Tensor& d_gates) {
  AT_DISPATCH_FLOATING_TYPES(memory.gates.scalar_type(), "gates of an LSTM", [&] {
    compute::run_step(place_of(memory.gates),
                      compute::LstmBackward<scalar_t>{
                          memory.cells.size(2), frame_data<scalar_t>(memory.gates, t),
                          frame_data<scalar_t>(previous_cells, t), data_or_null<scalar_t>(peephole),
                          static_cast<scalar_t>(cell_clip), frame_data<scalar_t>(memory.cells, t),
                          frame_data<scalar_t>(memory.squashed, t), d_hidden.data_ptr<scalar_t>(),
                          d_cell.data_ptr<scalar_t>(), frame_data<scalar_t>(d_gates, t)},
                      d_cell.numel());
  });
}

// Returns y, and c of the last frame without history.
struct LstmSequence : torch::autograd::Function<LstmSequence> {
  static tensor_list forward(AutogradContext* context, const Tensor& input, const Tensor& recurrent,
                             const Tensor& peephole, const Tensor& projection,
                             const Tensor& first_output, const Tensor& first_cell, double cell_clip,
                             bool one_pass) {
    // Hundreds of small operations: without the guard autograd's dispatch costs as much as they do.
    const at::AutoDispatchBelowADInplaceOrView guard;
    const int64_t size = input.size(2) / 4;
    const Tensor cells = torch::empty({input.size(0), input.size(1), size}, input.options());
    const LstmMemory memory{torch::empty_like(input, torch::MemoryFormat::Contiguous), cells,
                            torch::empty_like(cells), torch::empty_like(cells)};
    const bool projected = present(projection);
    const Tensor outputs =
        projected ? torch::empty({input.size(0), input.size(1), recurrent.size(1)}, input.options())
                  : memory.hidden;

    const auto in = input.unbind(0);
    auto arguments = memory.gates.unbind(0);
    const auto c = cells.unbind(0);
    const auto m = memory.hidden.unbind(0);
    auto y = outputs.unbind(0);
    const Tensor recurrent_t = recurrent.t();
    const Tensor projection_t = projected ? projection.t() : Tensor();
    std::optional<OperatorGates> operators;
    if (!one_pass) operators.emplace(memory, peephole, cell_clip);
    Tensor y_before = present(first_output) ? first_output : torch::zeros_like(y[0]);
    Tensor c_before = present(first_cell) ? first_cell : torch::zeros_like(c[0]);
    for (std::size_t t = 0; t < in.size(); ++t) {
      at::addmm_out(arguments[t], in[t], y_before, recurrent_t);
      if (operators) {
        (*operators)(t, c_before);
      } else {
        one_pass_gates(memory, t, c_before, peephole, cell_clip);
      }
      if (projected) at::mm_out(y[t], m[t], projection_t);
      y_before = y[t];
      c_before = c[t];
    }
    context->saved_data["cell_clip"] = cell_clip;
    context->saved_data["one_pass"] = one_pass;
    context->save_for_backward({recurrent, peephole, projection, memory.gates, cells,
                                memory.squashed, projected ? memory.hidden : Tensor(), outputs,
                                first_output, first_cell});
    const Tensor last_cell = last_frame(cells);
    context->mark_non_differentiable({last_cell});
    return {outputs, last_cell};
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    require_first_derivative();
    const at::AutoDispatchBelowADInplaceOrView guard;
    const auto saved = context->get_saved_variables();
    const Tensor& peephole = saved[1];
    const Tensor& projection = saved[2];
    const Tensor& cells = saved[4];
    const Tensor& outputs = saved[7];
    const LstmMemory memory{saved[3], cells, saved[5], saved[6]};
    const Tensor previous_cells = delayed(cells, saved[9]);
    const double cell_clip = context->saved_data["cell_clip"].toDouble();
    const Tensor d_gates = torch::empty_like(memory.gates);
    const Tensor d_outputs = torch::empty_like(outputs, torch::MemoryFormat::Contiguous);
    std::optional<OperatorGateDerivatives> operators;
    if (!context->saved_data["one_pass"].toBool())
      operators.emplace(memory, previous_cells, peephole, cell_clip, d_gates);
    through_time(saved[0], projection, gradients[0].contiguous(), d_gates, d_outputs,
                 [&](std::size_t t, const Tensor& d_hidden, const Tensor& d_cell) {
                   if (operators) {
                     (*operators)(t, d_hidden, d_cell);
                   } else {
                     one_pass_derivatives(memory, previous_cells, t, peephole, cell_clip, d_hidden,
                                          d_cell, d_gates);
                   }
                 });

    const int64_t size = cells.size(2);
    tensor_list result(8);
    result[0] = d_gates;
    result[1] = flat(d_gates).t().mm(flat(delayed(outputs, saved[8])));
    if (present(peephole)) {
      const Tensor d_if = flat(d_gates.narrow(2, 0, 2 * size)).view({-1, 2, size});
      result[2] = torch::cat({(d_if * flat(previous_cells).unsqueeze(1)).sum(0),
                              flat(gate(d_gates, 3) * cells).sum(0, true)});
    }
    if (present(projection)) result[3] = flat(d_outputs).t().mm(flat(memory.hidden));
    return result;
  }

 private:
  // Fills d_gates with the derivatives with respect to the gates' arguments, by `gates`(frame, d
  // hidden, d cell in and out), and d_outputs with those with respect to y, the recurrence
  // included.
  template <class Gates>
  static void through_time(const Tensor& recurrent, const Tensor& projection,
                           const Tensor& gradient, const Tensor& d_gates, const Tensor& d_outputs,
                           const Gates& gates) {
    const auto d_all = d_gates.unbind(0);
    auto d_y = d_outputs.unbind(0);
    const auto given = gradient.unbind(0);
    const int64_t size = d_gates.size(2) / 4;
    Tensor d_cell = torch::zeros({d_gates.size(1), size}, d_gates.options());
    Tensor d_hidden = torch::empty_like(d_cell);
    for (std::size_t t = given.size(); t-- > 0;) {
      if (t + 1 == given.size()) {
        d_y[t].copy_(given[t]);
      } else {
        at::addmm_out(d_y[t], given[t], d_all[t + 1], recurrent);
      }
      if (present(projection)) {
        at::mm_out(d_hidden, d_y[t], projection);
      } else {
        d_hidden = d_y[t];
      }
      gates(t, d_hidden, d_cell);
    }
  }
};

}  // namespace

Tensor lstm_sequence(const Tensor& input, const Tensor& recurrent, const Tensor& peephole,
                     const Tensor& projection, double cell_clip, LayerState* state, Gates gates) {
  TORCH_CHECK(input.dim() == 3 && input.size(0) > 0 && input.size(2) == recurrent.size(0),
              "the gates' input must be [frames, batch, 4 size], not ", input.sizes());
  const Tensor absent = input.new_empty({0});
  const LayerState before = state == nullptr ? LayerState{} : *state;
  const tensor_list result =
      LstmSequence::apply(input, recurrent, peephole.defined() ? peephole : absent,
                          projection.defined() ? projection : absent,
                          state_argument(before.output, input, recurrent.size(1)),
                          state_argument(before.cell, input, input.size(2) / 4), cell_clip,
                          gates == Gates::in_one_pass);
  if (state != nullptr) *state = {last_frame(result[0]), result[1], {}};
  return result[0];
}

LstmLayer::LstmLayer(const LayerOptions& options, const std::vector<MatrixShape>& shapes)
    : size_(options.size),
      cell_clip_(options.cell_clip),
      input_(add_matrix(shapes.at(0))),
      recurrent_(add_matrix(shapes.at(1))) {
  if (options.projection > 0) projection_ = add_matrix(shapes.at(2));
  bias_ = register_parameter("bias", torch::zeros({4 * size_}));
  if (options.peepholes) peephole_ = register_parameter("peephole", torch::zeros({3, size_}));
}

Tensor LstmLayer::forward(const Tensor& x, const std::vector<int64_t>& running, LayerState* state) {
  if (uses_kernels(x)) {
    cpu::LstmParameters parameters;
    parameters.input = input_->weight;
    parameters.bias = bias_;
    parameters.recurrent = recurrent_->weight;
    parameters.peephole = peephole_;
    if (projection_) parameters.projection = projection_->weight;
    parameters.outputs = recurrent_->shape().cols;
    parameters.cell_clip = cell_clip_;
    return cpu::lstm_layer(x, parameters, running, state);
  }
  return lstm_sequence(input_->forward(x, bias_), recurrent_->dense(), peephole_,
                       projection_ ? projection_->dense() : Tensor(), cell_clip_, state,
                       gates_for(x));
}

void LstmLayer::initialise(const at::Generator& generator) {
  initialise_matrices(generator);
  const torch::NoGradGuard no_gradient;
  bias_.zero_();
  bias_.narrow(0, size_, size_).fill_(1);
  if (peephole_.defined()) peephole_.zero_();
}

}  // namespace ernn
