#include "base/tensor_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

TEST(TensorFile, RoundTripKeepsEveryBit) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  TensorFile file;
  file.metadata["ernn"] = "{\"a\": 1}";
  file.tensors["w"] = RawTensor::from_floats({1.5F, -2.0F, 3e-20F, 0.0F, 5.0F, 6.0F}, {2, 3});
  file.tensors["empty"] = RawTensor::from_floats({}, {0, 4});
  file.save(path);
  const auto back = TensorFile::load(path);
  EXPECT_EQ(back.metadata.at("ernn"), file.metadata["ernn"]);
  EXPECT_EQ(back.tensors.at("w").bytes, file.tensors["w"].bytes);
  EXPECT_EQ(back.get("w", {2, 3}, "m").as_doubles()[2], static_cast<double>(3e-20F));
  EXPECT_EQ(back.tensors.at("empty").elements(), 0);
}

TEST(TensorFile, EveryTruncationIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  TensorFile file;
  file.tensors["w"] = RawTensor::from_floats({1, 2, 3}, {3});
  file.save(path);
  const std::string whole = read_file(path);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(path, whole.substr(0, length));
    EXPECT_THROW(TensorFile::load(path), DataError) << length;
  }
}

TEST(TensorFile, WrongShapeIsNamed) {
  TensorFile file;
  file.tensors["w"] = RawTensor::from_floats({1, 2, 3}, {3});
  try {
    file.get("w", {3, 1}, "m.safetensors");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "m.safetensors: tensor 'w' has shape [3], expected [3, 1]");
  }
  EXPECT_THROW(file.get("v", {3}, "m"), DataError);
}

}  // namespace
}  // namespace ernn
