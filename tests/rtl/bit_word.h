// Codes side by side, as words.h packs them: element 0 at the bottom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ernn::rtl {

class BitWord {
 public:
  /// Two's complement in `width` bits, above what is there.
  void put(std::int64_t code, int width) {
    for (int bit = 0; bit < width; ++bit) {
      if (size_ % 64 == 0) words_.push_back(0);
      words_.back() |= static_cast<std::uint64_t>(code >> bit & 1) << (size_ % 64);
      ++size_;
    }
  }
  std::size_t size() const { return size_; }

  /// From the top down, 16 digits for every 64 bits.
  std::string hex() const {
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (std::size_t w = words_.size(); w-- > 0;) {
      for (int shift = 60; shift >= 0; shift -= 4) text += digits[words_[w] >> shift & 15U];
    }
    return text;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace ernn::rtl
