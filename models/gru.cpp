#include "models/gru.h"

#include <torch/autograd.h>
#include <torch/utils.h>

#include "models/cpu_gru.h"
#include "models/operation.h"

namespace ernn {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct GruSequence : torch::autograd::Function<GruSequence> {
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& recurrent,
                        const Tensor& candidate, const Tensor& candidate_bias,
                        const Tensor& first) {
    // Hundreds of small operations: without the guard autograd's dispatch costs as much as they do.
    const at::AutoDispatchBelowADInplaceOrView guard;
    const int64_t size = candidate.size(0);
    const bool after = present(candidate_bias);
    const Tensor gates = torch::empty({input.size(0), input.size(1), 2 * size}, input.options());
    const Tensor candidates = torch::empty({input.size(0), input.size(1), size}, input.options());
    Tensor hidden = torch::empty_like(candidates);
    // before: r . h'; after: U_c h' + b_v
    const Tensor inner = torch::empty_like(candidates);

    const auto in_zr = input.narrow(2, 0, 2 * size).unbind(0);
    const auto in_c = input.narrow(2, 2 * size, size).unbind(0);
    auto zr = gates.unbind(0);
    const auto z = gates.narrow(2, 0, size).unbind(0);
    const auto r = gates.narrow(2, size, size).unbind(0);
    auto n = candidates.unbind(0);
    auto v = inner.unbind(0);
    auto h = hidden.unbind(0);
    const Tensor recurrent_t = recurrent.t();
    const Tensor candidate_t = candidate.t();
    Tensor previous = present(first) ? first : torch::zeros_like(h[0]);
    for (std::size_t t = 0; t < h.size(); ++t) {
      at::addmm_out(zr[t], in_zr[t], previous, recurrent_t).sigmoid_();
      if (after) {
        at::addmm_out(v[t], candidate_bias, previous, candidate_t);
        at::addcmul_out(n[t], in_c[t], r[t], v[t]);
      } else {
        at::mul_out(v[t], r[t], previous);
        at::addmm_out(n[t], in_c[t], v[t], candidate_t);
      }
      n[t].tanh_();
      at::lerp_out(h[t], previous, n[t], z[t]);
      previous = h[t];
    }
    context->save_for_backward(
        {recurrent, candidate, candidate_bias, gates, candidates, inner, hidden, first});
    return hidden;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    require_first_derivative();
    const at::AutoDispatchBelowADInplaceOrView guard;
    const auto saved = context->get_saved_variables();
    const bool after = present(saved[2]);
    const Tensor& inner = saved[5];
    const Tensor previous = delayed(saved[6], saved[7]);
    const int64_t size = inner.size(2);
    const Tensor d_input = torch::empty({inner.size(0), inner.size(1), 3 * size}, inner.options());
    const Tensor d_inner = after ? torch::empty_like(inner) : Tensor();
    through_time(saved, previous, gradients[0].contiguous(), d_input, d_inner);

    tensor_list result(5);
    result[0] = d_input;
    result[1] = flat(d_input.narrow(2, 0, 2 * size)).t().mm(flat(previous));
    if (after) {
      result[2] = flat(d_inner).t().mm(flat(previous));
      result[3] = flat(d_inner).sum(0);
    } else {
      result[2] = flat(d_input.narrow(2, 2 * size, size)).t().mm(flat(inner));
    }
    return result;
  }

 private:
  // Fills d_input with the derivatives with respect to the arguments of z, r and n, and, with the
  // reset after the product, d_inner with those with respect to U_c h' + b_v.
  static void through_time(const tensor_list& saved, const Tensor& previous, const Tensor& gradient,
                           const Tensor& d_input, const Tensor& d_inner) {
    const Tensor& recurrent = saved[0];
    const Tensor& candidate = saved[1];
    const bool after = d_inner.defined();
    const Tensor& candidates = saved[4];
    const int64_t size = candidates.size(2);
    const Tensor z = saved[3].narrow(2, 0, size);
    const Tensor r = saved[3].narrow(2, size, size);

    // d argument = d h * slope for z and n; for r = d (r . h') * slope or d n * slope
    const auto z_slope = at::sigmoid_backward(candidates - previous, z).unbind(0);
    const auto n_slope = at::tanh_backward(z, candidates).unbind(0);
    const auto r_slope = at::sigmoid_backward(after ? saved[5] : previous, r).unbind(0);
    const auto keep = (1 - z).unbind(0);
    const auto reset = r.unbind(0);
    const auto given = gradient.unbind(0);
    const auto d_zr = d_input.narrow(2, 0, 2 * size).unbind(0);
    auto d_z = d_input.narrow(2, 0, size).unbind(0);
    auto d_r = d_input.narrow(2, size, size).unbind(0);
    auto d_n = d_input.narrow(2, 2 * size, size).unbind(0);
    auto d_v = after ? d_inner.unbind(0) : tensor_list();
    Tensor d_h = torch::zeros_like(given[0]);
    Tensor d_reset = torch::empty_like(d_h);
    for (std::size_t t = given.size(); t-- > 0;) {
      d_h.add_(given[t]);
      at::mul_out(d_z[t], d_h, z_slope[t]);
      at::mul_out(d_n[t], d_h, n_slope[t]);
      d_h.mul_(keep[t]);
      if (after) {
        at::mul_out(d_r[t], d_n[t], r_slope[t]);
        at::mul_out(d_v[t], d_n[t], reset[t]);
        d_h.addmm_(d_v[t], candidate);
      } else {
        at::mm_out(d_reset, d_n[t], candidate);
        at::mul_out(d_r[t], d_reset, r_slope[t]);
        d_h.addcmul_(d_reset, reset[t]);
      }
      d_h.addmm_(d_zr[t], recurrent);
    }
  }
};

}  // namespace

Tensor gru_sequence(const Tensor& input, const Tensor& recurrent, const Tensor& candidate,
                    const Tensor& candidate_bias, LayerState* state) {
  TORCH_CHECK(input.dim() == 3 && input.size(0) > 0 && input.size(2) == 3 * candidate.size(0),
              "the gates' input must be [frames, batch, 3 size], not ", input.sizes());
  const Tensor first = state == nullptr ? Tensor() : state->output;
  const Tensor h = GruSequence::apply(
      input, recurrent, candidate, candidate_bias.defined() ? candidate_bias : input.new_empty({0}),
      state_argument(first, input, candidate.size(0)));
  if (state != nullptr) state->output = last_frame(h);
  return h;
}

GruLayer::GruLayer(const LayerOptions& options, const std::vector<MatrixShape>& shapes)
    : input_(add_matrix(shapes.at(0))),
      recurrent_(add_matrix(shapes.at(1))),
      candidate_(add_matrix(shapes.at(2))) {
  bias_ = register_parameter("bias", torch::zeros({3 * options.size}));
  if (options.reset == GruReset::after)
    candidate_bias_ = register_parameter("candidate_bias", torch::zeros({options.size}));
}

Tensor GruLayer::forward(const Tensor& x, const std::vector<int64_t>& running, LayerState* state) {
  if (uses_kernels(x)) {
    return cpu::gru_layer(
        x, {input_->weight, bias_, recurrent_->weight, candidate_->weight, candidate_bias_},
        running, state);
  }
  return gru_sequence(input_->forward(x, bias_), recurrent_->dense(), candidate_->dense(),
                      candidate_bias_, state);
}

void GruLayer::initialise(const at::Generator& generator) {
  initialise_matrices(generator);
  const torch::NoGradGuard no_gradient;
  bias_.zero_();
  if (candidate_bias_.defined()) candidate_bias_.zero_();
}

}  // namespace ernn
