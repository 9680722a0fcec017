#include "features/kaldi_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>

#include "base/text.h"
#include "features/bytes.h"

namespace ernn {

namespace {

constexpr long long kMostLine = 1LL << 26;
constexpr long long kMostToken = 16;

/// Takes the "\0B" of a binary object; false for a text object, of which nothing is taken.
bool take_binary_mark(ByteReader& in) {
  const int first = in.peek();
  if (first < 0) in.fail("truncated: the file ends where the value should begin");
  if (first != 0) return false;
  if (in.take(2, "the binary mark")[1] != 'B') {
    in.fail("found a zero byte without 'B' behind it, expected the binary mark \\0B");
  }
  return true;
}

/// A size-prefixed int32: byte 4, then the number.
std::int32_t take_int32(ByteReader& in, const std::string& what) {
  const std::string bytes = in.take(5, what);
  if (bytes[0] != 4) {
    in.fail(fmt::format("found an integer of {} bytes, expected 4 ({})",
                        static_cast<int>(static_cast<signed char>(bytes[0])), what));
  }
  return load_little<std::int32_t>(bytes, 1);
}

struct Shape {
  int rows = 0;
  int cols = 0;
  long long values() const { return static_cast<long long>(rows) * cols; }
};

/// Takes `header` bytes and `size` bytes a value, after a look whether the file can hold them:
/// sizes in a damaged file may be absurd.
std::string take_values(ByteReader& in, const Shape& shape, long long header, long long size) {
  const std::string what = fmt::format("a {} x {} matrix", shape.rows, shape.cols);
  if (shape.values() > in.remaining()) {
    in.fail(fmt::format("truncated: found {} bytes, expected {}", in.remaining(), what));
  }
  return in.take(header + shape.values() * size, what);
}

void check_shape(const ByteReader& in, const Shape& shape) {
  const bool empty = shape.rows == 0 && shape.cols == 0;
  if (!empty && (shape.rows <= 0 || shape.cols <= 0)) {
    in.fail(fmt::format("found a matrix of {} rows and {} columns, expected positive sizes",
                        shape.rows, shape.cols));
  }
}

template <class T>
FrameMatrix take_plain(ByteReader& in) {
  Shape shape;
  shape.rows = take_int32(in, "the number of rows");
  shape.cols = take_int32(in, "the number of columns");
  check_shape(in, shape);
  const std::string bytes = take_values(in, shape, 0, sizeof(T));
  FrameMatrix out(shape.rows, shape.cols);
  for (std::size_t i = 0; i < out.data.size(); ++i) {
    out.data[i] = static_cast<float>(load_little<T>(bytes, i * sizeof(T)));
  }
  return out;
}

/// The header that the three compressed forms share.
struct CompressedHeader {
  double minimum = 0;
  double range = 0;
  Shape shape;

