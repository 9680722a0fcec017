// The gate arithmetic of compute/kernels.h for one instruction set: everything of a frame that is
// not a matrix product, in one pass over memory.
#pragma once

#include "compute/kernels.h"
#include "compute/vector.h"

namespace ernn::compute {

template <class Set, class T>
struct Frames {
  using V = Vector<Set, T>;
  static constexpr Index kWidth = kLanes<Set, T>;

  /// Numbers column ... column + kWidth - 1 of rows of `size`; the last vector may be shorter.
  struct Columns {
    Index column;
    Index count;

    ERNN_INLINE V get(const T* row) const {
      return count == kWidth ? load<Set, T>(row + column) : load_first<Set, T>(row + column, count);
    }
    ERNN_INLINE void put(T* row, V value) const {
      if (count == kWidth) {
        store<Set, T>(row + column, value);
      } else {
        store_first<Set, T>(row + column, value, count);
      }
    }
  };

  template <class Function>
  ERNN_INLINE static void for_columns(Index size, Function function) {
    Index column = 0;
    for (; column + kWidth <= size; column += kWidth) function(Columns{column, kWidth});
    if (column < size) function(Columns{column, size - column});
  }

  static void lstm(const LstmFrame<T>& p) {
    for (Index n = 0; n < p.batch; ++n) {
      T* const gates = p.gates + n * 4 * p.size;
      const T* const previous = p.previous == nullptr ? nullptr : p.previous + n * p.size;
      T* const cell = p.cell + n * p.size;
      T* const hidden = p.hidden + n * p.size;
      for_columns(p.size, [&](Columns at) { lstm_columns(p, gates, previous, cell, hidden, at); });
    }
  }

  static void lstm_backward(const LstmFrameBackward<T>& p) {
    for (Index n = 0; n < p.batch; ++n) {
      for_columns(p.size, [&](Columns at) { lstm_columns_backward(p, n, at); });
    }
  }

  static void gru_gates(const GruFrame<T>& p) {
    for (Index n = 0; n < p.batch; ++n) {
      T* const z = p.gates + n * 2 * p.size;
      T* const r = z + p.size;
      for_columns(p.size, [&](Columns at) {
        at.put(z, sigmoid<Set, T>(at.get(z)));
        const V reset = sigmoid<Set, T>(at.get(r));
        at.put(r, reset);
        if (p.after) return;
        const V h = p.previous == nullptr ? V{} : at.get(p.previous + n * p.size);
        at.put(p.inner + n * p.size, reset * h);
      });
    }
  }

  static void gru_hidden(const GruFrame<T>& p) {
    for (Index n = 0; n < p.batch; ++n) {
      const T* const z = p.gates + n * 2 * p.size;
      for_columns(p.size, [&](Columns at) {
        V argument;
        if (p.after) {
          argument =
              at.get(p.input + n * p.input_row) + at.get(z + p.size) * at.get(p.inner + n * p.size);
        } else {
          argument = at.get(p.candidate + n * p.size);
        }
        const V candidate = tanh<Set, T>(argument);
        at.put(p.candidate + n * p.size, candidate);
        const V h = p.previous == nullptr ? V{} : at.get(p.previous + n * p.size);
        at.put(p.hidden + n * p.size, h + at.get(z) * (candidate - h));
      });
    }
  }

  static void gru_candidate_backward(const GruFrameBackward<T>& p) {
    for (Index n = 0; n < p.batch; ++n) {
      const T* const gates = p.gates + n * 2 * p.size;
      T* const d_input = p.d_input + n * 3 * p.size;
      for_columns(p.size, [&](Columns at) {
        const V z = at.get(gates);
        const V candidate = at.get(p.candidate + n * p.size);
        const V d_hidden = at.get(p.d_hidden + n * p.size);
        const V h = p.previous == nullptr ? V{} : at.get(p.previous + n * p.size);
        const V d_candidate = d_hidden * z * (1 - candidate * candidate);
        at.put(d_input, d_hidden * (candidate - h) * z * (1 - z));
        at.put(d_input + 2 * p.size, d_candidate);
        at.put(p.d_previous + n * p.size, d_hidden * (1 - z));
        if (!p.after) return;
        const V r = at.get(gates + p.size);
        at.put(d_input + p.size, d_candidate * at.get(p.inner + n * p.size) * r * (1 - r));
        at.put(p.d_inner + n * p.size, d_candidate * r);
      });
    }
  }

