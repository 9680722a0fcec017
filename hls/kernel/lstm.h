// An LSTM layer behind its input product (docs/arithmetic.md, Layers): Sak et al.'s cell with
// diagonal peepholes and recurrent projection, gates in the order i, f, g, o.
//
// A layer configuration L (generated) has
//   int size, outputs            cells; width of what the layer hands on
//   bool peepholes, projects
//   long long cell_clip          code of the cell's limit, 0 for none
//   int streams                  independent streams whose state it holds
//   int unit_group               cells whose gates arrive together; divides size
//   int units_parallel           cells computed at the same time; divides unit_group
//   preactivation_signal, gate_signal, cell_signal, cell_argument_signal, cell_tanh_signal,
//   hidden_signal, projected_signal                         numbers for the probe
//   matrices InputMatrix, RecurrentMatrix, ProjectionMatrix (circulant_product.h)
//   types Bias, Peephole, Preactivation, Gate, Cell, Hidden, Output (projected, or hidden)
//   types BiasCode, PeepholeCode                            how their codes are stored
//   tables Sigmoid, Tanh (activation.h)
#pragma once

#include "activation.h"
#include "matrix_vector.h"
#include "recurrent.h"
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

/// What the layer remembers of each stream between frames.
template <class L>
struct LstmState {
  typename L::Cell cell[L::streams][L::size];
  OutputState<typename L::Output, L::streams, L::outputs> output;
};

