// SHA-256 (FIPS 180-4) and files in sha256sum(1)'s format. Nothing but C++17 is needed, because the
// HLS testbench checks artefacts with it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ernn::hls {

/// Hashes a message piece by piece; one object a message.
class Sha256 {
 public:
  void update(const char* data, std::size_t size) {
    length_ += size;
    for (std::size_t i = 0; i < size; ++i) {
      block_[used_++] = static_cast<std::uint8_t>(data[i]);
      if (used_ == block_.size()) {
        compress();
        used_ = 0;
      }
    }
  }

  /// The digest as 64 small hexadecimal digits; the object is spent afterwards.
  std::string hex() {
    const std::uint64_t bits = length_ * 8;
    const char one = static_cast<char>(-128);
    update(&one, 1);
    const char zero = 0;
    while (used_ != 56) update(&zero, 1);
    for (int shift = 56; shift >= 0; shift -= 8) {
      block_[used_++] = static_cast<std::uint8_t>((bits >> static_cast<unsigned>(shift)) & 0xFFU);
    }
    compress();
    std::string text;
    for (const std::uint32_t word : state_) {
      for (int shift = 28; shift >= 0; shift -= 4)
        text += "0123456789abcdef"[(word >> static_cast<unsigned>(shift)) & 15U];
    }
    return text;
  }

 private:
  static std::uint32_t rotate(std::uint32_t x, unsigned n) { return (x >> n) | (x << (32 - n)); }

  void compress() {
    static constexpr std::array<std::uint32_t, 64> k = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
        0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
        0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
        0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2};
    std::array<std::uint32_t, 64> w{};
    for (std::size_t i = 0; i < 16; ++i) {
      w[i] = static_cast<std::uint32_t>(block_[4 * i]) << 24U |
             static_cast<std::uint32_t>(block_[4 * i + 1]) << 16U |
             static_cast<std::uint32_t>(block_[4 * i + 2]) << 8U | block_[4 * i + 3];
    }
    for (std::size_t i = 16; i < 64; ++i) {
      const std::uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3U);
      const std::uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10U);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    std::array<std::uint32_t, 8> v = state_;
    for (std::size_t i = 0; i < 64; ++i) {
      const std::uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
      const std::uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
      const std::uint32_t t1 = v[7] + s1 + choice + k[i] + w[i];
      const std::uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
      const std::uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
      std::rotate(v.begin(), v.end() - 1, v.end());
      v[4] += t1;
      v[0] = t1 + s0 + majority;
    }
    for (std::size_t i = 0; i < 8; ++i) state_[i] += v[i];
  }

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::size_t used_ = 0;
  std::uint64_t length_ = 0;
};

inline std::string sha256_hex(const std::string& bytes) {
  Sha256 hash;
  hash.update(bytes.data(), bytes.size());
  return hash.hex();
}

/// Hash of a file. Throws std::runtime_error naming it when it cannot be read.
inline std::string sha256_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read (is it missing?)");
  Sha256 hash;
  std::vector<char> buffer(1U << 16U);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.update(buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw std::runtime_error(path + ": cannot be read to its end");
  return hash.hex();
}

/// One line of a SHA256SUMS file.
struct HashedFile {
  std::string hash;
  std::string name;  ///< relative to the folder of the SHA256SUMS file
};

/// Reads "<64 digits>  <name>" lines. Throws std::runtime_error with file and line.
inline std::vector<HashedFile> read_sha256sums(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read (is it missing?)");
  std::vector<HashedFile> files;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const bool hex = line.size() > 66 && line.find_first_not_of("0123456789abcdef") == 64;
    if (!hex || line.compare(64, 2, "  ") != 0) {
      throw std::runtime_error(path + ":" + std::to_string(number) +
                               ": expected 64 hexadecimal digits, two blanks and a file name");
    }
    files.push_back({line.substr(0, 64), line.substr(66)});
  }
  return files;
}

/// Throws std::runtime_error naming a file that is missing or differs, with the hash found and the
/// one expected; `folder` is that of the SHA256SUMS file.
inline void check_hash(const std::string& folder, const HashedFile& file) {
  const std::string path = std::string(folder).append("/").append(file.name);
  const std::string found = sha256_file(path);
  if (found == file.hash) return;
  std::string message = path;
  message.append(": has sha256 ").append(found).append(", expected ").append(file.hash);
  throw std::runtime_error(message.append(" (the file was changed or damaged; export again)"));
}

/// Checks every file that `folder`/SHA256SUMS lists, as check_hash() does.
inline std::vector<HashedFile> check_sha256sums(const std::string& folder) {
  std::vector<HashedFile> files = read_sha256sums(folder + "/SHA256SUMS");
  if (files.empty()) throw std::runtime_error(folder + "/SHA256SUMS: lists no file");
  for (const HashedFile& file : files) check_hash(folder, file);
  return files;
}

}  // namespace ernn::hls
