// Numbers in the byte orders of files, whatever the order of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ernn {

namespace bytes_detail {
template <std::size_t size>
using Unsigned = std::conditional_t<
    size == 1, std::uint8_t,
    std::conditional_t<size == 2, std::uint16_t,
                       std::conditional_t<size == 4, std::uint32_t, std::uint64_t>>>;
}  // namespace bytes_detail

/// The little-endian integer or IEEE number of type T at `offset`; the caller has checked that it
/// lies inside.
template <class T>
T load_little(std::string_view bytes, std::size_t offset) {
  bytes_detail::Unsigned<sizeof(T)> word = 0;
  for (std::size_t i = sizeof(T); i > 0; --i) {
    const auto byte = static_cast<unsigned char>(bytes[offset + i - 1]);
    word = static_cast<decltype(word)>((static_cast<std::uint64_t>(word) << 8U) | byte);
  }
  T value;
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

/// The same, most significant byte first.
template <class T>
T load_big(std::string_view bytes, std::size_t offset) {
  std::string turned(bytes.substr(offset, sizeof(T)));
  for (std::size_t i = 0; i < sizeof(T) / 2; ++i) std::swap(turned[i], turned[sizeof(T) - 1 - i]);
  return load_little<T>(turned, 0);
}

template <class T>
void append_little(std::string& out, T value) {
  bytes_detail::Unsigned<sizeof(T)> word;
  std::memcpy(&word, &value, sizeof(T));
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>((static_cast<std::uint64_t>(word) >> (8 * i)) & 0xFFU));
  }
}

}  // namespace ernn
