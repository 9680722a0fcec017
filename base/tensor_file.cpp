#include "base/tensor_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/files.h"

namespace ernn {

namespace {

std::size_t element_size(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

constexpr std::size_t kLengthBytes = 8;

// Bytes of the elements of a shape; nothing when it has a negative size or they cannot be counted.
std::optional<std::uint64_t> bytes_of(const std::vector<std::int64_t>& shape, std::uint64_t size) {
  std::uint64_t bytes = size;
  for (const auto length : shape) {
    if (length < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(length), &bytes))
      return std::nullopt;
  }
  return bytes;
}

// A tensor without elements has no memory, and memcpy may not be given a null pointer even for 0
// bytes.
void copy_bytes(void* to, const void* from, std::size_t count) {
  if (count != 0) std::memcpy(to, from, count);
}

}  // namespace

std::int64_t RawTensor::elements() const {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return count;
}

std::vector<double> RawTensor::as_doubles() const {
  const auto count = static_cast<std::size_t>(elements());
  std::vector<double> values(count);
  if (dtype == "F64") {
    copy_bytes(values.data(), bytes.data(), count * sizeof(double));
  } else if (dtype == "F32") {
    std::vector<float> floats(count);
    copy_bytes(floats.data(), bytes.data(), count * sizeof(float));
    for (std::size_t i = 0; i < count; ++i) values[i] = floats[i];
  } else {
    throw DataError(fmt::format("tensor of type {}, expected F32 or F64", dtype));
  }
  return values;
}

RawTensor RawTensor::from_floats(const std::vector<float>& values,
                                 std::vector<std::int64_t> shape) {
  RawTensor tensor{"F32", std::move(shape), std::string(values.size() * sizeof(float), '\0')};
  copy_bytes(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

TensorFile TensorFile::load(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const auto broken = [&](const std::string& what) {
    return DataError(fmt::format("{}: not a complete tensor file: {}", path.string(), what));
  };
  std::uint64_t header_length = 0;
  if (bytes.size() < kLengthBytes)
    throw broken(fmt::format("found {} bytes, expected at least 8", bytes.size()));
  std::memcpy(&header_length, bytes.data(), kLengthBytes);
  if (header_length > bytes.size() - kLengthBytes) {
    throw broken(fmt::format("the header should have {} bytes, {} are there", header_length,
                             bytes.size() - kLengthBytes));
  }
  const std::size_t data_begin = kLengthBytes + header_length;
  TensorFile file;
  try {
    const auto header = nlohmann::json::parse(
        bytes.begin() + kLengthBytes, bytes.begin() + static_cast<std::ptrdiff_t>(data_begin));
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        file.metadata = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      RawTensor tensor;
      tensor.dtype = entry.at("dtype").get<std::string>();
      tensor.shape = entry.at("shape").get<std::vector<std::int64_t>>();
      const auto begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
      const auto end = entry.at("data_offsets").at(1).get<std::uint64_t>();
      const std::uint64_t available = bytes.size() - data_begin;
      if (begin > end || end > available) {
        throw broken(fmt::format("tensor '{}' ends at byte {} of the data, {} are there", name, end,
                                 available));
      }
      const std::size_t size = element_size(tensor.dtype);
      if (size == 0)
        throw broken(fmt::format("tensor '{}' has the unknown type {}", name, tensor.dtype));
      const auto needed = bytes_of(tensor.shape, size);
      if (!needed) {
        throw broken(fmt::format("tensor '{}' has the impossible shape [{}]", name,
                                 fmt::join(tensor.shape, ", ")));
      }
      if (end - begin != *needed) {
        throw broken(fmt::format("tensor '{}' has {} bytes, its shape needs {}", name, end - begin,
                                 *needed));
      }
      tensor.bytes = bytes.substr(data_begin + begin, end - begin);
      file.tensors[name] = std::move(tensor);
    }
  } catch (const nlohmann::json::exception& error) {
    throw broken(fmt::format("broken header: {}", error.what()));
  }
  return file;
}

void TensorFile::save(const std::filesystem::path& path) const {
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump();
  while (text.size() % kLengthBytes != 0) text += ' ';
  const std::uint64_t length = text.size();
  AtomicFile file(path);
  file.stream().write(reinterpret_cast<const char*>(&length), kLengthBytes);
  file.stream() << text;
  for (const auto& entry : tensors) {
    file.stream().write(entry.second.bytes.data(),
                        static_cast<std::streamsize>(entry.second.bytes.size()));
  }
  file.commit();
}

const RawTensor& TensorFile::get(const std::string& name, const std::vector<std::int64_t>& shape,
                                 const std::string& path) const {
  const auto found = tensors.find(name);
  if (found == tensors.end())
    throw DataError(fmt::format("{}: tensor '{}' is missing", path, name));
  if (found->second.shape != shape) {
    throw DataError(fmt::format("{}: tensor '{}' has shape [{}], expected [{}]", path, name,
                                fmt::join(found->second.shape, ", "), fmt::join(shape, ", ")));
  }
  return found->second;
}

}  // namespace ernn