  double value(std::uint16_t code) const { return minimum + range * code / 65535; }
};

CompressedHeader take_compressed_header(ByteReader& in) {
  const std::string bytes = in.take(16, "the compressed matrix's header");
  CompressedHeader header;
  header.minimum = load_little<float>(bytes, 0);
  header.range = load_little<float>(bytes, 4);
  header.shape.rows = load_little<std::int32_t>(bytes, 8);
  header.shape.cols = load_little<std::int32_t>(bytes, 12);
  check_shape(in, header.shape);
  return header;
}

/// Kaldi writes 20 bytes of header for an empty compressed matrix but reads 16. No key begins with
/// a zero byte, so the rest can be told apart.
void skip_empty_matrix_rest(ByteReader& in) {
  for (int i = 0; i < 4 && in.peek() == 0; ++i) in.take(1, "the empty matrix's header");
}

/// CM: every column has four percentiles as 16-bit codes, then a byte for each row that lies
/// between them.
FrameMatrix take_by_column(ByteReader& in) {
  const CompressedHeader header = take_compressed_header(in);
  const Shape& shape = header.shape;
  FrameMatrix out(0, 0);
  if (shape.values() == 0) {
    skip_empty_matrix_rest(in);
    return out;
  }
  const std::string bytes = take_values(in, shape, 8LL * shape.cols, 1);
  out = FrameMatrix(shape.rows, shape.cols);
  for (int c = 0; c < shape.cols; ++c) {
    double p[4];
    for (std::size_t i = 0; i < 4; ++i) {
      p[i] =
          header.value(load_little<std::uint16_t>(bytes, 8 * static_cast<std::size_t>(c) + 2 * i));
    }
    const std::size_t column = 8 * static_cast<std::size_t>(shape.cols) +
                               static_cast<std::size_t>(c) * static_cast<std::size_t>(shape.rows);
    for (int r = 0; r < shape.rows; ++r) {
      const int code = static_cast<unsigned char>(bytes[column + static_cast<std::size_t>(r)]);
      const double value = code <= 64    ? p[0] + (p[1] - p[0]) * code / 64
                           : code <= 192 ? p[1] + (p[2] - p[1]) * (code - 64) / 128
                                         : p[2] + (p[3] - p[2]) * (code - 192) / 63;
      out.at(r, c) = static_cast<float>(value);
    }
  }
  return out;
}

/// CM2 and CM3: one code a value, row by row, between the minimum and minimum + range.
template <class Code>
FrameMatrix take_linear(ByteReader& in) {
  const CompressedHeader header = take_compressed_header(in);
  const std::string bytes = take_values(in, header.shape, 0, sizeof(Code));
  FrameMatrix out(header.shape.rows, header.shape.cols);
  for (std::size_t i = 0; i < out.data.size(); ++i) {
    const double code = load_little<Code>(bytes, i * sizeof(Code));
    out.data[i] =
        static_cast<float>(header.minimum + header.range * code / std::numeric_limits<Code>::max());
  }
  return out;
}

/// `text` in quotes, bytes that cannot be printed as \\x00.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += std::isprint(byte) != 0 ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return out + "'";
}

void skip_blanks(ByteReader& in) {
  while (in.peek() == ' ' || in.peek() == '\t') in.take(1, "white space");
}

float parse_value(const ByteReader& in, const std::string& word) {
  double value = 0;
  if (!parse_double(word, value)) in.fail(fmt::format("found {}, expected a number", quoted(word)));
  return static_cast<float>(value);
}

/// `[`, rows of numbers on lines of their own, `]`, end of line.
FrameMatrix take_text_matrix(ByteReader& in) {
  skip_blanks(in);
  const int first = in.peek();
  if (first != '[') {
    in.fail(first < 0 ? "truncated: the file ends where '[' should be"
                      : fmt::format("found {}, expected \\0B or '[' of a matrix",
                                    quoted(std::string(1, static_cast<char>(first)))));
  }
  in.take(1, "'['");
  FrameMatrix out;
  const std::string body = in.take_until(']', std::numeric_limits<long long>::max(), "the matrix");
  for (const auto& line : split(body, '\n')) {
    const auto words = split_words(line);
    if (words.empty()) continue;
    if (out.rows > 0 && static_cast<int>(words.size()) != out.cols) {
      in.fail(fmt::format("row {} has {} values, expected {} as the rows before", out.rows,
                          words.size(), out.cols));
    }
    out.cols = static_cast<int>(words.size());
    ++out.rows;
    for (const auto& word : words) out.data.push_back(parse_value(in, word));
  }
  while (in.peek() >= 0 && std::isspace(in.peek()) != 0) {
    if (in.take(1, "the end of the line").front() == '\n') break;
  }
  return out;
}

KaldiIntegers take_text_integers(ByteReader& in) {
  KaldiIntegers out;
  for (const auto& word : split_words(in.take_until('\n', kMostLine, "the vector's line"))) {
    long long value = 0;
    if (!parse_int(word, value) || value < std::numeric_limits<std::int32_t>::min() ||
        value > std::numeric_limits<std::int32_t>::max()) {
      in.fail(fmt::format("found {}, expected a 32-bit whole number", quoted(word)));
    }
    out.push_back(static_cast<std::int32_t>(value));
  }
  return out;
}

std::string object_name(const std::string& token) {
  const std::pair<const char*, const char*> names[] = {
      {"FM", "a float matrix"},       {"DM", "a double matrix"},
      {"CM", "a compressed matrix"},  {"CM2", "a compressed matrix"},
      {"CM3", "a compressed matrix"}, {"FV", "a float vector"},
      {"DV", "a double vector"},      {"SM", "a sparse matrix"},
      {"SV", "a sparse vector"},      {"<Nnet3Eg>", "a nnet3 example"}};
  for (const auto& [known, name] : names) {
    if (token == known) return fmt::format("{} ({})", token, name);
  }
  return quoted(token);
}

}  // namespace

