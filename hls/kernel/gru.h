// A GRU layer behind its input product (docs/arithmetic.md, Layers): gates z, r, candidate, with
// the reset gate before the candidate's product or after it.
//
// A layer configuration L (generated) has
//   int size, outputs            units, the same number
//   bool reset_after
//   int streams                  independent streams whose state it holds
//   int unit_group               units whose gates arrive together; divides size
//   int units_parallel           units computed at the same time; divides unit_group
//   preactivation_signal, gate_signal, reset_signal (reset_hidden or reset_argument),
//   hidden_signal                                           numbers for the probe
//   matrices InputMatrix, RecurrentMatrix (z, r), CandidateMatrix (circulant_product.h)
//   types Bias, Preactivation, Gate, Hidden
//   type BiasCode                how its codes are stored
//   tables Sigmoid, Tanh (activation.h)
// The candidate matrix's Input is the format of r . h (before) or of h (after).
#pragma once

#include "activation.h"
#include "matrix_vector.h"
#include "recurrent.h"
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

/// What the layer remembers of each stream between frames.
template <class L>
struct GruState {
  OutputState<typename L::Hidden, L::streams, L::size> hidden;
};

/// Back to the state before the first frame, for the streams whose bit is set in `reset`; those
/// from `streams` on are left out of the call.
template <class L>
void begin_call(unsigned reset, int streams, GruState<L>& state) {
  begin_call(reset, streams, state.hidden);
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

/// What the gates pass on to the candidate, a group of units in one transfer.
template <class L>
struct GruGates {
  typename L::InputMatrix::Product candidate[L::unit_group];  ///< the input product's part
  typename L::Gate z[L::unit_group];
  typename L::Gate reset[L::unit_group];
  typename L::Hidden hidden[L::unit_group];  ///< h(t-1)
};

/// Reads h(t-1) once, for the recurrent product and for the gates.
template <class L>
void gru_read(const typename L::Hidden (&hidden)[L::size],
              ::hls::stream<Beat<typename L::Hidden, L::RecurrentMatrix::block>>& blocks,
              ::hls::stream<Beat<typename L::Hidden, L::unit_group>>& groups) {
  constexpr int k = L::RecurrentMatrix::block;
  ERNN_BANKS(hidden, 1, k)
  Beat<typename L::Hidden, L::unit_group> group;
  ERNN_BEFORE_ROLLED
  for (int first = 0; first < L::size; first += k) {
    ERNN_PIPELINE
    Beat<typename L::Hidden, k> block;
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < k; ++n) {
      ERNN_UNROLL
      block.at[n] = hidden[first + n];
      group.at[first % L::unit_group + n] = block.at[n];
    }
    blocks.write(block);
    if ((first + k) % L::unit_group == 0) groups.write(group);
  }
}

/// z and r of a frame, and what the candidate's product multiplies. While the products of one group
/// come in, the group before is computed.
template <class L, class Probe>
void gru_gates(::hls::stream<typename ProductBeat<typename L::InputMatrix>::type>& input,
               ::hls::stream<typename ProductBeat<typename L::RecurrentMatrix>::type>& recurrent,
               ::hls::stream<Beat<typename L::Hidden, L::unit_group>>& hidden,
               const GruWeights<L>& weights,
               ::hls::stream<Beat<typename L::CandidateMatrix::Input, L::unit_group>>& operand,
               ::hls::stream<GruGates<L>>& out, Probe probe) {
  typedef CandidateTerm<L, L::reset_after> Term;
  typedef GroupOf<typename L::InputMatrix, 3, L::unit_group> Input;
  typedef GroupOf<typename L::RecurrentMatrix, 2, L::unit_group> Recurrent;
  constexpr int computing = L::unit_group / L::units_parallel;
  constexpr int beats = larger(computing, larger(Input::beats, Recurrent::beats));
  ERNN_BANKS(weights.bias, 2, L::units_parallel)
  Input a, next_a;
  Recurrent u, next_u;
  Beat<typename L::Hidden, L::unit_group> h, next_h;
  Beat<typename L::CandidateMatrix::Input, L::unit_group> operands;
  GruGates<L> gates;
  ERNN_BEFORE_ROLLED
  for (int group = 0; group <= L::size / L::unit_group; ++group) {
    ERNN_BEFORE_ROLLED
    for (int beat = 0; beat < beats; ++beat) {
      ERNN_PIPELINE
      if (beat == 0 && group > 0) {
        a = next_a;
        u = next_u;
        h = next_h;
      }
      if (group < L::size / L::unit_group) {
        if (beat == 0) next_h = hidden.read();
        if (beat < Input::beats) next_a.put(beat, input.read());
        if (beat < Recurrent::beats) next_u.put(beat, recurrent.read());
      }
      if (group > 0 && beat < computing) {
        ERNN_BEFORE_UNROLL
        for (int n = 0; n < L::units_parallel; ++n) {
          ERNN_UNROLL
          const int i = beat * L::units_parallel + n;
          const int unit = (group - 1) * L::unit_group + i;
          gates.z[i] = gru_gate<L>(a.at(0, i), u.at(0, i), weights, 0, unit, probe);
          gates.reset[i] = gru_gate<L>(a.at(1, i), u.at(1, i), weights, 1, unit, probe);
          gates.candidate[i] = a.at(2, i);
          gates.hidden[i] = h.at[i];
          operands.at[i] = Term::operand(gates.reset[i], h.at[i], unit, probe);
        }
        if (beat == computing - 1) {
          operand.write(operands);
          out.write(gates);
        }
      }
    }
  }
}

