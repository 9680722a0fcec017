// Integer arrays in NumPy's .npy format (version 1.0, little endian, C order). Nothing but C++17 is
// needed, because the HLS testbench reads artefacts with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ernn::hls {

/// A whole array, row-major, widened to 64 bits whatever the file's integer type is.
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<std::int64_t> values;
};

namespace npy_detail {

inline constexpr std::size_t kPreamble = 10;  // magic (6), version (2), header length (2)

[[noreturn]] inline void fail(const std::string& name, const std::string& what) {
  throw std::runtime_error(name + ": " + what);
}

inline std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

/// What follows `'key':` in the header's Python dictionary.
inline std::size_t after_key(const std::string& header, const std::string& key,
                             const std::string& name) {
  const std::string quoted = "'" + key + "':";
  const std::size_t at = header.find(quoted);
  if (at == std::string::npos) fail(name, "no key '" + key + "' in the .npy header");
  const std::size_t value = header.find_first_not_of(' ', at + quoted.size());
  if (value == std::string::npos) fail(name, "no value of '" + key + "' in the .npy header");
  return value;
}

/// A tuple of numbers: "()", "(3,)", "(2, 3)".
inline std::vector<std::size_t> parse_shape(const std::string& header, const std::string& name) {
  constexpr std::size_t kMostDigits = 12;
  constexpr std::size_t kMostShown = 60;
  std::size_t at = after_key(header, "shape", name);
  const std::size_t end = header.find(')', at);
  const std::string text = header.substr(at, end == std::string::npos ? end : end + 1 - at);
  const auto require = [&](bool condition) {
    if (condition) return;
    fail(name, "broken shape '" + text.substr(0, kMostShown) +
                   "' in the .npy header, expected numbers as in (2, 3)");
  };
  require(header[at] == '(' && end != std::string::npos);
  std::vector<std::size_t> shape;
  std::size_t elements = 1;
  for (++at; (at = header.find_first_not_of(' ', at)) < end; ++at) {
    const std::size_t first = at;
    std::size_t value = 0;
    for (; header[at] >= '0' && header[at] <= '9' && at - first < kMostDigits; ++at)
      value = value * 10 + static_cast<std::size_t>(header[at] - '0');
    require(at > first);
    require(value == 0 || elements <= std::numeric_limits<std::size_t>::max() / 8 / value);
    elements *= value;
    shape.push_back(value);
    at = header.find_first_not_of(' ', at);
    require(at == end || header[at] == ',');
    if (at == end) break;
  }
  return shape;
}

struct IntegerType {
  std::size_t bytes = 0;
  bool is_signed = true;
};

inline IntegerType parse_type(const std::string& header, const std::string& name) {
  const std::size_t at = after_key(header, "descr", name);
  const std::string text = header.substr(at, 5);
  for (const char* known : {"'|i1'", "'<i2'", "'<i4'", "'<i8'", "'|u1'", "'<u2'", "'<u4'"}) {
    if (text == known) return {static_cast<std::size_t>(known[3] - '0'), known[2] == 'i'};
  }
  fail(name, "holds elements of type " + text +
                 ", expected little-endian integers ('|i1', '<i2', '<i4' or '<i8')");
}

inline std::int64_t read_integer(const unsigned char* bytes, const IntegerType& type) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < type.bytes; ++i)
    value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  const std::size_t bits = 8 * type.bytes;
  const bool negative = type.is_signed && ((value >> (bits - 1)) & 1U) != 0;
  if (!negative) return static_cast<std::int64_t>(value);
  // Two's complement without relying on an out-of-range conversion.
  const std::uint64_t ones = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  return -static_cast<std::int64_t>(ones - value) - 1;
}

}  // namespace npy_detail

