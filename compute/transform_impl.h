// The block transforms of compute/kernels.h for one instruction set.
#pragma once

#include "compute/kernels.h"
#include "compute/real_fft.h"

namespace ernn::compute {

template <class Set, class T>
struct BlockTransform {
  using V = Vector<Set, T>;
  static constexpr Index kWidth = kLanes<Set, T>;

  static void transform(const TransformArguments<T>& p) {
    with_block<64>(p.block, [&p](auto block) { rows<decltype(block)::value>(p); });
  }
  static void inverse(const InverseArguments<T>& p) {
    with_block<64>(p.block, [&p](auto block) { inverse_rows<decltype(block)::value>(p); });
  }

 private:
  // transform() and inverse() of compute/spectra.h let no other block size through.
  template <int Largest, class Function>
  ERNN_INLINE static void with_block(Index block, Function function) {
    if constexpr (Largest > 2) {
      if (block < Largest) return with_block<Largest / 2>(block, function);
    }
    function(Constant<Largest>());
  }

  template <int K>
  static void rows(const TransformArguments<T>& p) {
    for (Index n = 0; n < p.rows; ++n) {
      const T* const x = p.x + n * p.x_row;
      T* const spectra = p.spectra + n * p.row;
      T* const sums = p.sums == nullptr ? nullptr : p.sums + n * p.row;
      Index column = 0;
      for (; column + K * kWidth <= p.columns; column += K * kWidth)
        blocks<K>(p, x + column, spectra + column / K, sums, column / K);
      if (column == p.columns) continue;
      // The last blocks: what is missing of them is 0.
      T rest[K * kWidth] = {};
      for (Index i = column; i < p.columns; ++i) rest[i - column] = x[i];
      blocks<K>(p, rest, spectra + column / K, sums, column / K);
    }
  }

  // As many blocks as a vector has lanes.
  template <int K>
  ERNN_INLINE static void blocks(const TransformArguments<T>& p, const T* x, T* spectra, T* sums,
                                 Index first) {
    V memory[K];
    unrolled<K>([&](auto i) ERNN_INLINE_LAMBDA {
      memory[decltype(i)::value] = load<Set, T>(x + decltype(i)::value * kWidth);
    });
    V numbers[K];
    transpose_blocks<Set, T, K>(memory, numbers, 1);
    V spectrum[K];
    real_fft<Set, T, K>(numbers, 1, spectrum);
    unrolled<K>([&](auto i) ERNN_INLINE_LAMBDA {
      store<Set, T>(spectra + decltype(i)::value * p.plane, spectrum[decltype(i)::value]);
    });
    if (sums == nullptr) return;
    unrolled<K / 2 - 1>([&](auto i) ERNN_INLINE_LAMBDA {
      constexpr int bin = decltype(i)::value + 1;
      const V im = spectrum[2 * bin + 1];
      store<Set, T>(sums + first + (bin - 1) * p.plane,
                    p.differences ? spectrum[2 * bin] - im : spectrum[2 * bin] + im);
    });
  }

  template <int K>
  static void inverse_rows(const InverseArguments<T>& p) {
    for (Index n = 0; n < p.rows; ++n) {
      const T* const spectra = p.spectra + n * p.row;
      T* const y = p.y + n * p.y_row;
      const T* const addend = p.addend == nullptr ? nullptr : p.addend + n * p.addend_row;
      Index column = 0;
      for (; column + K * kWidth <= p.columns; column += K * kWidth) {
        inverse_blocks<K>(p, spectra + column / K, addend == nullptr ? nullptr : addend + column,
                          y + column);
      }
      if (column == p.columns) continue;
      T rest[K * kWidth];
      inverse_blocks<K>(p, spectra + column / K, nullptr, rest);
      for (Index i = column; i < p.columns; ++i)
        y[i] = addend == nullptr ? rest[i - column] : addend[i] + rest[i - column];
    }
  }

  template <int K>
  ERNN_INLINE static void inverse_blocks(const InverseArguments<T>& p, const T* spectra,
                                         const T* addend, T* y) {
    V spectrum[K];
    unrolled<K>([&](auto i) ERNN_INLINE_LAMBDA {
      spectrum[decltype(i)::value] = load<Set, T>(spectra + decltype(i)::value * p.plane);
    });
    V numbers[K];
    unscaled_inverse_fft<Set, T, K>(spectrum, numbers, 1);
    V memory[K];
    transpose_back<Set, T, K>(numbers, 1, memory);
    unrolled<K>([&](auto i) ERNN_INLINE_LAMBDA {
      constexpr Index at = decltype(i)::value * kWidth;
      V value = memory[decltype(i)::value];
      if (addend != nullptr) value += load<Set, T>(addend + at);
      store<Set, T>(y + at, value);
    });
  }
};

}  // namespace ernn::compute