FrameMatrix read_kaldi_matrix(ByteReader& in) {
  if (!take_binary_mark(in)) return take_text_matrix(in);
  if (in.peek() == 4) in.fail("found an integer vector, expected a matrix (FM, DM, CM, CM2, CM3)");
  const std::string token = in.take_until(' ', kMostToken, "the matrix's type");
  if (token == "FM") return take_plain<float>(in);
  if (token == "DM") return take_plain<double>(in);
  if (token == "CM") return take_by_column(in);
  if (token == "CM2") return take_linear<std::uint16_t>(in);
  if (token == "CM3") return take_linear<std::uint8_t>(in);
  in.fail(fmt::format("found {}, expected a matrix (FM, DM, CM, CM2, CM3)", object_name(token)));
}

KaldiIntegers read_kaldi_integers(ByteReader& in) {
  if (!take_binary_mark(in)) return take_text_integers(in);
  if (in.peek() > ' ') {
    const std::string token = in.take_until(' ', kMostToken, "the value's type");
    in.fail(fmt::format("found {}, expected an integer vector", object_name(token)));
  }
  const std::int32_t count = take_int32(in, "the number of elements");
  if (count < 0) in.fail(fmt::format("found a vector of {} elements", count));
  const std::string bytes =
      in.take(5LL * count, fmt::format("an integer vector of {} elements", count));
  KaldiIntegers out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (bytes[5 * i] != 4) in.fail(fmt::format("element {} is not a 4-byte integer", i));
    out[i] = load_little<std::int32_t>(bytes, 5 * i + 1);
  }
  return out;
}

std::string kaldi_matrix_bytes(const FrameMatrix& value, KaldiFormat format) {
  std::string out;
  if (format == KaldiFormat::text) {
    out = " [";
    for (int r = 0; r < value.rows; ++r) {
      out += "\n ";
      for (int c = 0; c < value.cols; ++c) {
        fmt::format_to(std::back_inserter(out), " {}", value.at(r, c));
      }
    }
    return out + " ]\n";
  }
  out.assign("\0BFM ", 5);
  for (const int size : {value.rows, value.cols}) {
    out.push_back(4);
    append_little<std::int32_t>(out, size);
  }
  out.reserve(out.size() + value.data.size() * sizeof(float));
  for (const float x : value.data) append_little(out, x);
  return out;
}

std::string kaldi_integers_bytes(const KaldiIntegers& value, KaldiFormat format) {
  std::string out;
  if (format == KaldiFormat::text) {
    for (const auto x : value) fmt::format_to(std::back_inserter(out), "{} ", x);
    return out + "\n";
  }
  out.assign("\0B", 2);
  out.push_back(4);
  append_little<std::int32_t>(out, static_cast<std::int32_t>(value.size()));
  for (const auto x : value) {
    out.push_back(4);
    append_little(out, x);
  }
  return out;
}

}  // namespace ernn
