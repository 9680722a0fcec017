// Named tensors in one file, in the safetensors layout: u64 header length, JSON header, raw
// little-endian data.
//
// Python reads it with the `safetensors` package or with a dozen lines of numpy; no pickle, no
// LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ernn {

/// One tensor as raw bytes. `dtype` is a safetensors name: F32, F64, I64, I32, U8, BOOL.
struct RawTensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;

  std::int64_t elements() const;
  /// The values of an F32 or F64 tensor. Throws DataError for another type.
  std::vector<double> as_doubles() const;
  static RawTensor from_floats(const std::vector<float>& values, std::vector<std::int64_t> shape);
};

/// A whole file: tensors by name and text metadata.
struct TensorFile {
  std::map<std::string, RawTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Throws DataError naming the file for a truncated file, a broken header, or shapes and offsets
  /// that do not fit.
  static TensorFile load(const std::filesystem::path& path);
  /// Written beside and renamed (base/files.h).
  void save(const std::filesystem::path& path) const;

  /// The tensor, with its shape checked; DataError names `path` and what is there instead.
  const RawTensor& get(const std::string& name, const std::vector<std::int64_t>& shape,
                       const std::string& path) const;
};

}  // namespace ernn
