// Tensors of LibTorch to and from tensors of files.
#pragma once

#include <torch/types.h>

#include <string>

#include "base/tensor_file.h"

namespace ernn {

/// Copies a tensor from any device. F32, F64, I64 and U8 keep their type; others are a logic error.
RawTensor to_raw(const torch::Tensor& tensor);

/// A CPU tensor of the same type, shape and values. `what` names the tensor and its file in the
/// DataError for a type that is not F32, F64, I64 or U8.
torch::Tensor from_raw(const RawTensor& raw, const std::string& what);

}  // namespace ernn
