#include "base/digest.h"

#include <fmt/format.h>

#include <cstring>

#include "base/files.h"

namespace ernn {

namespace {

constexpr std::uint64_t kStart = 0xcbf29ce484222325U;
constexpr std::uint64_t kPrime = 0x100000001b3U;

}  // namespace

std::uint64_t digest_bytes(std::string_view bytes, std::uint64_t before) {
  std::uint64_t hash = before == 0 ? kStart : before;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= kPrime;
  }
  return hash;
}

std::uint64_t digest_words(const void* data, std::size_t bytes, std::uint64_t before) {
  const char* const begin = static_cast<const char*>(data);
  std::uint64_t hash = before == 0 ? kStart : before;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= bytes; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, begin + at, sizeof(word));
    hash ^= word;
    hash *= kPrime;
    // A product carries upwards only: without this the upper bits of a word would say little.
    hash ^= hash >> 32U;
  }
  return digest_bytes({begin + at, bytes - at}, hash);
}

std::string digest_file(const std::filesystem::path& path) {
  return fmt::format("{:016x}", digest_bytes(read_file(path)));
}

}  // namespace ernn
