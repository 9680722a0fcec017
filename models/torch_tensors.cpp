#include "models/torch_tensors.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace ernn {

namespace {

const std::array<std::pair<const char*, torch::ScalarType>, 4> kTypes = {
    {{"F32", torch::kFloat}, {"F64", torch::kDouble}, {"I64", torch::kLong}, {"U8", torch::kByte}}};

}  // namespace

RawTensor to_raw(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().cpu().contiguous();
  for (const auto& [name, type] : kTypes) {
    if (plain.scalar_type() != type) continue;
    RawTensor raw{name, plain.sizes().vec(), std::string(plain.nbytes(), '\0')};
    if (!raw.bytes.empty()) std::memcpy(raw.bytes.data(), plain.data_ptr(), raw.bytes.size());
    return raw;
  }
  throw std::logic_error(fmt::format("a tensor of type {} cannot be written to a file",
                                     torch::toString(plain.scalar_type())));
}

torch::Tensor from_raw(const RawTensor& raw, const std::string& what) {
  for (const auto& [name, type] : kTypes) {
    if (raw.dtype != name) continue;
    torch::Tensor tensor = torch::empty(raw.shape, type);
    if (!raw.bytes.empty()) std::memcpy(tensor.data_ptr(), raw.bytes.data(), raw.bytes.size());
    return tensor;
  }
  throw DataError(fmt::format("{}: found type {}, expected F32, F64, I64 or U8", what, raw.dtype));
}

}  // namespace ernn
