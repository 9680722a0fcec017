#include "models/gru.h"

#include <ATen/Dispatch.h>
#include <torch/autograd.h>
#include <torch/utils.h>

#include "compute/gates.h"
#include "models/cpu_gru.h"
#include "models/operation.h"

namespace ernn {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// What the recurrence computes frame by frame and its derivatives need.
struct GruMemory {
  Tensor gates;       // z and r, [frames, batch, 2 size]
  Tensor candidates;  // n, [frames, batch, size]
  Tensor inner;       // before: r . h'; after: U_c h' + b_v
  Tensor hidden;      // h

  int64_t size() const { return hidden.size(2); }
};

// A frame behind the product of z and r, by LibTorch's operators.
class OperatorGates {
 public:
  explicit OperatorGates(const GruMemory& memory)
      : zr_(memory.gates.unbind(0)),
        z_(memory.gates.narrow(2, 0, memory.size()).unbind(0)),
        r_(memory.gates.narrow(2, memory.size(), memory.size()).unbind(0)),
        n_(memory.candidates.unbind(0)),
        v_(memory.inner.unbind(0)),
        h_(memory.hidden.unbind(0)) {}

  void reset(std::size_t t, const Tensor& previous) {
    zr_[t].sigmoid_();
    at::mul_out(v_[t], r_[t], previous);
  }
  void output(std::size_t t, const Tensor& previous) {
    n_[t].tanh_();
    at::lerp_out(h_[t], previous, n_[t], z_[t]);
  }
  void after(std::size_t t, const Tensor& input, const Tensor& previous) {
    zr_[t].sigmoid_();
    at::addcmul_out(n_[t], input, r_[t], v_[t]);
    output(t, previous);
  }

 private:
  std::vector<Tensor> zr_, z_, r_, n_, v_, h_;
};

// The same in one pass each.
class OnePassGates {
 public:
  explicit OnePassGates(const GruMemory& memory) : memory_(memory) {}

  void reset(std::size_t t, const Tensor& previous) {
    AT_DISPATCH_FLOATING_TYPES(previous.scalar_type(), "gates of a GRU", [&] {
      run(compute::GruReset<scalar_t>{memory_.size(), frame_data<scalar_t>(memory_.gates, t),
                                      previous.data_ptr<scalar_t>(),
                                      frame_data<scalar_t>(memory_.inner, t)},
          previous);
    });
  }
  void output(std::size_t t, const Tensor& previous) {
    AT_DISPATCH_FLOATING_TYPES(previous.scalar_type(), "gates of a GRU", [&] {
      run(compute::GruOutput<scalar_t>{memory_.size(), frame_data<scalar_t>(memory_.gates, t),
                                       previous.data_ptr<scalar_t>(),
                                       frame_data<scalar_t>(memory_.candidates, t),
                                       frame_data<scalar_t>(memory_.hidden, t)},
          previous);
    });
  }
  void after(std::size_t t, const Tensor& input, const Tensor& previous) {
    AT_DISPATCH_FLOATING_TYPES(previous.scalar_type(), "gates of a GRU", [&] {
      run(compute::GruAfter<scalar_t>{memory_.size(), input.data_ptr<scalar_t>(), input.stride(0),
                                      frame_data<scalar_t>(memory_.gates, t),
                                      frame_data<scalar_t>(memory_.inner, t),
                                      previous.data_ptr<scalar_t>(),
                                      frame_data<scalar_t>(memory_.candidates, t),
                                      frame_data<scalar_t>(memory_.hidden, t)},
          previous);
    });
  }

 private:
  template <class Step>
  void run(const Step& step, const Tensor& previous) const {
    compute::run_step(place_of(memory_.gates), step, previous.numel());
  }

  GruMemory memory_;
};

// Back through the gates of a frame by LibTorch's operators: what can be computed for all frames at
// once is. `d_inner` is undefined with the reset before the product.
class OperatorGateDerivatives {
 public:
  OperatorGateDerivatives(const GruMemory& memory, const Tensor& previous, const Tensor& d_input,
                          const Tensor& d_inner) {
    const int64_t size = memory.size();
    const Tensor z = memory.gates.narrow(2, 0, size);
    const Tensor r = memory.gates.narrow(2, size, size);
    const bool after = d_inner.defined();
    // d argument = d h * slope for z and n; for r = d (r . h') * slope or d n * slope
    z_slope_ = at::sigmoid_backward(memory.candidates - previous, z).unbind(0);
    n_slope_ = at::tanh_backward(z, memory.candidates).unbind(0);
    r_slope_ = at::sigmoid_backward(after ? memory.inner : previous, r).unbind(0);
    keep_ = (1 - z).unbind(0);
    reset_ = r.unbind(0);
    d_z_ = d_input.narrow(2, 0, size).unbind(0);
    d_r_ = d_input.narrow(2, size, size).unbind(0);
    d_n_ = d_input.narrow(2, 2 * size, size).unbind(0);
    if (after) d_v_ = d_inner.unbind(0);
  }