/// Parses the bytes of a .npy file; `name` is for messages. Throws std::runtime_error for anything
/// but a complete C-order integer array with nothing behind it.
inline NpyArray parse_npy(const std::string& bytes, const std::string& name) {
  using namespace npy_detail;
  if (bytes.size() < kPreamble || bytes.compare(0, 6, "\x93NUMPY") != 0)
    fail(name, "is not a .npy file (no \\x93NUMPY at its start)");
  const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
  if (raw[6] != 1 || raw[7] != 0) {
    fail(name, "has .npy version " + std::to_string(raw[6]) + "." + std::to_string(raw[7]) +
                   ", expected 1.0");
  }
  const std::size_t length = raw[8] + 256U * raw[9];
  if (bytes.size() < kPreamble + length) {
    fail(name, "ends inside its header: " + std::to_string(bytes.size()) +
                   " bytes, expected at least " + std::to_string(kPreamble + length));
  }
  const std::string header = bytes.substr(kPreamble, length);
  if (header.compare(after_key(header, "fortran_order", name), 5, "False") != 0)
    fail(name, "is in Fortran order, expected C order");
  const IntegerType type = parse_type(header, name);
  NpyArray array;
  array.shape = parse_shape(header, name);
  std::size_t elements = 1;
  for (const std::size_t extent : array.shape) elements *= extent;
  const std::size_t expected = kPreamble + length + elements * type.bytes;
  if (bytes.size() != expected) {
    fail(name, "has " + std::to_string(bytes.size()) + " bytes, expected " +
                   std::to_string(expected) + " for shape " + shape_text(array.shape));
  }
  array.values.resize(elements);
  for (std::size_t i = 0; i < elements; ++i)
    array.values[i] = read_integer(raw + kPreamble + length + i * type.bytes, type);
  return array;
}

/// Reads a .npy file. Throws std::runtime_error naming the file, what was found and what expected.
inline NpyArray read_npy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) npy_detail::fail(path, "cannot be read (is it missing?)");
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad() || bytes.fail()) npy_detail::fail(path, "cannot be read to its end");
  return parse_npy(bytes.str(), path);
}

/// The same, refusing any other shape than `shape`.
inline NpyArray read_npy(const std::string& path, const std::vector<std::size_t>& shape) {
  NpyArray array = read_npy(path);
  if (array.shape != shape) {
    npy_detail::fail(path, "has shape " + npy_detail::shape_text(array.shape) + ", expected " +
                               npy_detail::shape_text(shape));
  }
  return array;
}

/// The bytes of a .npy file with the smallest signed type that holds every value. Throws
/// std::runtime_error when shape and number of values differ.
template <class Integer>
std::string npy_bytes(const std::vector<std::size_t>& shape, const std::vector<Integer>& values) {
  std::size_t elements = 1;
  for (const std::size_t extent : shape) elements *= extent;
  if (elements != values.size()) {
    throw std::runtime_error("an array of shape " + npy_detail::shape_text(shape) + " with " +
                             std::to_string(values.size()) + " values");
  }
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (const Integer value : values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  std::size_t size = 1;
  while (size < 8 && (low < -(std::int64_t{1} << (8 * size - 1)) ||
                      high > (std::int64_t{1} << (8 * size - 1)) - 1)) {
    size *= 2;
  }
  std::string header =
      std::string("{'descr': '") + (size == 1 ? "|i" : "<i") + std::to_string(size) +
      "', 'fortran_order': False, 'shape': " + npy_detail::shape_text(shape) + ", }";
  // Data starts at a multiple of 64 bytes, as NumPy writes it.
  header.append(63 - (npy_detail::kPreamble + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  bytes.reserve(bytes.size() + elements * size);
  for (const Integer value : values) {
    const auto word = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    for (std::size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(static_cast<unsigned char>((word >> (8 * i)) & 0xFFU));
  }
  return bytes;
}

/// Writes a .npy file in place. Throws std::runtime_error when it cannot.
template <class Integer>
void write_npy(const std::string& path, const std::vector<std::size_t>& shape,
               const std::vector<Integer>& values) {
  const std::string bytes = npy_bytes(shape, values);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) npy_detail::fail(path, "cannot be written (no space or no permission?)");
}

}  // namespace ernn::hls
