// The matrix product of compute/kernels.h for one instruction set.
//
// B is cut into panels as wide as a tile of registers; a tile of C stays in registers while the
// depth runs, each number of A is broadcast once per tile and each vector of B is read once for
// all rows of the tile. A panel is small enough to stay in the second-level cache for all rows.
#pragma once

#include "compute/kernels.h"
#include "compute/vector.h"

namespace ernn::compute {

template <class Set, class T>
struct MatrixProduct {
  using V = Vector<Set, T>;
  using Arguments = ProductArguments<T>;
  static constexpr Index kWidth = kLanes<Set, T>;
  static constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));  // numbers in a cache line
  static constexpr Index kPanel = Set::kTileVectors * kWidth;

  static Index padded(Index columns) { return (columns + kWidth - 1) / kWidth * kWidth; }
  // Columns of the panel that begins where `left` of them, padded, are left. Narrow tiles are slow:
  // one vector more than a tile has is divided evenly.
  static Index panel_width(Index left) {
    if (left == kPanel + kWidth) return (Set::kTileVectors + 2) / 2 * kWidth;
    return left < kPanel ? left : kPanel;
  }
  static Index packed_size(Index depth, Index columns) { return depth * padded(columns); }

  static void pack(const T* b, Index depth_stride, Index column_stride, Index depth, Index columns,
                   T* packed) {
    Index width = 0;
    for (Index begin = 0; begin < columns; begin += width) {
      width = panel_width(padded(columns) - begin);
      const Index inside = columns - begin < width ? columns - begin : width;
      // Columns in groups, so that a transposed B is read along its rows.
      for (Index i = 0; i < depth; ++i) {
        T* const to = packed + begin * depth + i * width;
        const T* const from = b + i * depth_stride + begin * column_stride;
        for (Index j = 0; j < inside; ++j) to[j] = from[j * column_stride];
        for (Index j = inside; j < width; ++j) to[j] = 0;
      }
    }
  }

  static void pack_rows(const T* a, Index row_stride, Index rows, Index depth, T* packed) {
    for (Index row = 0; row < rows; row += Set::kTileRows) {
      const Index count = rows - row < Set::kTileRows ? rows - row : Set::kTileRows;
      for (Index r = 0; r < count; ++r) {
        const T* const from = a + (row + r) * row_stride;
        for (Index i = 0; i < depth; ++i) packed[row * depth + i * count + r] = from[i];
      }
    }
  }

  static void product(const Arguments& p) {
    Index width = 0;
    for (Index begin = 0; begin < p.columns; begin += width) {
      width = panel_width(padded(p.columns) - begin);
      const T* const b = p.b_row == 0 ? p.b + begin * p.depth : p.b + begin;
      const Index b_row = p.b_row == 0 ? width : p.b_row;
      panel<Set::kTileVectors>(p, begin, width / kWidth, b, b_row);
    }
  }

 private:
  template <int Vectors>
  static void panel(const Arguments& p, Index begin, Index vectors, const T* b, Index b_row) {
    if constexpr (Vectors > 1) {
      if (vectors < Vectors) return panel<Vectors - 1>(p, begin, vectors, b, b_row);
    }
    Index row = 0;
    for (; row + Set::kTileRows <= p.rows; row += Set::kTileRows)
      tile<Set::kTileRows, Vectors>(p, row, begin, b, b_row);
    if (row < p.rows) last_rows<Set::kTileRows - 1, Vectors>(p, row, begin, b, b_row);
  }

  template <int Rows, int Vectors>
  static void last_rows(const Arguments& p, Index row, Index begin, const T* b, Index b_row) {
    if constexpr (Rows > 1) {
      if (p.rows - row < Rows) return last_rows<Rows - 1, Vectors>(p, row, begin, b, b_row);
    }
    tile<Rows, Vectors>(p, row, begin, b, b_row);
  }

  template <int Rows, int Vectors>
  static void tile(const Arguments& p, Index row, Index begin, const T* b, Index b_row) {
    V sum[Rows][Vectors];
    unrolled<Rows * Vectors>([&](auto n) ERNN_INLINE_LAMBDA {
      sum[decltype(n)::value / Vectors][decltype(n)::value % Vectors] = V{};
    });
    const bool packed = p.a_row == 0;
    const T* const a = p.a + row * (packed ? p.depth : p.a_row);
    const Index a_row = packed ? 1 : p.a_row;
    const Index a_depth = packed ? Rows : p.a_depth;
    // Packed panels follow each other: every tile asks for some of the next one, which then is in
    // the cache, also where the matrix as a whole comes from memory.
    const T* const next = p.b_row == 0 ? b + p.depth * b_row + row / Rows * p.depth * kLine : b;
    const Index next_step = p.b_row == 0 ? kLine : 0;
    for (Index i = 0; i < p.depth; ++i) {
      if constexpr (Rows == Set::kTileRows) __builtin_prefetch(next + i * next_step, 0, 2);
      V column[Vectors];
      for (int v = 0; v < Vectors; ++v) column[v] = load<Set, T>(b + i * b_row + v * kWidth);
      for (int r = 0; r < Rows; ++r) {
        const T value = a[r * a_row + i * a_depth];
        for (int v = 0; v < Vectors; ++v) sum[r][v] += value * column[v];
      }
    }
    unrolled<Rows * Vectors>([&](auto n) ERNN_INLINE_LAMBDA {
      constexpr int r = decltype(n)::value / Vectors;
      constexpr int v = decltype(n)::value % Vectors;
      write(p, row + r, begin + v * kWidth, sum[r][v]);
    });
  }

  ERNN_INLINE static void write(const Arguments& p, Index row, Index column, V value) {
    const Index inside = p.columns - column;
    const Index at = row * p.c_row + column;
    const T* const addend = p.addend == nullptr ? nullptr : p.addend + row * p.addend_row + column;
    if (inside >= kWidth) {
      if (addend != nullptr) value += load<Set, T>(addend);
      store<Set, T>(p.c + at, value);
      if (p.copy != nullptr) store<Set, T>(p.copy + at, value);
    } else {
      if (addend != nullptr) value += load_first<Set, T>(addend, inside);
      store_first<Set, T>(p.c + at, value, inside);
      if (p.copy != nullptr) store_first<Set, T>(p.copy + at, value, inside);
    }
  }
};

}  // namespace ernn::compute