/// The candidates of a frame and the new h, which goes on to the next layer and into the state.
template <class L, class Probe>
void gru_candidates(::hls::stream<GruGates<L>>& in,
                    ::hls::stream<typename ProductBeat<typename L::CandidateMatrix>::type>& product,
                    const GruWeights<L>& weights, typename L::Hidden (&state)[L::size],
                    ::hls::stream<Beat<typename L::Hidden, L::unit_group>>& out, Probe probe) {
  typedef GroupOf<typename L::CandidateMatrix, 1, L::unit_group> Candidate;
  constexpr int computing = L::unit_group / L::units_parallel;
  constexpr int beats = larger(computing, Candidate::beats);
  ERNN_BANKS(state, 1, L::units_parallel)
  GruGates<L> gates, next_gates;
  Candidate v, next_v;
  Beat<typename L::Hidden, L::unit_group> hidden;
  ERNN_BEFORE_ROLLED
  for (int group = 0; group <= L::size / L::unit_group; ++group) {
    ERNN_BEFORE_ROLLED
    for (int beat = 0; beat < beats; ++beat) {
      ERNN_PIPELINE
      if (beat == 0 && group > 0) {
        gates = next_gates;
        v = next_v;
      }
      if (group < L::size / L::unit_group) {
        if (beat == 0) next_gates = in.read();
        if (beat < Candidate::beats) next_v.put(beat, product.read());
      }
      if (group > 0 && beat < computing) {
        ERNN_BEFORE_UNROLL
        for (int n = 0; n < L::units_parallel; ++n) {
          ERNN_UNROLL
          const int i = beat * L::units_parallel + n;
          const int unit = (group - 1) * L::unit_group + i;
          hidden.at[i] = gru_unit<L>(gates.candidate[i], gates.z[i], gates.reset[i], v.at(0, i),
                                     gates.hidden[i], weights, unit, probe);
          state[unit] = hidden.at[i];
        }
        if (beat == computing - 1) out.write(hidden);
      }
    }
  }
}

/// What a GRU layer hands on in one transfer.
template <class L>
using GruBeat = Beat<typename L::Hidden, L::unit_group>;

/// One frame of all streams, whose processes overlap. Reads h(t-1) from `before` and writes h(t) to
/// `after`.
template <class L, class Probe>
void gru_frame(int streams,
               ::hls::stream<typename ProductBeat<typename L::InputMatrix>::type>& input,
               const GruWeights<L>& weights,
               const typename L::Hidden (&before)[L::streams][L::size],
               typename L::Hidden (&after)[L::streams][L::size], ::hls::stream<GruBeat<L>>& out,
               Probe probe) {
  typedef typename L::RecurrentMatrix R;
  typedef typename L::CandidateMatrix C;
  ERNN_BEFORE_ROLLED
  for (int s = 0; s < streams; ++s) {
    ERNN_DATAFLOW
    ::hls::stream<Beat<typename L::Hidden, R::block>> h("h");
    ::hls::stream<Beat<typename L::Hidden, L::unit_group>> h_groups("h_groups");
    ::hls::stream<typename ProductBeat<R>::type> recurrent("recurrent");
    ::hls::stream<Beat<typename C::Input, L::unit_group>> operand("operand");
    ::hls::stream<GruGates<L>> gates("gates");
    ::hls::stream<typename ProductBeat<C>::type> candidate("candidate");
    ERNN_STREAM_DEPTH(recurrent, kProductDepth)
    ERNN_STREAM_DEPTH(candidate, kProductDepth)
    ERNN_STREAM_DEPTH(h_groups, kWaitingVectors * (L::size / L::unit_group))
    ERNN_STREAM_DEPTH(gates, kWaitingVectors * (L::size / L::unit_group))
    gru_read<L>(before[s], h, h_groups);
    matrix_vector<R, R::block>(h, weights.recurrent, recurrent, probe);
    gru_gates<L>(input, recurrent, h_groups, weights, operand, gates, probe);
    matrix_vector<C, L::unit_group>(operand, weights.candidate, candidate, probe);
    gru_candidates<L>(gates, candidate, weights, after[s], out, probe);
  }
}

/// The stage: reads the input product of each frame of each stream, writes the layer's output.
/// Streams whose bit is set in `reset` start from zero state, the others go on from the last call.
template <class L, class Probe>
void gru_stage(int frames, int streams, unsigned reset,
               ::hls::stream<typename ProductBeat<typename L::InputMatrix>::type>& input,
               const GruWeights<L>& weights, GruState<L>& state, ::hls::stream<GruBeat<L>>& out,
               Probe probe) {
  static_assert(L::size % L::unit_group == 0, "unit_group must divide the layer's size");
  static_assert(L::unit_group % L::units_parallel == 0, "units_parallel must divide unit_group");
  // The two calls below take turns: one set of hardware is enough.
  ERNN_ONE_INSTANCE(gru_frame)
  begin_call<L>(reset, streams, state);
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    if (state.hidden.second) {
      gru_frame<L>(streams, input, weights, state.hidden.b, state.hidden.a, out, probe);
    } else {
      gru_frame<L>(streams, input, weights, state.hidden.a, state.hidden.b, out, probe);
    }
    state.hidden.second = !state.hidden.second;
  }
}

}  // namespace kernel
}  // namespace ernn
