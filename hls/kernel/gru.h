// The recurrent part of a GRU layer (docs/arithmetic.md, Layers): gates z, r, candidate, with the
// reset gate before the candidate's product or after it.
//
// A layer configuration L (generated) has
//   int size, outputs            units, the same number
//   bool reset_after
//   int units_parallel           units computed at the same time; divides size
//   int output_beat              elements handed on in one transfer
//   preactivation_signal, gate_signal, reset_signal (reset_hidden or reset_argument),
//   hidden_signal                                           numbers for the probe
//   matrices InputMatrix, RecurrentMatrix (z, r), CandidateMatrix (circulant_product.h)
//   types Bias, Preactivation, Gate, Hidden
//   type BiasCode                how its codes are stored
//   tables Sigmoid, Tanh (activation.h)
// The candidate matrix's Input is the format of r . h (before) or of h (after).
#pragma once

#include "activation.h"
#include "circulant_product.h"
#include "types.h"

namespace ernn {
namespace kernel {

template <class L, bool After>
struct ResetBias {
  typename L::BiasCode code[L::size];  ///< b_v
};
template <class L>
struct ResetBias<L, false> {};

/// Every code of the layer; a member that the layer does not have is empty.
template <class L>
struct GruWeights {
  MatrixWeights<typename L::InputMatrix> input;
  MatrixWeights<typename L::RecurrentMatrix> recurrent;
  MatrixWeights<typename L::CandidateMatrix> candidate;
  typename L::BiasCode bias[3][L::size];
  ResetBias<L, L::reset_after> candidate_bias;
};

/// What the layer remembers between frames.
template <class L>
struct GruState {
  typename L::Hidden hidden[L::size];
};

template <class L>
void clear(GruState<L>& state) {
  ERNN_BEFORE_ROLLED
  for (int u = 0; u < L::size; ++u) {
    ERNN_PIPELINE
    state.hidden[u] = 0;
  }
}

/// A gate's argument: the input product, what the recurrence adds, and the bias.
template <class L, class A, class B, class Probe>
typename L::Preactivation gru_argument(const A& a, const B& recurrent, const GruWeights<L>& weights,
                                       int gate, int unit, Probe probe) {
  ERNN_INLINE
  const typename L::Bias bias = from_code<typename L::Bias>(weights.bias[gate][unit]);
  const Sum<Sum<A, B>, typename L::Bias> exact = a + recurrent + bias;
  const typename L::Preactivation pre =
      narrow<typename L::Preactivation>(exact, probe, L::preactivation_signal);
  probe.value(L::preactivation_signal, gate * L::size + unit, pre);
  return pre;
}

/// z and r of one unit; `a` and `u` are the input and the recurrent product.
template <class L, class A, class U, class Probe>
typename L::Gate gru_gate(const A& a, const U& u, const GruWeights<L>& weights, int gate, int unit,
                          Probe probe) {
  ERNN_INLINE
  const typename L::Preactivation pre = gru_argument<L>(a, u, weights, gate, unit, probe);
  const typename L::Gate value = activate<typename L::Sigmoid, typename L::Gate>(pre);
  probe.value(L::gate_signal, gate * L::size + unit, value);
  return value;
}

/// What the recurrence adds to the candidate's argument: U_c (r . h), or r . (U_c h + b_v).
template <class L, bool After>
struct CandidateTerm {
  typedef typename L::CandidateMatrix::Product V;
  typedef Product<typename L::Gate, V> Type;

  template <class Probe>
  static typename L::Hidden operand(const typename L::Gate& /*reset*/,
                                    const typename L::Hidden& hidden, int /*unit*/,
                                    Probe /*probe*/) {
    ERNN_INLINE
    return hidden;
  }
  template <class Probe>
  static Type term(const typename L::Gate& reset, const V& product, const GruWeights<L>& weights,
                   int unit, Probe probe) {
    ERNN_INLINE
    const typename L::Bias bias = from_code<typename L::Bias>(weights.candidate_bias.code[unit]);
    const Sum<V, typename L::Bias> exact = product + bias;
    const V v = narrow<V>(exact, probe, L::reset_signal);
    probe.value(L::reset_signal, unit, v);
    return reset * v;
  }
};
template <class L>
struct CandidateTerm<L, false> {
  typedef typename L::CandidateMatrix::Product V;
  typedef V Type;

