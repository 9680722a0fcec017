#include "features/kaldi_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "features/byte_reader.h"
#include "features/kaldi_objects.h"

namespace ernn {

namespace {

constexpr long long kMostKey = 4096;

void refuse_pipe(const std::string& path, const std::string& place) {
  const auto text = trim(path);
  if (text.empty() || text == "-" || text.front() == '|' || text.back() == '|') {
    throw DataError(
        fmt::format("{}: found '{}', expected a file: pipes are not supported, write "
                    "the command's output to a file first",
                    place, text));
  }
}

ByteReader open_ark(const std::filesystem::path& path, const std::string& place) {
  refuse_pipe(path.string(), place);
  ByteReader in(path);
  if (in.remaining() >= 2 && in.take(2, "magic") == "\x1f\x8b") {
    throw DataError(fmt::format("{}: gzip-compressed, expected a plain archive: gunzip it first",
                                path.string()));
  }
  in.seek(0);
  return in;
}

std::string take_key(ByteReader& in) {
  in.set_entry("");
  std::string key = in.take_until(' ', kMostKey, "a key");
  const bool printable = std::none_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isspace(c) != 0 || std::iscntrl(c) != 0;
  });
  if (key.empty() || !printable) {
    in.fail("found no key before the value; is this a Kaldi archive?");
  }
  in.set_entry(key);
  return key;
}

template <class Read, class Visit>
void read_ark(const std::filesystem::path& ark, Read read, const Visit& visit) {
  ByteReader in = open_ark(ark, ark.string());
  if (in.remaining() == 0) throw DataError(fmt::format("{}: empty archive", ark.string()));
  while (in.remaining() > 0) {
    const std::string key = take_key(in);
    visit(key, read(in));
  }
}

/// First and last index, inclusive; nothing for `:` or an empty text.
using Range = std::optional<std::pair<int, int>>;

struct ScpLine {
  std::string key;
  std::string path;
  long long offset = 0;
  std::string range_text;
  Range rows, cols;
};

Range parse_range(const std::string& text, const std::string& place) {
  if (text.empty() || text == ":") return {};
  const auto parts = split(text, ':');
  long long first = 0;
  long long last = 0;
  if (parts.size() != 2 || !parse_int(parts[0], first) || !parse_int(parts[1], last) || first < 0 ||
      last < first || last > 0x7FFFFFFF) {
    throw DataError(
        fmt::format("{}: found range '{}', expected first:last, both included", place, text));
  }
  return std::pair<int, int>(static_cast<int>(first), static_cast<int>(last));
}

ScpLine parse_scp_line(std::string_view line, const std::string& place) {
  ScpLine out;
  const auto space = line.find_first_of(" \t");
  if (space == std::string_view::npos) {
    throw DataError(
        fmt::format("{}: found '{}', expected 'key path' or 'key path:offset'", place, line));
  }
  out.key = line.substr(0, space);
  std::string target(trim(line.substr(space)));
  refuse_pipe(target, place);
  if (target.back() == ']') {
    const auto open = target.rfind('[');
    if (open == std::string::npos) throw DataError(fmt::format("{}: ']' without '['", place));
    out.range_text = target.substr(open);
    const auto parts = split(out.range_text.substr(1, out.range_text.size() - 2), ',');
    if (parts.size() > 2) {
      throw DataError(fmt::format("{}: found range '{}', expected [rows] or [rows,columns]", place,
                                  out.range_text));
    }
    out.rows = parse_range(parts[0], place);
    if (parts.size() == 2) out.cols = parse_range(parts[1], place);
    target.resize(open);
  }
  const auto colon = target.rfind(':');
  if (colon != std::string::npos && parse_int(target.substr(colon + 1), out.offset)) {
    target.resize(colon);
  }
  out.path = target;
  return out;
}

