#include "models/lstm.h"

#include <torch/autograd.h>
#include <torch/utils.h>

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

// Returns y, and c of the last frame without history.
struct LstmSequence : torch::autograd::Function<LstmSequence> {
  static tensor_list forward(AutogradContext* context, const Tensor& input, const Tensor& recurrent,
                             const Tensor& peephole, const Tensor& projection,
                             const Tensor& first_output, const Tensor& first_cell,
                             double cell_clip) {
    // Hundreds of small operations: without the guard autograd's dispatch costs as much as they do.
    const at::AutoDispatchBelowADInplaceOrView guard;
    const int64_t frames = input.size(0);
    const int64_t size = input.size(2) / 4;
    const Tensor gates = torch::empty_like(input, torch::MemoryFormat::Contiguous);
    const Tensor cells = torch::empty({frames, input.size(1), size}, input.options());
    const Tensor squashed = torch::empty_like(cells);
    const Tensor hidden = torch::empty_like(cells);
    const bool projected = present(projection);
    Tensor outputs = projected
                         ? torch::empty({frames, input.size(1), recurrent.size(1)}, input.options())
                         : hidden;

    const auto in = input.unbind(0);
    const auto all = gates.unbind(0);
    const GateViews input_forget(gates, 4, 0, 2);
    const auto i = gates.narrow(2, 0, size).unbind(0);
    const auto f = gates.narrow(2, size, size).unbind(0);
    const auto g = gates.narrow(2, 2 * size, size).unbind(0);
    const auto o = gates.narrow(2, 3 * size, size).unbind(0);
    auto c = cells.unbind(0);
    auto s = squashed.unbind(0);
    auto m = hidden.unbind(0);
    auto y = outputs.unbind(0);
    const Tensor recurrent_t = recurrent.t();
    const Tensor projection_t = projected ? projection.t() : Tensor();
    const bool peepholes = present(peephole);
    const Tensor peephole_if = peepholes ? peephole.narrow(0, 0, 2) : Tensor();
    const Tensor peephole_o = peepholes ? peephole.select(0, 2) : Tensor();
    Tensor y_before = present(first_output) ? first_output : torch::zeros_like(y[0]);
    Tensor c_before = present(first_cell) ? first_cell : torch::zeros_like(c[0]);

    for (std::size_t t = 0; t < in.size(); ++t) {
      Tensor gate = all[t];
      at::addmm_out(gate, in[t], y_before, recurrent_t);
      if (peepholes) input_forget.at_frame[t].addcmul_(c_before.unsqueeze(1), peephole_if);
      input_forget.at_frame[t].sigmoid_();
      g[t].tanh_();
      at::mul_out(c[t], i[t], g[t]);
      c[t].addcmul_(f[t], c_before);
      if (cell_clip > 0) c[t].clamp_(-cell_clip, cell_clip);
      if (peepholes) o[t].addcmul_(c[t], peephole_o);
      o[t].sigmoid_();
      at::tanh_out(s[t], c[t]);
      at::mul_out(m[t], o[t], s[t]);
      if (projected) at::mm_out(y[t], m[t], projection_t);
      y_before = y[t];
      c_before = c[t];
    }
    context->saved_data["cell_clip"] = cell_clip;
    context->save_for_backward({recurrent, peephole, projection, gates, cells, squashed,
                                projected ? hidden : Tensor(), outputs, first_output, first_cell});
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
    const Tensor& hidden = saved[6];
    const Tensor& outputs = saved[7];
    const Tensor previous_cells = delayed(cells, saved[9]);
    Tensor d_outputs = torch::empty_like(outputs, torch::MemoryFormat::Contiguous);
    const Tensor d_gates = through_time(saved, previous_cells, gradients[0].contiguous(),
                                        context->saved_data["cell_clip"].toDouble(), d_outputs);

    const int64_t size = cells.size(2);
    tensor_list result(7);
    result[0] = d_gates;
    result[1] = flat(d_gates).t().mm(flat(delayed(outputs, saved[8])));
    if (present(peephole)) {
      const Tensor d_if = flat(d_gates.narrow(2, 0, 2 * size)).view({-1, 2, size});
      result[2] = torch::cat({(d_if * flat(previous_cells).unsqueeze(1)).sum(0),
                              flat(d_gates.narrow(2, 3 * size, size) * cells).sum(0, true)});
    }
    if (present(projection)) result[3] = flat(d_outputs).t().mm(flat(hidden));
    return result;
  }

