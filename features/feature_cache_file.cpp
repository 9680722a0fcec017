#include "features/feature_cache_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "features/bytes.h"

namespace ernn {

namespace {

constexpr std::string_view kMagic = "ernnfram";
constexpr std::string_view kEnd = "ernn end";
constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kByteOrder = 0x01020304;
constexpr std::size_t kHeadBytes = 16;
constexpr std::size_t kTrailerBytes = 32;
static_assert(sizeof(int) == sizeof(std::int32_t), "labels are written as they are in memory");

/// A file that is read from any place, by several threads.
class RandomFile {
 public:
  explicit RandomFile(std::filesystem::path path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      const int reason = errno;
      close();
      throw DataError(fmt::format("{}: cannot be opened: {}", name(), std::strerror(reason)));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~RandomFile() { close(); }
  RandomFile(const RandomFile&) = delete;
  RandomFile& operator=(const RandomFile&) = delete;

  std::string name() const { return path_.string(); }
  /// When it was opened.
  std::uint64_t size() const { return size_; }

  void read(std::uint64_t offset, void* data, std::size_t bytes) const {
    auto* to = static_cast<char*>(data);
    while (bytes > 0) {
      const ssize_t found = ::pread(descriptor_, to, bytes, static_cast<off_t>(offset));
      if (found < 0 && errno == EINTR) continue;
      if (found < 0)
        throw DataError(fmt::format("{}: cannot be read: {}", name(), std::strerror(errno)));
      if (found == 0) {
        throw DataError(
            fmt::format("{}: truncated: ends at byte {}, expected {} more", name(), offset, bytes));
      }
      to += found;
      offset += static_cast<std::uint64_t>(found);
      bytes -= static_cast<std::size_t>(found);
    }
  }

  std::string read(std::uint64_t offset, std::size_t bytes) const {
    std::string text(bytes, '\0');
    read(offset, text.data(), bytes);
    return text;
  }

 private:
  void close() const {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

std::uint64_t digest_frames(const float* features, std::size_t values, const int* labels,
                            std::size_t frames) {
  return digest_words(labels, frames * sizeof(int), digest_words(features, values * sizeof(float)));
}

/// Where an utterance's frames lie.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t digest = 0;
  std::uint32_t frames = 0;
};

class FramesOnDisk : public FrameStore {
 public:
  FramesOnDisk(std::unique_ptr<const RandomFile> file, int dims, std::vector<Place> places)
      : file_(std::move(file)), dims_(dims), places_(std::move(places)) {}

  UtteranceFrames read(std::size_t index) const override {
    const Place& place = places_[index];
    UtteranceFrames out;
    out.features = FrameMatrix(static_cast<int>(place.frames), dims_);
    out.labels.resize(place.frames);
    const std::size_t bytes = out.features.data.size() * sizeof(float);
    file_->read(place.offset, out.features.data.data(), bytes);
    file_->read(place.offset + bytes, out.labels.data(), place.frames * sizeof(int));
    const std::uint64_t found = digest_frames(out.features.data.data(), out.features.data.size(),
                                              out.labels.data(), place.frames);
    if (found != place.digest) {
      throw DataError(fmt::format(
          "{}: utterance {} of {} is not what was written (digest {:016x}, expected {:016x}); "
          "remove the file, and it is made anew",
          file_->name(), index + 1, places_.size(), found, place.digest));
    }
    return out;
  }

  std::size_t bytes_in_memory() const override { return 0; }

 private:
  std::unique_ptr<const RandomFile> file_;
  int dims_;
  std::vector<Place> places_;
};

void append_text(std::string& out, std::string_view text) {
  append_little(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

/// Takes numbers and texts off the front of an index.
class IndexReader {
 public:
  IndexReader(std::string_view bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  template <class T>
  T number() {
    need(sizeof(T));
    const T value = load_little<T>(bytes_, at_);
    at_ += sizeof(T);
    return value;
  }

  std::string text() {
    const auto size = number<std::uint32_t>();
    need(size);
    at_ += size;
    return std::string(bytes_.substr(at_ - size, size));
  }

  bool at_end() const { return at_ == bytes_.size(); }

  [[noreturn]] void fail() const {
    throw DataError(fmt::format("{}: broken index at its byte {}", file_, at_));
  }

 private:
  void need(std::size_t count) const {
    if (count > bytes_.size() - at_) fail();
  }

  std::string_view bytes_;
  std::string file_;
  std::size_t at_ = 0;
};

/// The index's bytes, once head and trailer are what they must be.
std::string read_index(const RandomFile& file) {
  if (file.size() < kHeadBytes + kTrailerBytes) {
    throw DataError(fmt::format("{}: truncated: found {} bytes, expected {} and more", file.name(),
                                file.size(), kHeadBytes + kTrailerBytes));
  }
  const std::string head = file.read(0, kHeadBytes);
  if (head.compare(0, kMagic.size(), kMagic) != 0)
    throw DataError(fmt::format("{}: is no feature cache of ernn", file.name()));
  const auto format = load_little<std::uint32_t>(head, kMagic.size());
  if (format != kFormat)
    throw DataError(fmt::format("{}: format {}, expected {}", file.name(), format, kFormat));
  std::uint32_t order = 0;
  std::memcpy(&order, head.data() + kMagic.size() + sizeof(format), sizeof(order));
  if (order != kByteOrder)
    throw DataError(fmt::format("{}: from a machine with another byte order", file.name()));
  const std::uint64_t end = file.size() - kTrailerBytes;
  const std::string trailer = file.read(end, kTrailerBytes);
  const auto offset = load_little<std::uint64_t>(trailer, 0);
  const auto bytes = load_little<std::uint64_t>(trailer, 8);
  if (trailer.compare(kTrailerBytes - kEnd.size(), kEnd.size(), kEnd) != 0 || offset < kHeadBytes ||
      offset > end || bytes != end - offset) {
    throw DataError(fmt::format("{}: truncated: byte {} is not where its writer ended", file.name(),
                                file.size()));
  }
  std::string index = file.read(offset, bytes);
  if (digest_bytes(index) != load_little<std::uint64_t>(trailer, 16))
    throw DataError(fmt::format("{}: its index is not what was written", file.name()));
  return index;
}

/// The next entry of an index.
UtteranceInfo read_entry(IndexReader& index, std::uint64_t& stamp, Place& place) {
  UtteranceInfo info;
  stamp = index.number<std::uint64_t>();
  place.offset = index.number<std::uint64_t>();
  place.digest = index.number<std::uint64_t>();
  place.frames = index.number<std::uint32_t>();
  info.frames = static_cast<int>(place.frames);
  info.seconds = index.number<double>();
  info.id = index.text();
  info.speaker = index.text();
  info.phones.resize(index.number<std::uint32_t>());
  for (auto& phone : info.phones) phone = index.number<std::int32_t>();
  return info;
}

}  // namespace

std::string FeatureCacheFile::digest() const {
  std::uint64_t digest = digest_bytes(options);
  for (std::size_t i = 0; i < utterances.size(); ++i)
    digest = digest_bytes(fmt::format("\n{} {:016x}", utterances[i].id, stamps[i]), digest);
  return fmt::format("{:016x}", digest);
}

FeatureCacheFile open_cache_file(const std::filesystem::path& path) {
  auto file = std::make_unique<const RandomFile>(path);
  const std::string bytes = read_index(*file);
  IndexReader index(bytes, file->name());
  FeatureCacheFile cache;
  cache.options = index.text();
  const auto dims = static_cast<int>(index.number<std::uint32_t>());
  const auto count = index.number<std::uint64_t>();
  std::vector<UtteranceInfo> infos;
  std::vector<Place> places;
  for (std::uint64_t i = 0; i < count; ++i) {
    infos.push_back(read_entry(index, cache.stamps.emplace_back(), places.emplace_back()));
  }
  if (!index.at_end()) index.fail();
  cache.utterances = UtteranceSet(
      std::move(infos), std::make_shared<FramesOnDisk>(std::move(file), dims, std::move(places)));
  return cache;
}

FeatureCacheWriter::FeatureCacheWriter(const std::filesystem::path& path, std::string options)
    : file_(path), options_(std::move(options)) {
  std::string head(kMagic);
  append_little(head, kFormat);
  head.append(reinterpret_cast<const char*>(&kByteOrder), sizeof(kByteOrder));
  file_.stream() << head;
  offset_ = head.size();
}

void FeatureCacheWriter::add(const LabelledUtterance& utterance, std::uint64_t stamp) {
  const FrameMatrix& features = utterance.features;
  if (count_ == 0) dims_ = features.cols;
  if (features.cols != dims_ ||
      utterance.frame_labels.size() != static_cast<std::size_t>(features.rows)) {
    throw DataError(fmt::format(
        "utterance {}: found {} features a frame and {} labels of {} frames, expected {} features "
        "and a label a frame",
        utterance.id, features.cols, utterance.frame_labels.size(), features.rows, dims_));
  }
  const auto write = [this](const void* data, std::size_t bytes) {
    file_.stream().write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    offset_ += bytes;
  };
  append_little(entries_, stamp);
  append_little(entries_, offset_);
  append_little(entries_,
                digest_frames(features.data.data(), features.data.size(),
                              utterance.frame_labels.data(), utterance.frame_labels.size()));
  append_little(entries_, static_cast<std::uint32_t>(features.rows));
  append_little(entries_, utterance.seconds);
  append_text(entries_, utterance.id);
  append_text(entries_, utterance.speaker);
  append_little(entries_, static_cast<std::uint32_t>(utterance.phones.size()));
  for (const int phone : utterance.phones) append_little(entries_, phone);
  write(features.data.data(), features.data.size() * sizeof(float));
  write(utterance.frame_labels.data(), utterance.frame_labels.size() * sizeof(int));
  ++count_;
  // Hours of work should not go on behind a full disk: committing a failed file throws.
  if (!file_.stream()) file_.commit();
}

void FeatureCacheWriter::commit() {
  std::string index;
  append_text(index, options_);
  append_little(index, static_cast<std::uint32_t>(dims_));
  append_little(index, count_);
  index += entries_;
  std::string trailer;
  append_little(trailer, offset_);
  append_little(trailer, static_cast<std::uint64_t>(index.size()));
  append_little(trailer, digest_bytes(index));
  trailer += kEnd;
  file_.stream() << index << trailer;
  file_.commit();
}

}  // namespace ernn