  void output(std::size_t t, const Tensor& given, const Tensor& d_h) {
    d_h.add_(given);
    at::mul_out(d_z_[t], d_h, z_slope_[t]);
    at::mul_out(d_n_[t], d_h, n_slope_[t]);
    d_h.mul_(keep_[t]);
    if (d_v_.empty()) return;
    at::mul_out(d_r_[t], d_n_[t], r_slope_[t]);
    at::mul_out(d_v_[t], d_n_[t], reset_[t]);
  }
  void reset(std::size_t t, const Tensor& d_reset, const Tensor& d_h) {
    at::mul_out(d_r_[t], d_reset, r_slope_[t]);
    d_h.addcmul_(d_reset, reset_[t]);
  }

 private:
  std::vector<Tensor> z_slope_, n_slope_, r_slope_, keep_, reset_, d_z_, d_r_, d_n_, d_v_;
};

// The same in one pass each.
class OnePassGateDerivatives {
 public:
  OnePassGateDerivatives(const GruMemory& memory, const Tensor& previous, const Tensor& d_input,
                         const Tensor& d_inner)
      : memory_(memory), previous_(previous), d_input_(d_input), d_inner_(d_inner) {}

  void output(std::size_t t, const Tensor& given, const Tensor& d_h) {
    AT_DISPATCH_FLOATING_TYPES(d_h.scalar_type(), "gates of a GRU", [&] {
      const bool after = d_inner_.defined();
      run(compute::GruBackward<scalar_t>{memory_.size(), frame_data<scalar_t>(memory_.gates, t),
                                         frame_data<scalar_t>(previous_, t),
                                         frame_data<scalar_t>(memory_.candidates, t),
                                         after ? frame_data<scalar_t>(memory_.inner, t) : nullptr,
                                         given.data_ptr<scalar_t>(), d_h.data_ptr<scalar_t>(),
                                         frame_data<scalar_t>(d_input_, t),
                                         after ? frame_data<scalar_t>(d_inner_, t) : nullptr},
          d_h);
    });
  }
  void reset(std::size_t t, const Tensor& d_reset, const Tensor& d_h) {
    AT_DISPATCH_FLOATING_TYPES(d_h.scalar_type(), "gates of a GRU", [&] {
      run(
          compute::GruResetBackward<scalar_t>{
              memory_.size(), frame_data<scalar_t>(memory_.gates, t),
              frame_data<scalar_t>(previous_, t), d_reset.data_ptr<scalar_t>(),
              d_h.data_ptr<scalar_t>(), frame_data<scalar_t>(d_input_, t)},
          d_h);
    });
  }

 private:
  template <class Step>
  void run(const Step& step, const Tensor& d_h) const {
    compute::run_step(place_of(memory_.gates), step, d_h.numel());
  }

  GruMemory memory_;
  Tensor previous_, d_input_, d_inner_;
};

struct GruSequence : torch::autograd::Function<GruSequence> {
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& recurrent,
                        const Tensor& candidate, const Tensor& candidate_bias, const Tensor& first,
                        bool one_pass) {
    // Hundreds of small operations: without the guard autograd's dispatch costs as much as they do.
    const at::AutoDispatchBelowADInplaceOrView guard;
    const int64_t size = candidate.size(0);
    const Tensor hidden = torch::empty({input.size(0), input.size(1), size}, input.options());
    const GruMemory memory{torch::empty({input.size(0), input.size(1), 2 * size}, input.options()),
                           torch::empty_like(hidden), torch::empty_like(hidden), hidden};
    if (one_pass) {
      through_time(memory, OnePassGates(memory), input, recurrent.t(), candidate.t(),
                   candidate_bias, first);
    } else {
      through_time(memory, OperatorGates(memory), input, recurrent.t(), candidate.t(),
                   candidate_bias, first);
    }
    context->saved_data["one_pass"] = one_pass;
    context->save_for_backward({recurrent, candidate, candidate_bias, memory.gates,
                                memory.candidates, memory.inner, hidden, first});
    return hidden;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    require_first_derivative();
    const at::AutoDispatchBelowADInplaceOrView guard;
    const auto saved = context->get_saved_variables();
    const GruMemory memory{saved[3], saved[4], saved[5], saved[6]};
    const bool after = present(saved[2]);
    const Tensor previous = delayed(memory.hidden, saved[7]);
    const int64_t size = memory.size();
    const Tensor d_input =
        torch::empty({previous.size(0), previous.size(1), 3 * size}, previous.options());
    const Tensor d_inner = after ? torch::empty_like(previous) : Tensor();
    const Tensor given = gradients[0].contiguous();
    if (context->saved_data["one_pass"].toBool()) {
      back_through_time(OnePassGateDerivatives(memory, previous, d_input, d_inner), saved[0],
                        saved[1], given, d_input, d_inner);
    } else {
      back_through_time(OperatorGateDerivatives(memory, previous, d_input, d_inner), saved[0],
                        saved[1], given, d_input, d_inner);
    }

    tensor_list result(6);
    result[0] = d_input;
    result[1] = flat(d_input.narrow(2, 0, 2 * size)).t().mm(flat(previous));
    if (after) {
      result[2] = flat(d_inner).t().mm(flat(previous));
      result[3] = flat(d_inner).sum(0);
    } else {
      result[2] = flat(d_input.narrow(2, 2 * size, size)).t().mm(flat(memory.inner));
    }
    return result;
  }

