// Digests that tell apart what changed by accident; not against anybody's will.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ernn {

/// FNV-1a, 64 bits; `before` is the digest of what came before.
std::uint64_t digest_bytes(std::string_view bytes, std::uint64_t before = 0);

/// The same by words of 8 bytes in the machine's order, for large arrays: another digest, several
/// times as fast. It differs whenever a single word does.
std::uint64_t digest_words(const void* data, std::size_t bytes, std::uint64_t before = 0);

/// Of a whole file by digest_bytes(), as hexadecimal text. Throws DataError naming the file.
std::string digest_file(const std::filesystem::path& path);

}  // namespace ernn
