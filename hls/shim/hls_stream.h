// Host stand-in for a vendor's hls_stream.h: a queue without a bound.
#pragma once

#ifdef __SYNTHESIS__
#error "this header is for the host: synthesis must find the tool's own hls_stream.h"
#endif

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hls {

/// First in, first out. Reading an empty stream throws std::logic_error with the stream's name: in
/// hardware that is a deadlock.
template <class T, int Depth = 0>
class stream {
 public:
  stream() = default;
  explicit stream(const char* name) : name_(name) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  void write(const T& value) { items_.push_back(value); }
  T read() {
    if (empty()) throw std::logic_error("read from the empty stream '" + name_ + "'");
    T value = std::move(items_[head_++]);
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    } else if (head_ >= kReuse && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return value;
  }
  void read(T& value) { value = read(); }
  bool read_nb(T& value) {
    if (empty()) return false;
    value = read();
    return true;
  }
  bool write_nb(const T& value) {
    write(value);
    return true;
  }
  void operator<<(const T& value) { write(value); }
  void operator>>(T& value) { value = read(); }

  bool empty() const { return head_ == items_.size(); }
  bool full() const { return false; }
  std::size_t size() const { return items_.size() - head_; }

 private:
  static constexpr std::size_t kReuse = 1024;
  std::string name_ = "unnamed";
  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace hls
