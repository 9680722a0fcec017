#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "base/error.h"

namespace ernn {

namespace {

void sync_to_disk(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw DataError(fmt::format("{}: {}", path.string(), std::strerror(errno)));
  const int status = ::fsync(descriptor);
  const int reason = errno;
  ::close(descriptor);
  // Some file systems cannot sync (EINVAL, EROFS for pipes and the like); everything else is a lost
  // write.
  if (status != 0 && reason != EINVAL && reason != EROFS) {
    throw DataError(
        fmt::format("{}: cannot write to disk: {}", path.string(), std::strerror(reason)));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw DataError(fmt::format("{}: is a folder, expected a file", path.string()));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw DataError(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  // Not by iterators over the stream's buffer: errors leave those as exceptions without a name.
  std::string bytes;
  std::vector<char> piece(1 << 16);
  do {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    bytes.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  } while (in);
  if (in.bad())
    throw DataError(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  return bytes;
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(path_.string() + fmt::format(".part-{}", ::getpid())) {
  if (path_.has_parent_path()) make_folder(path_.parent_path());
  stream_.open(temporary_, std::ios::binary | std::ios::trunc);
  if (!stream_) {
    throw DataError(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
  }
}

AtomicFile::~AtomicFile() {
  if (committed_) return;
  stream_.close();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  stream_.flush();
  const int reason = errno;
  const bool good = stream_.good();
  stream_.close();
  if (!good || stream_.fail()) {
    throw DataError(fmt::format("{}: write failed ({}); the earlier file, if any, is unchanged",
                                path_.string(), std::strerror(reason)));
  }
  sync_to_disk(temporary_);
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error)
    throw DataError(fmt::format("{}: cannot be replaced: {}", path_.string(), error.message()));
  committed_ = true;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.stream().write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.commit();
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw DataError(fmt::format("{}: cannot be created: {}", path.string(), error.message()));
}

}  // namespace ernn
