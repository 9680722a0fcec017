// Memory for whole registers.
#pragma once

#include <algorithm>
#include <cstddef>

#include "compute/aligned_buffer.h"

namespace ernn {

/// `size` numbers on a boundary of 64 bytes, zero at first.
template <class T>
class AlignedArray {
 public:
  explicit AlignedArray(std::size_t size = 0)
      : size_(size), buffer_(static_cast<std::ptrdiff_t>(size)) {
    clear();
  }

  T* data() { return buffer_.data(); }
  const T* data() const { return buffer_.data(); }
  std::size_t size() const { return size_; }
  void clear() { std::fill_n(data(), size_, T{}); }

 private:
  std::size_t size_;
  compute::AlignedBuffer<T> buffer_;
};

}  // namespace ernn