 private:
  // Derivatives with respect to the gates' arguments, [frames, batch, 4 size]; fills d_outputs with
  // those with respect to y, the recurrence included.
  static Tensor through_time(const tensor_list& saved, const Tensor& previous_cells,
                             const Tensor& gradient, double cell_clip, const Tensor& d_outputs) {
    const Tensor& recurrent = saved[0];
    const Tensor& peephole = saved[1];
    const Tensor& projection = saved[2];
    const Tensor& gates = saved[3];
    const Tensor& cells = saved[4];
    const Tensor& squashed = saved[5];
    const int64_t size = cells.size(2);
    const bool peepholes = present(peephole);

    const auto gate = [size](const Tensor& x, int64_t n) { return x.narrow(2, n * size, size); };
    // d argument = d cell * slope for i, f, g and = d hidden * slope for o
    const Tensor slopes = torch::empty_like(gates);
    Tensor slope_i = gate(slopes, 0);
    Tensor slope_f = gate(slopes, 1);
    Tensor slope_g = gate(slopes, 2);
    Tensor slope_o = gate(slopes, 3);
    at::sigmoid_backward_out(slope_i, gate(gates, 2), gate(gates, 0));
    at::sigmoid_backward_out(slope_f, previous_cells, gate(gates, 1));
    at::tanh_backward_out(slope_g, gate(gates, 0), gate(gates, 2));
    at::sigmoid_backward_out(slope_o, squashed, gate(gates, 3));
    // d cell += d hidden * slope
    const Tensor cell_slopes = at::tanh_backward(gate(gates, 3), squashed);
    const Tensor unclipped =
        cell_clip > 0 ? (cells.abs() < cell_clip).to(cells.scalar_type()) : Tensor();

    Tensor d_gates = torch::empty_like(gates);
    const auto d_all = d_gates.unbind(0);
    const auto d_y = d_outputs.unbind(0);
    const auto d_i = gate(d_gates, 0).unbind(0);
    const auto d_f = gate(d_gates, 1).unbind(0);
    const auto d_o = gate(d_gates, 3).unbind(0);
    const GateViews d_ifg(d_gates, 4, 0, 3);
    const GateViews slope_ifg(slopes, 4, 0, 3);
    const auto o_slope = slope_o.unbind(0);
    const auto c_slope = cell_slopes.unbind(0);
    const auto f = gate(gates, 1).unbind(0);
    const auto given = gradient.unbind(0);
    const Tensor d_hidden = torch::empty_like(cells.select(0, 0));
    Tensor d_cell = torch::zeros_like(d_hidden);  // holds what the later frame passes on
    for (std::size_t t = given.size(); t-- > 0;) {
      Tensor dy = d_y[t];
      if (t + 1 == given.size()) {
        dy.copy_(given[t]);
      } else {
        at::addmm_out(dy, given[t], d_all[t + 1], recurrent);
      }
      Tensor dm = d_hidden;
      if (present(projection)) {
        at::mm_out(dm, dy, projection);
      } else {
        dm = dy;
      }
      Tensor d_o_t = d_o[t];
      at::mul_out(d_o_t, dm, o_slope[t]);
      d_cell.addcmul_(dm, c_slope[t]);
      if (peepholes) d_cell.addcmul_(d_o_t, peephole.select(0, 2));
      if (cell_clip > 0) d_cell.mul_(unclipped.select(0, static_cast<int64_t>(t)));
      Tensor d_ifg_t = d_ifg.at_frame[t];
      at::mul_out(d_ifg_t, d_cell.unsqueeze(1), slope_ifg.at_frame[t]);
      d_cell.mul_(f[t]);
      if (peepholes && t > 0) {
        d_cell.addcmul_(d_i[t], peephole.select(0, 0));
        d_cell.addcmul_(d_f[t], peephole.select(0, 1));
      }
    }
    return d_gates;
  }
};

}  // namespace

Tensor lstm_sequence(const Tensor& input, const Tensor& recurrent, const Tensor& peephole,
                     const Tensor& projection, double cell_clip, LayerState* state) {
  TORCH_CHECK(input.dim() == 3 && input.size(0) > 0 && input.size(2) == recurrent.size(0),
              "the gates' input must be [frames, batch, 4 size], not ", input.sizes());
  const Tensor absent = input.new_empty({0});
  const LayerState before = state == nullptr ? LayerState{} : *state;
  const tensor_list result =
      LstmSequence::apply(input, recurrent, peephole.defined() ? peephole : absent,
                          projection.defined() ? projection : absent,
                          state_argument(before.output, input, recurrent.size(1)),
                          state_argument(before.cell, input, input.size(2) / 4), cell_clip);
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
                       projection_ ? projection_->dense() : Tensor(), cell_clip_, state);
}

void LstmLayer::initialise(const at::Generator& generator) {
  initialise_matrices(generator);
  const torch::NoGradGuard no_gradient;
  bias_.zero_();
  bias_.narrow(0, size_, size_).fill_(1);
  if (peephole_.defined()) peephole_.zero_();
}

}  // namespace ernn
