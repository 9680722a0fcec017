// A stream for Bambu, which runs the stages one after the other: each writes all words of a frame
// before the next one reads them, so the stream holds them all. A word too many overwrites one, and
// the logits differ.
#pragma once

namespace hls {

template <class T, int Depth = 0>
class stream {
 public:
  stream() = default;
  explicit stream(const char* /*name*/) {}

  void write(const T& value) {
    words_[last_] = value;
    last_ = (last_ + 1) % kWords;
  }
  T read() {
    const T value = words_[first_];
    first_ = (first_ + 1) % kWords;
    return value;
  }

 private:
  static constexpr unsigned kWords = 64;
  T words_[kWords];
  unsigned first_ = 0;
  unsigned last_ = 0;
};

}  // namespace hls