template <class Read, class Visit>
void read_scp(const std::filesystem::path& scp, Read read, const Visit& visit) {
  refuse_pipe(scp.string(), scp.string());
  std::unique_ptr<ByteReader> in;
  std::size_t number = 0;
  bool found = false;
  for (const auto& text : split(read_file(scp), '\n')) {
    ++number;
    if (trim(text).empty()) continue;
    found = true;
    const std::string place = fmt::format("{}:{}", scp.string(), number);
    const ScpLine line = parse_scp_line(trim(text), place);
    if (!in || in->path() != line.path) {
      in = std::make_unique<ByteReader>(open_ark(line.path, place));
    }
    in->set_entry(line.key);
    in->seek(line.offset);
    visit(line.key, read(*in, line, place));
  }
  if (!found) throw DataError(fmt::format("{}: empty script file", scp.string()));
}

std::pair<int, int> fit_range(const Range& range, int size, const ScpLine& line, const char* what,
                              const std::string& place) {
  if (!range) return {0, size - 1};
  if (range->second < size) return *range;
  throw DataError(fmt::format("{}: range {} goes past the {} {} of entry '{}'", place,
                              line.range_text, size, what, line.key));
}

FrameMatrix cut(FrameMatrix value, const ScpLine& line, const std::string& place) {
  if (!line.rows && !line.cols) return value;
  const auto rows = fit_range(line.rows, value.rows, line, "rows", place);
  const auto cols = fit_range(line.cols, value.cols, line, "columns", place);
  FrameMatrix out(rows.second - rows.first + 1, cols.second - cols.first + 1);
  for (int r = 0; r < out.rows; ++r) {
    std::copy_n(value.row(rows.first + r) + cols.first, out.cols, out.row(r));
  }
  return out;
}

}  // namespace

void read_matrix_ark(const std::filesystem::path& ark, const MatrixVisitor& visit) {
  read_ark(ark, read_kaldi_matrix, visit);
}

void read_integers_ark(const std::filesystem::path& ark, const IntegersVisitor& visit) {
  read_ark(ark, read_kaldi_integers, visit);
}

void read_matrix_scp(const std::filesystem::path& scp, const MatrixVisitor& visit) {
  const auto read = [](ByteReader& in, const ScpLine& line, const std::string& place) {
    return cut(read_kaldi_matrix(in), line, place);
  };
  read_scp(scp, read, visit);
}

void read_integers_scp(const std::filesystem::path& scp, const IntegersVisitor& visit) {
  const auto read = [](ByteReader& in, const ScpLine& line, const std::string& place) {
    if (!line.range_text.empty()) {
      throw DataError(fmt::format("{}: range {} is only for matrices", place, line.range_text));
    }
    return read_kaldi_integers(in);
  };
  read_scp(scp, read, visit);
}

KaldiTableWriter::KaldiTableWriter(const std::filesystem::path& ark,
                                   const std::filesystem::path& scp, KaldiFormat format)
    : ark_path_(ark), ark_(ark), format_(format) {
  if (!scp.empty()) scp_ = std::make_unique<AtomicFile>(scp);
}

void KaldiTableWriter::write(const std::string& key, const FrameMatrix& value) {
  write_entry(key, kaldi_matrix_bytes(value, format_));
}

void KaldiTableWriter::write(const std::string& key, const KaldiIntegers& value) {
  write_entry(key, kaldi_integers_bytes(value, format_));
}

void KaldiTableWriter::write_entry(const std::string& key, const std::string& object) {
  const bool spaced =
      std::any_of(key.begin(), key.end(), [](unsigned char c) { return std::isspace(c) != 0; });
  if (key.empty() || spaced) {
    throw DataError(
        fmt::format("{}: key '{}' is empty or has white space in it", ark_path_.string(), key));
  }
  ark_.stream() << key << ' ' << object;
  offset_ += static_cast<long long>(key.size()) + 1;
  if (scp_) scp_->stream() << key << ' ' << ark_path_.string() << ':' << offset_ << '\n';
  offset_ += static_cast<long long>(object.size());
}

void KaldiTableWriter::commit() {
  ark_.commit();
  if (scp_) scp_->commit();
}

}  // namespace ernn
