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
  template <int K>
  struct Block {
    static constexpr int value = K;
  };

  template <int Largest, class Function>
  ERNN_INLINE static void with_block(Index block, Function function) {
    if constexpr (Largest > 2) {
      if (block < Largest) return with_block<Largest / 2>(block, function);
    }
    function(Block<Largest>());
  }

  template <int K>
  static void rows(const TransformArguments<T>& p) {
    for (Index n = 0; n < p.rows; ++n) {
      const T* const x = p.x + n * p.x_row;
      T* const spectra = p.spectra + n * p.row;
      T* const sums = p.sums == nullptr ? nullptr : p.sums + n * p.row;
      for (Index column = 0; column < p.columns; column += K * kWidth) {
        V memory[K];
        const Index inside = p.columns - column;
        if (inside >= K * kWidth) {
          for (int i = 0; i < K; ++i) memory[i] = load<Set, T>(x + column + i * kWidth);
        } else {
          for (int i = 0; i < K; ++i) {
            const Index left = inside - i * kWidth;
            memory[i] = load_first<Set, T>(x + column + i * kWidth,
                                           left < 0 ? 0 : (left < kWidth ? left : kWidth));
          }
        }
        V numbers[K];
        transpose_blocks<Set, T, K>(memory, numbers, 1);
        V spectrum[K];
        real_fft<Set, T, K>(numbers, 1, spectrum);
        for (int i = 0; i < K; ++i) store<Set, T>(spectra + column / K + i * p.plane, spectrum[i]);
        if (sums != nullptr) {
          for (int bin = 1; bin < K / 2; ++bin) {
            const V im = p.differences ? -spectrum[2 * bin + 1] : spectrum[2 * bin + 1];
            store<Set, T>(sums + column / K + (bin - 1) * p.plane, spectrum[2 * bin] + im);
          }
        }
      }
    }
  }

  template <int K>
  static void inverse_rows(const InverseArguments<T>& p) {
    for (Index n = 0; n < p.rows; ++n) {
      const T* const spectra = p.spectra + n * p.row;
      T* const y = p.y + n * p.y_row;
      const T* const addend = p.addend == nullptr ? nullptr : p.addend + n * p.addend_row;
      for (Index column = 0; column < p.columns; column += K * kWidth) {
        V spectrum[K];
        for (int i = 0; i < K; ++i) spectrum[i] = load<Set, T>(spectra + column / K + i * p.plane);
        V numbers[K];
        unscaled_inverse_fft<Set, T, K>(spectrum, numbers, 1);
        V memory[K];
        transpose_back<Set, T, K>(numbers, 1, memory);
        for (int i = 0; i < K; ++i) {
          const Index at = column + i * kWidth;
          if (p.columns - at >= kWidth) {
            if (addend != nullptr) memory[i] += load<Set, T>(addend + at);
            store<Set, T>(y + at, memory[i]);
          } else if (at < p.columns) {
            const Index left = p.columns - at;
            if (addend != nullptr) memory[i] += load_first<Set, T>(addend + at, left);
            store_first<Set, T>(y + at, memory[i], left);
          }
        }
      }
    }
  }
};

}  // namespace ernn::compute