/// Back to the state before the first frame, for the streams whose bit is set in `reset`; those
/// from `streams` on are left out of the call.
template <class L>
void begin_call(unsigned reset, int streams, LstmState<L>& state) {
  clear_rows(reset, state.cell);
  begin_call(reset, streams, state.output);
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

/// The cells of a frame: reads the input and the recurrent product, writes m. While the products of
/// one group of cells come in, the group before is computed, so that every beat does both.
template <class L, class Probe>
void lstm_cells(::hls::stream<typename ProductBeat<typename L::InputMatrix>::type>& input,
                ::hls::stream<typename ProductBeat<typename L::RecurrentMatrix>::type>& recurrent,
                const LstmWeights<L>& weights, typename L::Cell (&cell)[L::size],
                ::hls::stream<Beat<typename L::Hidden, L::unit_group>>& out, Probe probe) {
  typedef GroupOf<typename L::InputMatrix, 4, L::unit_group> Input;
  typedef GroupOf<typename L::RecurrentMatrix, 4, L::unit_group> Recurrent;
  constexpr int computing = L::unit_group / L::units_parallel;
  constexpr int beats = larger(computing, larger(Input::beats, Recurrent::beats));
  ERNN_BANKS(cell, 1, L::units_parallel)
  ERNN_BANKS(weights.bias, 2, L::units_parallel)
  Input a, next_a;
  Recurrent r, next_r;
  Beat<typename L::Hidden, L::unit_group> hidden;
  ERNN_BEFORE_ROLLED
  for (int group = 0; group <= L::size / L::unit_group; ++group) {
    ERNN_BEFORE_ROLLED
    for (int beat = 0; beat < beats; ++beat) {
      ERNN_PIPELINE
      if (beat == 0 && group > 0) {
        a = next_a;
        r = next_r;
      }
      if (group < L::size / L::unit_group) {
        if (beat < Input::beats) next_a.put(beat, input.read());
        if (beat < Recurrent::beats) next_r.put(beat, recurrent.read());
      }
      if (group > 0 && beat < computing) {
        ERNN_BEFORE_UNROLL
        for (int n = 0; n < L::units_parallel; ++n) {
          ERNN_UNROLL
          const int in_group = beat * L::units_parallel + n;
          const int unit = (group - 1) * L::unit_group + in_group;
          LstmSum<L> sum[4];
          ERNN_BEFORE_UNROLL
          for (int g = 0; g < 4; ++g) {
            ERNN_UNROLL
            const typename L::Bias bias = from_code<typename L::Bias>(weights.bias[g][unit]);
            sum[g] = a.at(g, in_group) + r.at(g, in_group) + bias;
          }
          hidden.at[in_group] = lstm_cell<L>(sum, weights.peephole, unit, cell[unit], probe);
        }
        if (beat == computing - 1) out.write(hidden);
      }
    }
  }
}

/// From m to the layer's output y, which goes on to the next layer and into the state: a
/// projection, or nothing.
template <class L, bool Projects>
struct LstmOutput {
  typedef typename L::ProjectionMatrix Matrix;
  typedef ProductBeat<Matrix> Projected;
  static constexpr int beat = Projected::size;

  template <class Probe>
  static void run(::hls::stream<Beat<typename L::Hidden, L::unit_group>>& hidden,
                  const ProjectionWeights<L, true>& weights,
                  typename L::Output (&state)[L::outputs],
                  ::hls::stream<Beat<typename L::Output, beat>>& out, Probe probe) {
    ERNN_DATAFLOW
    ::hls::stream<typename Projected::type> product("projection");
    matrix_vector<Matrix, L::unit_group>(hidden, weights.matrix, product, probe);
    narrow_output(product, state, out, probe);
  }

 private:
  template <class Probe>
  static void narrow_output(::hls::stream<typename Projected::type>& product,
                            typename L::Output (&state)[L::outputs],
                            ::hls::stream<Beat<typename L::Output, beat>>& out, Probe probe) {
    ERNN_BANKS(state, 1, beat)
    ERNN_BEFORE_ROLLED
    for (int first = 0; first < L::outputs; first += beat) {
      ERNN_PIPELINE
      const typename Projected::type in = product.read();
      Beat<typename L::Output, beat> y;
      ERNN_BEFORE_UNROLL
      for (int n = 0; n < beat; ++n) {
        ERNN_UNROLL
        y.at[n] = 0;
        if (first + n < L::outputs) {
          y.at[n] = narrow<typename L::Output>(in.at[n], probe, L::projected_signal);
          probe.value(L::projected_signal, first + n, y.at[n]);
          state[first + n] = y.at[n];
        }
      }
      out.write(y);
    }
  }
};
template <class L>
struct LstmOutput<L, false> {
  static constexpr int beat = L::unit_group;

  template <class Probe>
  static void run(::hls::stream<Beat<typename L::Hidden, beat>>& hidden,
                  const ProjectionWeights<L, false>& /*weights*/,
                  typename L::Output (&state)[L::outputs],
                  ::hls::stream<Beat<typename L::Output, beat>>& out, Probe /*probe*/) {
    ERNN_BANKS(state, 1, beat)
    ERNN_BEFORE_ROLLED
    for (int first = 0; first < L::size; first += beat) {
      ERNN_PIPELINE
      const Beat<typename L::Output, beat> y = hidden.read();
      ERNN_BEFORE_UNROLL
      for (int n = 0; n < beat; ++n) {
        ERNN_UNROLL
        state[first + n] = y.at[n];
      }
      out.write(y);
    }
  }
};

/// What an LSTM layer hands on in one transfer.
template <class L>
using LstmBeat = Beat<typename L::Output, LstmOutput<L, L::projects>::beat>;

/// One frame of all streams, whose processes overlap: stream s + 1 is multiplied while stream s is
/// still in the cells or in the projection. Reads y(t-1) from `before` and writes y(t) to `after`.
template <class L, class Probe>
void lstm_frame(int streams,
                ::hls::stream<typename ProductBeat<typename L::InputMatrix>::type>& input,
                const LstmWeights<L>& weights, typename L::Cell (&cell)[L::streams][L::size],
                const typename L::Output (&before)[L::streams][L::outputs],
                typename L::Output (&after)[L::streams][L::outputs],
                ::hls::stream<LstmBeat<L>>& out, Probe probe) {
  typedef typename L::RecurrentMatrix R;
  ERNN_BEFORE_ROLLED
  for (int s = 0; s < streams; ++s) {
    ERNN_DATAFLOW
    ::hls::stream<Beat<typename L::Output, R::block>> y("y");
    ::hls::stream<typename ProductBeat<R>::type> recurrent("recurrent");
    ::hls::stream<Beat<typename L::Hidden, L::unit_group>> hidden("hidden");
    ERNN_STREAM_DEPTH(recurrent, kProductDepth)
    read_vector(before[s], y);
    matrix_vector<R, R::block>(y, weights.recurrent, recurrent, probe);
    lstm_cells<L>(input, recurrent, weights, cell[s], hidden, probe);
    LstmOutput<L, L::projects>::run(hidden, weights.projection, after[s], out, probe);
  }
}

/// The stage: reads the input product of each frame of each stream, writes the layer's output.
/// Streams whose bit is set in `reset` start from zero state, the others go on from the last call.
template <class L, class Probe>
void lstm_stage(int frames, int streams, unsigned reset,
                ::hls::stream<typename ProductBeat<typename L::InputMatrix>::type>& input,
                const LstmWeights<L>& weights, LstmState<L>& state, ::hls::stream<LstmBeat<L>>& out,
                Probe probe) {
  static_assert(L::size % L::unit_group == 0, "unit_group must divide the layer's size");
  static_assert(L::unit_group % L::units_parallel == 0, "units_parallel must divide unit_group");
  // The two calls below take turns: one set of hardware is enough.
  ERNN_ONE_INSTANCE(lstm_frame)
  begin_call<L>(reset, streams, state);
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    if (state.output.second) {
      lstm_frame<L>(streams, input, weights, state.cell, state.output.b, state.output.a, out,
                    probe);
    } else {
      lstm_frame<L>(streams, input, weights, state.cell, state.output.a, state.output.b, out,
                    probe);
    }
    state.output.second = !state.output.second;
  }
}

}  // namespace kernel
}  // namespace ernn