 private:
  template <class Gates>
  static void through_time(const GruMemory& memory, Gates gates, const Tensor& input,
                           const Tensor& recurrent_t, const Tensor& candidate_t,
                           const Tensor& candidate_bias, const Tensor& first) {
    const auto in_zr = input.narrow(2, 0, 2 * memory.size()).unbind(0);
    const auto in_c = input.narrow(2, 2 * memory.size(), memory.size()).unbind(0);
    auto zr = memory.gates.unbind(0);
    auto n = memory.candidates.unbind(0);
    auto v = memory.inner.unbind(0);
    const auto h = memory.hidden.unbind(0);
    const bool after = present(candidate_bias);
    Tensor previous = present(first) ? first : torch::zeros_like(h[0]);
    for (std::size_t t = 0; t < h.size(); ++t) {
      at::addmm_out(zr[t], in_zr[t], previous, recurrent_t);
      if (after) {
        at::addmm_out(v[t], candidate_bias, previous, candidate_t);
        gates.after(t, in_c[t], previous);
      } else {
        gates.reset(t, previous);
        at::addmm_out(n[t], in_c[t], v[t], candidate_t);
        gates.output(t, previous);
      }
      previous = h[t];
    }
  }

  // Fills d_input with the derivatives with respect to the arguments of z, r and n, and, with the
  // reset after the product, d_inner with those with respect to U_c h' + b_v.
  template <class Gates>
  static void back_through_time(Gates gates, const Tensor& recurrent, const Tensor& candidate,
                                const Tensor& gradient, const Tensor& d_input,
                                const Tensor& d_inner) {
    const int64_t size = candidate.size(0);
    const auto given = gradient.unbind(0);
    const auto d_zr = d_input.narrow(2, 0, 2 * size).unbind(0);
    const auto d_n = d_input.narrow(2, 2 * size, size).unbind(0);
    const auto d_v = d_inner.defined() ? d_inner.unbind(0) : tensor_list();
    const Tensor d_h = torch::zeros_like(given[0]);
    Tensor d_reset = torch::empty_like(d_h);
    for (std::size_t t = given.size(); t-- > 0;) {
      gates.output(t, given[t], d_h);
      if (d_inner.defined()) {
        d_h.addmm_(d_v[t], candidate);
      } else {
        at::mm_out(d_reset, d_n[t], candidate);
        gates.reset(t, d_reset, d_h);
      }
      d_h.addmm_(d_zr[t], recurrent);
    }
  }
};

}  // namespace

Tensor gru_sequence(const Tensor& input, const Tensor& recurrent, const Tensor& candidate,
                    const Tensor& candidate_bias, LayerState* state, Gates gates) {
  TORCH_CHECK(input.dim() == 3 && input.size(0) > 0 && input.size(2) == 3 * candidate.size(0),
              "the gates' input must be [frames, batch, 3 size], not ", input.sizes());
  const Tensor first = state == nullptr ? Tensor() : state->output;
  const Tensor h = GruSequence::apply(
      input, recurrent, candidate, candidate_bias.defined() ? candidate_bias : input.new_empty({0}),
      state_argument(first, input, candidate.size(0)), gates == Gates::in_one_pass);
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
                      candidate_bias_, state, gates_for(x));
}

void GruLayer::initialise(const at::Generator& generator) {
  initialise_matrices(generator);
  const torch::NoGradGuard no_gradient;
  bias_.zero_();
  if (candidate_bias_.defined()) candidate_bias_.zero_();
}

}  // namespace ernn
