// The model file: a safetensors file (base/tensor_file.h) with the network's options and a context
// in its metadata.
//
// Metadata "ernn.model" is ModelOptions as JSON, "ernn.context" the caller's JSON
// (train/model_context.h). Tensors, F32:
//   <matrix>.weight          [rows, cols] when dense, [block_rows, block_cols, k] first columns of
//   blocks otherwise layers.N.bias            [gates x size]           output.bias [outputs]
//   layers.N.candidate_bias  [size]                   GRU with reset after only
//   layers.N.peephole        [3, size]                i, f, o
#pragma once

#include <filesystem>
#include <string>

#include "base/tensor_file.h"
#include "models/options.h"

namespace ernn {

inline constexpr const char* kModelKey = "ernn.model";
inline constexpr const char* kContextKey = "ernn.context";

/// A model file in memory, checked: every tensor is there with its shape and no value is NaN or
/// infinite.
struct ModelFile {
  ModelOptions options;
  std::string context;  ///< JSON text
  TensorFile tensors;

  /// Throws DataError naming the file and what is wrong.
  static ModelFile load(const std::filesystem::path& path);
};

}  // namespace ernn
