// Where the elements of a vector lie (runtime/kernels/kernels.h, "planes").
#pragma once

#include <cstddef>

#include "runtime/kernels/kernels.h"

namespace ernn {

/// A vector of `count` elements in blocks of `block`, padded to whole blocks.
struct Layout {
  int count = 0;
  int block = 1;

  int blocks() const { return (count + block - 1) / block; }
  /// Blocks with room for whole registers.
  int groups() const { return (blocks() + kGroup - 1) / kGroup; }
  std::ptrdiff_t stride() const { return static_cast<std::ptrdiff_t>(groups()) * kGroup; }
  std::size_t size() const {
    return static_cast<std::size_t>(block) * static_cast<std::size_t>(stride());
  }
  /// Of element u, padding (u >= count) included.
  std::size_t position(int u) const {
    return static_cast<std::size_t>(u % block) * static_cast<std::size_t>(stride()) +
           static_cast<std::size_t>(u / block);
  }
  /// Elements that only fill up the last block.
  int padding() const { return blocks() * block - count; }
  bool operator==(const Layout& other) const {
    return count == other.count && block == other.block;
  }
};

}  // namespace ernn
