#include "base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace ernn {

FileLock::FileLock(std::filesystem::path path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) {
    throw DataError(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
  }
}

FileLock::~FileLock() {
  ::close(descriptor_);
}

bool FileLock::try_take() {
  return take(LOCK_EX | LOCK_NB);
}

void FileLock::take() {
  take(LOCK_EX);
}

bool FileLock::take(int operation) {
  while (::flock(descriptor_, operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno == EINTR) continue;
    throw DataError(
        fmt::format("{}: cannot be locked: {}; choose a folder on a file system with locks",
                    path_.string(), std::strerror(errno)));
  }
  return true;
}

}  // namespace ernn
