// Uninitialised numbers at a cache line's boundary.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace ernn::compute {

/// Grows when asked to, and then forgets its content.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::ptrdiff_t size) { reserve(size); }

  T* reserve(std::ptrdiff_t size) {
    if (size > size_) {
      const std::size_t bytes =
          (static_cast<std::size_t>(size) * sizeof(T) + kLine - 1) / kLine * kLine;
      data_.reset(static_cast<T*>(std::aligned_alloc(kLine, bytes)));
      if (data_ == nullptr) throw std::bad_alloc();
      size_ = size;
    }
    return data_.get();
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  static constexpr std::size_t kLine = 64;
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T, Free> data_;
  std::ptrdiff_t size_ = 0;
};

}  // namespace ernn::compute
