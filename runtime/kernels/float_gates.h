// Elementwise parts of float layers.
#pragma once

#include "runtime/kernels/numbers.h"

namespace ernn {
namespace kernels {

template <class Tag>
struct FloatMath {
  using Set = typename Tag::Set;
  using V = typename Tag::Floats;

  ERNN_INLINE static V limit(V x, float most) {
    const V high = V{} + most;
    x = x < -high ? -high : x;
    return x > high ? high : x;
  }
  ERNN_INLINE static V sigmoid(V x) { return compute::sigmoid<Set, float>(x); }
  ERNN_INLINE static V tanh(V x) { return compute::tanh<Set, float>(x); }

  /// sigmoid(gate) * tanh(x) with one division. Beyond the limit both are flat, and the product of
  /// the denominators stays finite.
  ERNN_INLINE static V gated_tanh(V gate, V x) {
    constexpr float kFlat = 30;
    const V t = compute::expm1<Set, float>(limit(x + x, kFlat));
    return t / ((t + 2.0F) * (2.0F + compute::expm1<Set, float>(-limit(gate, kFlat))));
  }
};

template <class Tag, bool two, bool peepholes>
void float_lstm_units(const FloatLstmPlan& plan, const float* input, const float* state,
                      float* cell, float* hidden) {
  using N = FloatNumbers<Tag>;
  using V = typename N::V;
  using Math = FloatMath<Tag>;
  const std::ptrdiff_t part = plan.units.planes * plan.units.stride;
  for (int i = 0; i < plan.units.planes; ++i) {
    for (int b = 0; b < plan.units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * plan.units.stride + b;
      std::ptrdiff_t at = i * plan.units.gate_stride + b;
      V pre[4];
#pragma GCC unroll 4
      for (int g = 0; g < 4; ++g, at += plan.units.blocks) {
        pre[g] = N::read(input + at) + N::read(plan.bias + at);
        if constexpr (two) pre[g] += N::read(state + at);
      }
      const V old = N::read(cell + unit);
      if constexpr (peepholes) {
        pre[0] += N::read(plan.peephole + unit) * old;
        pre[1] += N::read(plan.peephole + part + unit) * old;
      }
      V c = Math::sigmoid(pre[1]) * old + Math::gated_tanh(pre[0], pre[2]);
      if (plan.clip > 0) c = Math::limit(c, plan.clip);
      if constexpr (peepholes) pre[3] += N::read(plan.peephole + 2 * part + unit) * c;
      N::write(cell + unit, c);
      N::write(hidden + unit, Math::gated_tanh(pre[3], c));
    }
  }
}

template <class Tag>
void float_lstm(const FloatLstmPlan& plan, const float* input, const float* state, float* cell,
                float* hidden) {
  const bool peepholes = plan.peephole != nullptr;
  if (state != nullptr && peepholes)
    return float_lstm_units<Tag, true, true>(plan, input, state, cell, hidden);
  if (state != nullptr) return float_lstm_units<Tag, true, false>(plan, input, state, cell, hidden);
  if (peepholes) return float_lstm_units<Tag, false, true>(plan, input, state, cell, hidden);
  return float_lstm_units<Tag, false, false>(plan, input, state, cell, hidden);
}

template <class Tag>
void float_gru_gates(const FloatGruPlan& plan, const float* input, const float* state,
                     const float* hidden, float* update, float* reset) {
  using N = FloatNumbers<Tag>;
  using V = typename N::V;
  using Math = FloatMath<Tag>;
  const bool after = plan.candidate_bias != nullptr;
  for (int i = 0; i < plan.units.planes; ++i) {
    for (int b = 0; b < plan.units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * plan.units.stride + b;
      const std::ptrdiff_t at = i * plan.units.gate_stride + b;
      const std::ptrdiff_t from = i * plan.state_stride + b;
      const std::ptrdiff_t next = plan.units.blocks;
      const V z = N::read(input + at) + N::read(state + from) + N::read(plan.bias + at);
      const V r = N::read(input + at + next) + N::read(state + from + next) +
                  N::read(plan.bias + at + next);
      N::write(update + unit, Math::sigmoid(z));
      const V gate = Math::sigmoid(r);
      N::write(reset + unit, after ? gate : gate * N::read(hidden + unit));
    }
  }
}

template <class Tag>
void float_gru_update(const FloatGruPlan& plan, const float* input, const float* candidate,
                      const float* update, const float* reset, float* hidden) {
  using N = FloatNumbers<Tag>;
  using V = typename N::V;
  for (int i = 0; i < plan.units.planes; ++i) {
    for (int b = 0; b < plan.units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * plan.units.stride + b;
      const std::ptrdiff_t at = i * plan.units.gate_stride + 2 * plan.units.blocks + b;
      V v = N::read(candidate + unit);
      if (plan.candidate_bias != nullptr)
        v = (v + N::read(plan.candidate_bias + unit)) * N::read(reset + unit);
      const V c = FloatMath<Tag>::tanh(N::read(input + at) + v + N::read(plan.bias + at));
      const V h = N::read(hidden + unit);
      N::write(hidden + unit, h + N::read(update + unit) * (c - h));
    }
  }
}

template <class Tag>
void float_element(const UnitPlan& units, ElementFunction function, const float* bias,
                   const float* product, float* out) {
  using N = FloatNumbers<Tag>;
  using V = typename N::V;
  for (int i = 0; i < units.planes; ++i) {
    for (int b = 0; b < units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * units.stride + b;
      V v = N::read(product + unit) + N::read(bias + unit);
      if (function == ElementFunction::relu) v = v > V{} ? v : V{};
      if (function == ElementFunction::sigmoid) v = FloatMath<Tag>::sigmoid(v);
      if (function == ElementFunction::tanh) v = FloatMath<Tag>::tanh(v);
      N::write(out + unit, v);
    }
  }
}

}  // namespace kernels
}  // namespace ernn