  template <class Probe>
  static typename L::CandidateMatrix::Input operand(const typename L::Gate& reset,
                                                    const typename L::Hidden& hidden, int unit,
                                                    Probe probe) {
    ERNN_INLINE
    typedef typename L::CandidateMatrix::Input ResetHidden;
    const Product<typename L::Gate, typename L::Hidden> exact = reset * hidden;
    const ResetHidden narrowed = narrow<ResetHidden>(exact, probe, L::reset_signal);
    probe.value(L::reset_signal, unit, narrowed);
    return narrowed;
  }
  template <class Probe>
  static Type term(const typename L::Gate& /*reset*/, const V& product,
                   const GruWeights<L>& /*weights*/, int /*unit*/, Probe /*probe*/) {
    ERNN_INLINE
    return product;
  }
};

/// One unit's new state: (1 - z) h + z c~.
template <class L, class A, class Probe>
typename L::Hidden gru_unit(const A& a, const typename L::Gate& z, const typename L::Gate& reset,
                            const typename L::CandidateMatrix::Product& product,
                            const typename L::Hidden& hidden, const GruWeights<L>& weights,
                            int unit, Probe probe) {
  ERNN_INLINE
  typedef typename L::Gate Gate;
  typedef CandidateTerm<L, L::reset_after> Term;
  const typename Term::Type term = Term::term(reset, product, weights, unit, probe);
  const typename L::Preactivation pre = gru_argument<L>(a, term, weights, 2, unit, probe);
  const Gate candidate = activate<typename L::Tanh, Gate>(pre);
  probe.value(L::gate_signal, 2 * L::size + unit, candidate);

  typedef Grown<Gate, 1> Complement;  // holds 1 - z, up to 2
  typedef Product<Complement, typename L::Hidden> Kept;
  typedef Product<Gate, Gate> Added;
  const Complement one = 1;
  const Complement keep = one - z;
  const Kept kept = keep * hidden;
  const Added added = z * candidate;
  const Sum<Kept, Added> exact = kept + added;
  const typename L::Hidden next = narrow<typename L::Hidden>(exact, probe, L::hidden_signal);
  probe.value(L::hidden_signal, unit, next);
  return next;
}

/// One frame: `a` is the input product in blocks.
template <class L, class Probe>
void gru_frame(const Beat<typename L::InputMatrix::Product, L::InputMatrix::block> (
                   &a)[MatrixSizes<typename L::InputMatrix>::p],
               const GruWeights<L>& weights, GruState<L>& state, Probe probe) {
  typedef typename L::RecurrentMatrix R;
  typedef typename L::CandidateMatrix C;
  typedef CandidateTerm<L, L::reset_after> Term;
  static_assert(L::size % L::units_parallel == 0, "units_parallel must divide the layer's size");
  Beat<typename R::Input, R::block> h[MatrixSizes<R>::q];
  Beat<typename R::Product, R::block> u[MatrixSizes<R>::p];
  pack_blocks(state.hidden, h);
  matrix_vector<R>(h, weights.recurrent, u, probe);

  typename L::Gate z[L::size], reset[L::size];
  typename C::Input operand[L::size];
  ERNN_BEFORE_ROLLED
  for (int first = 0; first < L::size; first += L::units_parallel) {
    ERNN_PIPELINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < L::units_parallel; ++n) {
      ERNN_UNROLL
      const int i = first + n;
      const int j = L::size + i;
      z[i] = gru_gate<L>(element(a, i), element(u, i), weights, 0, i, probe);
      reset[i] = gru_gate<L>(element(a, j), element(u, j), weights, 1, i, probe);
      operand[i] = Term::operand(reset[i], state.hidden[i], i, probe);
    }
  }

  Beat<typename C::Input, C::block> x[MatrixSizes<C>::q];
  Beat<typename C::Product, C::block> v[MatrixSizes<C>::p];
  pack_blocks(operand, x);
  matrix_vector<C>(x, weights.candidate, v, probe);
  ERNN_BEFORE_ROLLED
  for (int first = 0; first < L::size; first += L::units_parallel) {
    ERNN_PIPELINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < L::units_parallel; ++n) {
      ERNN_UNROLL
      const int i = first + n;
      state.hidden[i] = gru_unit<L>(element(a, 2 * L::size + i), z[i], reset[i], element(v, i),
                                    state.hidden[i], weights, i, probe);
    }
  }
}

/// The stage: reads the input product of each frame, writes the layer's output. `reset` starts
/// from zero state; otherwise the state goes on from the last call.
template <class L, class Probe>
void gru_stage(int frames, bool reset,
               ::hls::stream<Beat<typename L::InputMatrix::Product, L::InputMatrix::block>>& in,
               const GruWeights<L>& weights, GruState<L>& state,
               ::hls::stream<Beat<typename L::Hidden, L::output_beat>>& out, Probe probe) {
  typedef MatrixSizes<typename L::InputMatrix> Sizes;
  if (reset) clear(state);
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    Beat<typename L::InputMatrix::Product, L::InputMatrix::block> a[Sizes::p];
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < Sizes::p; ++i) {
      ERNN_PIPELINE
      a[i] = in.read();
    }
    gru_frame<L>(a, weights, state, probe);
    write_blocks(state.hidden, out);
  }
}

}  // namespace kernel
}  // namespace ernn
