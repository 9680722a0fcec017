// Elementwise parts of fixed-point layers: docs/arithmetic.md, "Layers", on registers of codes.
// N is IntNumbers where the formats prove that 32 bits suffice, LongNumbers otherwise.
#pragma once

#include "runtime/kernels/numbers.h"

namespace ernn {
namespace kernels {

/// Extra fraction bits of table entries (E in docs/arithmetic.md).
inline constexpr int kEntryBits = 6;

template <class N>
struct TableReader;

template <class Tag>
struct TableReader<IntNumbers<Tag>> {
  using N = IntNumbers<Tag>;
  using V = typename N::V;

  // (base 2^D + slope d + 2^(D+E-1)) >> (D+E), with the first D bits shifted out before base is
  // added so that 32 bits suffice.
  ERNN_INLINE static V read(const TablePlan& table, V v) {
    const V u = v < V{} ? -v : v;
    const V limit = N::splat(static_cast<std::int32_t>(table.limit));
    const V segment = u < limit ? u >> table.shift : V{};
    const V d = u & ((1 << table.shift) - 1);
    V base;
    V slope;
    if (table.packed != nullptr) {
      const V entry = Tag::gather(table.packed, segment);
      base = bits_as<V>(bits_as<typename Tag::Words>(entry) >>
                        static_cast<unsigned>(table.slope_bits));
      slope = entry & ((1 << table.slope_bits) - 1);
    } else {
      base = Tag::gather(table.base, segment);
      slope = Tag::gather(table.slope, segment);
    }
    const std::int32_t rounding = 1 << (table.shift + kEntryBits - 1);
    V t = (base + ((slope * d + rounding) >> table.shift)) >> kEntryBits;
    t = u < limit ? t : N::splat(static_cast<std::int32_t>(table.last));
    t = v < V{} ? static_cast<std::int32_t>(table.mirror) - t : t;
    const V largest = N::splat(static_cast<std::int32_t>(table.largest));
    return t > largest ? largest : t;
  }
};

template <class Tag>
struct TableReader<LongNumbers<Tag>> {
  using N = LongNumbers<Tag>;
  using V = typename N::V;

  ERNN_INLINE static V read(const TablePlan& table, V v) {
    V result = V{};
    for (int i = 0; i < N::lanes; ++i) result[i] = read_one(table, v[i]);
    return result;
  }

