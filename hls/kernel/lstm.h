// The recurrent part of an LSTM layer (docs/arithmetic.md, Layers): Sak et al.'s cell with diagonal
// peepholes and recurrent projection, gates in the order i, f, g, o.
//
// A layer configuration L (generated) has
//   int size, outputs            cells; width of what the layer hands on
//   bool peepholes, projects
//   long long cell_clip          code of the cell's limit, 0 for none
//   int units_parallel           cells computed at the same time; divides size
//   int output_beat              elements handed on in one transfer
//   preactivation_signal, gate_signal, cell_signal, cell_argument_signal, cell_tanh_signal,
//   hidden_signal, projected_signal                         numbers for the probe
//   matrices InputMatrix, RecurrentMatrix, ProjectionMatrix (circulant_product.h)
//   types Bias, Peephole, Preactivation, Gate, Cell, Hidden, Output (projected, or hidden)
//   types BiasCode, PeepholeCode                            how their codes are stored
//   tables Sigmoid, Tanh (activation.h)
#pragma once

#include "activation.h"
#include "circulant_product.h"
#include "types.h"

namespace ernn {
namespace kernel {

template <class L, bool Peepholes>
struct PeepholeWeights {
  typename L::PeepholeCode code[3][L::size];  ///< i, f, o
};
template <class L>
struct PeepholeWeights<L, false> {};

template <class L, bool Projects>
struct ProjectionWeights {
  MatrixWeights<typename L::ProjectionMatrix> matrix;
};
template <class L>
struct ProjectionWeights<L, false> {};

/// Every code of the layer; a member that the layer does not have is empty.
template <class L>
struct LstmWeights {
  MatrixWeights<typename L::InputMatrix> input;
  MatrixWeights<typename L::RecurrentMatrix> recurrent;
  ProjectionWeights<L, L::projects> projection;
  typename L::BiasCode bias[4][L::size];
  PeepholeWeights<L, L::peepholes> peephole;
};

/// What the layer remembers between frames.
template <class L>
struct LstmState {
  typename L::Cell cell[L::size];
  typename L::Output output[L::outputs];
};

template <class L>
void clear(LstmState<L>& state) {
  ERNN_BEFORE_ROLLED
  for (int u = 0; u < L::size; ++u) {
    ERNN_PIPELINE
    state.cell[u] = 0;
  }
  ERNN_BEFORE_ROLLED
  for (int u = 0; u < L::outputs; ++u) {
    ERNN_PIPELINE
    state.output[u] = 0;
  }
}

/// The exact argument of a gate before the peephole term.
template <class L>
using LstmSum = Sum<Sum<typename L::InputMatrix::Product, typename L::RecurrentMatrix::Product>,
                    typename L::Bias>;

/// Adds the peephole term, when the layer has one, and narrows. `row` of the peepholes is i, f or
/// o.
template <class L, bool Peepholes>
struct PeepholeTerm {
  template <class Probe>
  static typename L::Preactivation add(const LstmSum<L>& sum,
                                       const PeepholeWeights<L, true>& weights, int row, int unit,
                                       const typename L::Cell& cell, Probe probe) {
    ERNN_INLINE
    typedef Product<typename L::Peephole, typename L::Cell> Term;
    const typename L::Peephole p = from_code<typename L::Peephole>(weights.code[row][unit]);
    const Term term = p * cell;
    const Sum<LstmSum<L>, Term> exact = sum + term;
    return narrow<typename L::Preactivation>(exact, probe, L::preactivation_signal);
  }
};
template <class L>
struct PeepholeTerm<L, false> {
  template <class Probe>
  static typename L::Preactivation add(const LstmSum<L>& sum,
                                       const PeepholeWeights<L, false>& /*weights*/, int /*row*/,
                                       int /*unit*/, const typename L::Cell& /*cell*/,
                                       Probe probe) {
    ERNN_INLINE
    return narrow<typename L::Preactivation>(sum, probe, L::preactivation_signal);
  }
};

/// Limits the cell to +-cell_clip.
template <class L>
typename L::Cell clip_cell(const typename L::Cell& cell) {
  ERNN_INLINE
  if (L::cell_clip == 0) return cell;
  const typename L::Cell high = from_code<typename L::Cell>(L::cell_clip);
  const typename L::Cell low = from_code<typename L::Cell>(-L::cell_clip);
  return cell > high ? high : (cell < low ? low : cell);
}

/// One cell of one frame: four sums in, new cell and m = o . tanh(c) out.
template <class L, class Probe>
typename L::Hidden lstm_cell(const LstmSum<L> (&sum)[4],
                             const PeepholeWeights<L, L::peepholes>& peephole, int unit,
                             typename L::Cell& cell, Probe probe) {
  ERNN_INLINE
  typedef typename L::Gate Gate;
  typedef PeepholeTerm<L, L::peepholes> Peephole;
  typename L::Preactivation pre[4];
  Gate gate[4];
  pre[0] = Peephole::add(sum[0], peephole, 0, unit, cell, probe);
  pre[1] = Peephole::add(sum[1], peephole, 1, unit, cell, probe);
  pre[2] = narrow<typename L::Preactivation>(sum[2], probe, L::preactivation_signal);
  gate[0] = activate<typename L::Sigmoid, Gate>(pre[0]);
  gate[1] = activate<typename L::Sigmoid, Gate>(pre[1]);
  gate[2] = activate<typename L::Tanh, Gate>(pre[2]);

  typedef Product<Gate, typename L::Cell> Kept;
  typedef Product<Gate, Gate> Added;
  const Kept kept = gate[1] * cell;
  const Added added = gate[0] * gate[2];
  const Sum<Kept, Added> next = kept + added;
  cell = clip_cell<L>(narrow<typename L::Cell>(next, probe, L::cell_signal));

  pre[3] = Peephole::add(sum[3], peephole, 2, unit, cell, probe);
  gate[3] = activate<typename L::Sigmoid, Gate>(pre[3]);
  const typename L::Preactivation argument =
      narrow<typename L::Preactivation>(cell, probe, L::cell_argument_signal);
  const Gate cell_tanh = activate<typename L::Tanh, Gate>(argument);
  const Added product = gate[3] * cell_tanh;
  const typename L::Hidden hidden = narrow<typename L::Hidden>(product, probe, L::hidden_signal);

  ERNN_BEFORE_UNROLL
  for (int g = 0; g < 4; ++g) {
    ERNN_UNROLL
    probe.value(L::preactivation_signal, g * L::size + unit, pre[g]);
    probe.value(L::gate_signal, g * L::size + unit, gate[g]);
  }
  probe.value(L::cell_signal, unit, cell);
  probe.value(L::cell_argument_signal, unit, argument);
  probe.value(L::cell_tanh_signal, unit, cell_tanh);
  probe.value(L::hidden_signal, unit, hidden);
  return hidden;
}

/// From m to the layer's output: a projection, or nothing.
template <class L, bool Projects>
struct LstmOutput {
  template <class Probe>
  static void run(const typename L::Hidden (&hidden)[L::size],
                  const ProjectionWeights<L, true>& weights,
                  typename L::Output (&output)[L::outputs], Probe probe) {
    typedef typename L::ProjectionMatrix M;
    Beat<typename M::Input, M::block> x[MatrixSizes<M>::q];
    Beat<typename M::Product, M::block> y[MatrixSizes<M>::p];
    pack_blocks(hidden, x);
    matrix_vector<M>(x, weights.matrix, y, probe);
    ERNN_BEFORE_ROLLED
    for (int u = 0; u < L::outputs; ++u) {
      ERNN_PIPELINE
      output[u] = narrow<typename L::Output>(element(y, u), probe, L::projected_signal);
      probe.value(L::projected_signal, u, output[u]);
    }
  }
};
template <class L>
struct LstmOutput<L, false> {
  template <class Probe>
  static void run(const typename L::Hidden (&hidden)[L::size],
                  const ProjectionWeights<L, false>& /*weights*/,
                  typename L::Output (&output)[L::outputs], Probe /*probe*/) {
    ERNN_BEFORE_ROLLED
    for (int u = 0; u < L::size; ++u) {
      ERNN_PIPELINE
      output[u] = hidden[u];
    }
  }
};

/// One frame: `a` is the input product in blocks.
template <class L, class Probe>
void lstm_frame(const Beat<typename L::InputMatrix::Product, L::InputMatrix::block> (
                    &a)[MatrixSizes<typename L::InputMatrix>::p],
                const LstmWeights<L>& weights, LstmState<L>& state, Probe probe) {
  typedef typename L::RecurrentMatrix R;
  static_assert(L::size % L::units_parallel == 0, "units_parallel must divide the layer's size");
  Beat<typename R::Input, R::block> y[MatrixSizes<R>::q];
  Beat<typename R::Product, R::block> r[MatrixSizes<R>::p];
  pack_blocks(state.output, y);
  matrix_vector<R>(y, weights.recurrent, r, probe);
  typename L::Hidden hidden[L::size];
  ERNN_BEFORE_ROLLED
  for (int first = 0; first < L::size; first += L::units_parallel) {
    ERNN_PIPELINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < L::units_parallel; ++n) {
      ERNN_UNROLL
      const int unit = first + n;
      LstmSum<L> sum[4];
      ERNN_BEFORE_UNROLL
      for (int g = 0; g < 4; ++g) {
        ERNN_UNROLL
        const typename L::Bias bias = from_code<typename L::Bias>(weights.bias[g][unit]);
        sum[g] = element(a, g * L::size + unit) + element(r, g * L::size + unit) + bias;
      }
      hidden[unit] = lstm_cell<L>(sum, weights.peephole, unit, state.cell[unit], probe);
    }
  }
  LstmOutput<L, L::projects>::run(hidden, weights.projection, state.output, probe);
}

/// The stage: reads the input product of each frame, writes the layer's output. `reset` starts
/// from zero state; otherwise the state goes on from the last call.
template <class L, class Probe>
void lstm_stage(int frames, bool reset,
                ::hls::stream<Beat<typename L::InputMatrix::Product, L::InputMatrix::block>>& in,
                const LstmWeights<L>& weights, LstmState<L>& state,
                ::hls::stream<Beat<typename L::Output, L::output_beat>>& out, Probe probe) {
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
    lstm_frame<L>(a, weights, state, probe);
    write_blocks(state.output, out);
  }
}

}  // namespace kernel
}  // namespace ernn
