// Elements side by side in one wide word, as a datapath function takes and gives them at RTL.
// Element 0 is at the bottom.
#pragma once

#include "kernel/types.h"

namespace ernn {
namespace rtl {

/// `Bits` bits as 64-bit parts, the lowest first: results, and on the host, whose ap_uint ends at
/// 64 bits, inputs.
template <int Bits>
struct WideWord {
  static constexpr int count = (Bits + 63) / 64;
  unsigned long long parts[count] = {};
};

/// Bits at ... at + Width - 1 of a word as a signed code.
template <int Width, int Bits>
[[gnu::always_inline]] inline ap_int<Width> read_code(const ap_uint<Bits>& word, int at) {
  ERNN_INLINE
  const ap_uint<Width> bits = word.range(at + Width - 1, at);
  return ap_int<Width>(bits);
}
template <int Width, int Bits>
ap_int<Width> read_code(const WideWord<Bits>& word, int at) {
  unsigned long long bits = word.parts[at / 64] >> (at % 64);
  if (at % 64 + Width > 64) bits |= word.parts[at / 64 + 1] << (64 - at % 64);
  return ap_int<Width>(bits);
}

/// Puts a code there; the bits were zero.
template <int Width, int Bits>
[[gnu::always_inline]] inline void write_code(WideWord<Bits>& word, int at,
                                              const ap_int<Width>& code) {
  ERNN_INLINE
  const unsigned long long mask = ~0ULL >> (64 - Width);
  const unsigned long long bits = static_cast<unsigned long long>(code.to_int64()) & mask;
  word.parts[at / 64] |= bits << (at % 64);
  if (at % 64 + Width > 64) word.parts[at / 64 + 1] |= bits >> (64 - at % 64);
}

/// Takes elements off a word from the bottom up. Every position is a constant once loops are
/// unrolled.
template <class Word>
class Unpacker {
 public:
  explicit Unpacker(const Word& word) : word_(word) {}

  template <class T>
  [[gnu::always_inline]] T next() {
    ERNN_INLINE
    constexpr int width = kernel::FormatOf<T>::width;
    const ap_int<width> code = read_code<width>(word_, at_);
    at_ += width;
    return kernel::from_code<T>(code);
  }
  template <class T, int N>
  [[gnu::always_inline]] void next(T (&elements)[N]) {
    ERNN_INLINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < N; ++n) {
      ERNN_UNROLL
      elements[n] = next<T>();
    }
  }

 private:
  const Word& word_;
  int at_ = 0;
};

/// Puts elements on a word from the bottom up.
template <class Word>
class Packer {
 public:
  explicit Packer(Word& word) : word_(word) {}

  template <class T>
  [[gnu::always_inline]] void put(const T& element) {
    ERNN_INLINE
    constexpr int width = kernel::FormatOf<T>::width;
    write_code<width>(word_, at_, kernel::Codes<T>::code(element));
    at_ += width;
  }
  template <class T, int N>
  [[gnu::always_inline]] void put(const T (&elements)[N]) {
    ERNN_INLINE
    ERNN_BEFORE_UNROLL
    for (int n = 0; n < N; ++n) {
      ERNN_UNROLL
      put(elements[n]);
    }
  }

 private:
  Word& word_;
  int at_ = 0;
};

/// Total width of elements.
template <class T, int N = 1>
constexpr int width_of() {
  return N * kernel::FormatOf<T>::width;
}

}  // namespace rtl
}  // namespace ernn