 private:
  static std::int64_t read_one(const TablePlan& table, std::int64_t v) {
    const std::int64_t u = v < 0 ? -v : v;
    std::int64_t t = table.last;
    if (u < table.limit) {
      const std::int64_t segment = u >> table.shift;
      const std::int64_t d = u & ((std::int64_t{1} << table.shift) - 1);
      t = (table.base[segment] * (std::int64_t{1} << table.shift) + table.slope[segment] * d +
           (std::int64_t{1} << (table.shift + kEntryBits - 1))) >>
          (table.shift + kEntryBits);
    }
    if (v < 0) t = table.mirror - t;
    return t > table.largest ? table.largest : t;
  }
};

template <class N>
using Value = typename N::T;

template <class N>
void fixed_lstm(const FixedLstmPlan<Value<N>>& plan, const std::int32_t* input,
                const std::int32_t* state, std::int32_t* cell, std::int32_t* hidden) {
  using V = typename N::V;
  const std::ptrdiff_t part = plan.units.planes * plan.units.stride;
  const V clip = N::splat(plan.clip);
  for (int i = 0; i < plan.units.planes; ++i) {
    for (int b = 0; b < plan.units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * plan.units.stride + b;
      std::ptrdiff_t at = i * plan.units.gate_stride + b;
      V pre[4];
#pragma GCC unroll 4
      for (int g = 0; g < 4; ++g, at += plan.units.blocks) {
        pre[g] = (N::read(input + at) << plan.input_shift) +
                 (N::read(state + at) << plan.state_shift) +
                 (N::read(plan.bias + at) << plan.bias_shift);
      }
      V c = N::read(cell + unit);
      if (plan.peephole != nullptr) {
        pre[0] += (N::read(plan.peephole + unit) * c) << plan.peephole_shift;
        pre[1] += (N::read(plan.peephole + part + unit) * c) << plan.peephole_shift;
      }
#pragma GCC unroll 3
      for (int g = 0; g < 3; ++g) pre[g] = narrow<N>(pre[g], plan.preactivation);
      const V write = TableReader<N>::read(plan.sigmoid, pre[0]);
      const V forget = TableReader<N>::read(plan.sigmoid, pre[1]);
      const V value = TableReader<N>::read(plan.tanh, pre[2]);
      c = narrow<N>(((forget * c) << plan.forget_shift) + ((write * value) << plan.write_shift),
                    plan.cell);
      if (plan.clip > 0) {
        c = c < -clip ? -clip : c;
        c = c > clip ? clip : c;
      }
      N::write(cell + unit, c);
      if (plan.peephole != nullptr)
        pre[3] += (N::read(plan.peephole + 2 * part + unit) * c) << plan.peephole_shift;
      const V open = TableReader<N>::read(plan.sigmoid, narrow<N>(pre[3], plan.preactivation));
      const V shown = TableReader<N>::read(plan.tanh, narrow<N>(c, plan.argument));
      N::write(hidden + unit, narrow<N>(open * shown, plan.hidden));
    }
  }
}

template <class N>
void fixed_gru_gates(const FixedGruPlan<Value<N>>& plan, const std::int32_t* input,
                     const std::int32_t* state, const std::int32_t* hidden, std::int32_t* update,
                     std::int32_t* reset) {
  using V = typename N::V;
  for (int i = 0; i < plan.units.planes; ++i) {
    for (int b = 0; b < plan.units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * plan.units.stride + b;
      V gate[2];
#pragma GCC unroll 2
      for (int g = 0; g < 2; ++g) {
        const std::ptrdiff_t at = i * plan.units.gate_stride + g * plan.units.blocks + b;
        const std::ptrdiff_t from = i * plan.state_stride + g * plan.units.blocks + b;
        const V pre = (N::read(input + at) << plan.input_shift) +
                      (N::read(state + from) << plan.state_shift) +
                      (N::read(plan.bias + at) << plan.bias_shift);
        gate[g] = TableReader<N>::read(plan.sigmoid, narrow<N>(pre, plan.preactivation));
      }
      N::write(update + unit, gate[0]);
      N::write(reset + unit, plan.reset_after
                                 ? gate[1]
                                 : narrow<N>(gate[1] * N::read(hidden + unit), plan.reset_hidden));
    }
  }
}

template <class N>
void fixed_gru_update(const FixedGruPlan<Value<N>>& plan, const std::int32_t* input,
                      const std::int32_t* candidate, const std::int32_t* update,
                      const std::int32_t* reset, std::int32_t* hidden) {
  using V = typename N::V;
  for (int i = 0; i < plan.units.planes; ++i) {
    for (int b = 0; b < plan.units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * plan.units.stride + b;
      const std::ptrdiff_t at = i * plan.units.gate_stride + 2 * plan.units.blocks + b;
      V v = N::read(candidate + unit);
      if (plan.reset_after) {
        v = narrow<N>((v << plan.product_shift) +
                          (N::read(plan.candidate_bias + unit) << plan.candidate_bias_shift),
                      plan.reset_argument) *
            N::read(reset + unit);
      }
      const V pre = (N::read(input + at) << plan.candidate_input_shift) +
                    (v << plan.candidate_shift) +
                    (N::read(plan.bias + at) << plan.candidate_gate_bias_shift);
      const V c = TableReader<N>::read(plan.tanh, narrow<N>(pre, plan.candidate));
      const V z = N::read(update + unit);
      const V sum = (((plan.one - z) * N::read(hidden + unit)) << plan.keep_shift) +
                    ((z * c) << plan.write_shift);
      N::write(hidden + unit, narrow<N>(sum, plan.hidden));
    }
  }
}

template <class N>
void fixed_element(const FixedElementPlan<Value<N>>& plan, const std::int32_t* product,
                   std::int32_t* out) {
  using V = typename N::V;
  for (int i = 0; i < plan.units.planes; ++i) {
    for (int b = 0; b < plan.units.blocks; b += N::lanes) {
      const std::ptrdiff_t unit = i * plan.units.stride + b;
      V v = (N::read(product + unit) << plan.product_shift) +
            (N::read(plan.bias + unit) << plan.bias_shift);
      if (plan.function == ElementFunction::relu) v = v > V{} ? v : V{};
      v = narrow<N>(v, plan.result);
      if (plan.function == ElementFunction::sigmoid || plan.function == ElementFunction::tanh)
        v = TableReader<N>::read(plan.table, v);
      N::write(out + unit, v);
    }
  }
}

template <class N>
void fixed_convert(const Narrowing<Value<N>>& to, const std::int32_t* from, std::int32_t* out,
                   std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; i += N::lanes)
    N::write(out + i, narrow<N>(N::read(from + i), to));
}

}  // namespace kernels
}  // namespace ernn
