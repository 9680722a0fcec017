// weights.bin: the same codes as the ROM in weights.h, to be loaded at run time.
//
//   8 bytes   "ERNNWTS2"
//   4 bytes   fingerprint (kFingerprint of config.h), little endian
//   4 bytes   number of codes, little endian
//   4 bytes   each code, two's complement, little endian
//
// The fingerprint is that of everything that is compiled into a kernel and that its weights rely
// on: shapes, formats, activation tables, limits of cells, unit groups. Only an image with a
// kernel's own is one for it: in another format the same codes are other weights.
//
// Codes are in network order; a layer's are its matrices (input, recurrent, projection or
// candidate; [p][q][k] each, block rows in the order in which they are computed), its bias, then
// its peepholes or the bias inside the reset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "config.h"
#include "kernel/types.h"

namespace ernn::testbench {

/// Reads codes from the bytes of an image, one array after another.
class ImageReader {
 public:
  explicit ImageReader(const std::string& path) : path_(path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": cannot be read (is it missing?)");
    bytes_.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (bytes_.size() < kHeader || bytes_.compare(0, 8, "ERNNWTS2") != 0) {
      throw std::runtime_error(path +
                               ": is not an image of weights for this kernel (no ERNNWTS2 at its "
                               "start); export again");
    }
    const auto fingerprint = static_cast<std::uint32_t>(word(8));
    if (fingerprint != model::kFingerprint) {
      throw std::runtime_error(path + ": has fingerprint " + hex(fingerprint) + ", expected " +
                               hex(model::kFingerprint) +
                               ": it is of a network with other shapes, formats, tables or unit "
                               "groups than this kernel; use the kernel of its own export");
    }
    const auto count = static_cast<std::uint32_t>(word(12));
    if (bytes_.size() != kHeader + std::size_t{4} * count) {
      throw std::runtime_error(path + ": has " + std::to_string(bytes_.size()) +
                               " bytes, expected " +
                               std::to_string(kHeader + std::size_t{4} * count));
    }
  }

  /// The next code, of `width` bits; a source of kernel/load.h.
  template <class Code>
  void read(Code& code, int width) {
    if (at_ + 4 > bytes_.size()) fail("ends before the network's last code");
    const std::int64_t value = word(at_);
    const std::int64_t limit = std::int64_t{1} << (width - 1);
    if (value < -limit || value >= limit) {
      fail("code " + std::to_string(value) + " at byte " + std::to_string(at_) +
           " does not fit its " + std::to_string(width) + " bits");
    }
    code = static_cast<Code>(value);
    at_ += 4;
  }

  /// What is left, as ernn_top_loadable takes it.
  void write_to(::hls::stream<ap_int<32>>& stream) {
    for (; at_ < bytes_.size(); at_ += 4) stream.write(ap_int<32>(word(at_)));
  }

  /// Nothing may be left.
  void finish() const {
    if (at_ != bytes_.size()) fail("has more codes than the network");
  }

 private:
  static constexpr std::size_t kHeader = 16;

  static std::string hex(std::uint32_t number) {
    char text[9];
    std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(number));
    return text;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(path_ + ": " + what + " (the image of another network?)");
  }
  std::int32_t word(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes_[at + i])) << (8 * i);
    }
    return static_cast<std::int32_t>(value);
  }

  std::string path_;
  std::string bytes_;
  std::size_t at_ = kHeader;
};

}  // namespace ernn::testbench
