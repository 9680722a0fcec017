#include "features/byte_reader.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace ernn {

ByteReader::ByteReader(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  if (std::filesystem::is_directory(path_, error)) {
    throw DataError(fmt::format("{}: is a folder, expected a file", path_.string()));
  }
  in_.open(path_, std::ios::binary);
  if (!in_) {
    throw DataError(fmt::format("{}: cannot be opened: {}", path_.string(), std::strerror(errno)));
  }
  in_.seekg(0, std::ios::end);
  size_ = static_cast<long long>(in_.tellg());
  if (size_ < 0) throw DataError(fmt::format("{}: is not a plain file", path_.string()));
  in_.seekg(0);
}

void ByteReader::seek(long long position) {
  if (position < 0 || position > size_) {
    fail(fmt::format("offset {} lies behind the end of the file, which has {} bytes", position,
                     size_));
  }
  in_.clear();
  in_.seekg(position);
  position_ = position;
}

int ByteReader::peek() {
  if (remaining() == 0) return -1;
  return in_.peek();
}

std::string ByteReader::take(long long count, const std::string& what) {
  if (count > remaining()) {
    fail(fmt::format("truncated: found {} bytes, expected {} of {}", remaining(), count, what));
  }
  std::string bytes(static_cast<std::size_t>(count), '\0');
  in_.read(bytes.data(), count);
  if (in_.gcount() != count) fail("cannot be read");
  position_ += count;
  return bytes;
}

std::string ByteReader::take_until(char end, long long most, const std::string& what) {
  std::string bytes;
  for (;;) {
    if (remaining() == 0) fail(fmt::format("truncated: the file ends inside {}", what));
    if (static_cast<long long>(bytes.size()) >= most) {
      fail(fmt::format("found no end of {} within {} bytes", what, most));
    }
    const int byte = in_.get();
    if (byte < 0) fail("cannot be read");
    ++position_;
    if (static_cast<char>(byte) == end) return bytes;
    bytes.push_back(static_cast<char>(byte));
  }
}

void ByteReader::fail(const std::string& problem) const {
  throw DataError(fmt::format("{}: {}byte {}: {}", path_.string(),
                              entry_.empty() ? "" : fmt::format("entry '{}' at ", entry_),
                              position_, problem));
}

}  // namespace ernn