  static void gru_gates_backward(const GruFrameBackward<T>& p) {
    if (p.after) return;
    for (Index n = 0; n < p.batch; ++n) {
      const T* const reset = p.gates + n * 2 * p.size + p.size;
      T* const d_reset = p.d_input + n * 3 * p.size + p.size;
      for_columns(p.size, [&](Columns at) {
        const V r = at.get(reset);
        const V d_inner = at.get(p.d_inner + n * p.size);
        const V h = p.previous == nullptr ? V{} : at.get(p.previous + n * p.size);
        at.put(d_reset, d_inner * h * r * (1 - r));
        at.put(p.d_previous + n * p.size, at.get(p.d_previous + n * p.size) + d_inner * r);
      });
    }
  }

 private:
  ERNN_INLINE static void lstm_columns(const LstmFrame<T>& p, T* gates, const T* previous, T* cell,
                                       T* hidden, Columns at) {
    const Index size = p.size;
    V i = at.get(gates);
    V f = at.get(gates + size);
    V o = at.get(gates + 3 * size);
    const V before = previous == nullptr ? V{} : at.get(previous);
    if (p.peephole != nullptr) {
      i += before * at.get(p.peephole);
      f += before * at.get(p.peephole + size);
    }
    i = sigmoid<Set, T>(i);
    f = sigmoid<Set, T>(f);
    const V g = tanh<Set, T>(at.get(gates + 2 * size));
    V c = f * before + i * g;
    if (p.cell_clip > 0) {
      c = c > p.cell_clip ? all<Set, T>(p.cell_clip) : c;
      c = c < -p.cell_clip ? all<Set, T>(-p.cell_clip) : c;
    }
    if (p.peephole != nullptr) o += c * at.get(p.peephole + 2 * size);
    o = sigmoid<Set, T>(o);
    at.put(gates, i);
    at.put(gates + size, f);
    at.put(gates + 2 * size, g);
    at.put(gates + 3 * size, o);
    at.put(cell, c);
    at.put(hidden, o * tanh<Set, T>(c));
  }

  ERNN_INLINE static void lstm_columns_backward(const LstmFrameBackward<T>& p, Index n,
                                                Columns at) {
    const Index size = p.size;
    const T* const gates = p.gates + n * 4 * size;
    T* const d_gates = p.d_gates + n * 4 * size;
    const V i = at.get(gates);
    const V f = at.get(gates + size);
    const V g = at.get(gates + 2 * size);
    const V o = at.get(gates + 3 * size);
    const V c = at.get(p.cell + n * size);
    const V before = p.previous == nullptr ? V{} : at.get(p.previous + n * size);
    const V d_hidden = at.get(p.d_hidden + n * size);
    const V squashed = tanh<Set, T>(c);
    const V d_o = d_hidden * squashed * o * (1 - o);
    V d_cell = at.get(p.d_cell + n * size) + d_hidden * o * (1 - squashed * squashed);
    if (p.peephole != nullptr) d_cell += d_o * at.get(p.peephole + 2 * size);
    if (p.cell_clip > 0) {
      d_cell = c < p.cell_clip ? d_cell : V{};
      d_cell = c > -p.cell_clip ? d_cell : V{};
    }
    const V d_i = d_cell * g * i * (1 - i);
    const V d_f = d_cell * before * f * (1 - f);
    at.put(d_gates, d_i);
    at.put(d_gates + size, d_f);
    const V d_g = d_cell * i * (1 - g * g);
    at.put(d_gates + 2 * size, d_g);
    at.put(d_gates + 3 * size, d_o);
    V d_before = d_cell * f;
    if (p.peephole != nullptr) {
      d_before += d_i * at.get(p.peephole);
      d_before += d_f * at.get(p.peephole + size);
      add(p.d_peephole, at, d_i * before);
      add(p.d_peephole + size, at, d_f * before);
      add(p.d_peephole + 2 * size, at, d_o * c);
    }
    at.put(p.d_cell + n * size, d_before);
    add(p.d_bias, at, d_i);
    add(p.d_bias + size, at, d_f);
    add(p.d_bias + 2 * size, at, d_g);
    add(p.d_bias + 3 * size, at, d_o);
  }

  ERNN_INLINE static void add(T* row, Columns at, V value) { at.put(row, at.get(row) + value); }
};

}  // namespace ernn::compute
