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

TEST(TensorFile, ShapesThatNoFileCanHaveAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  const auto refusal = [&](const std::string& shape, std::size_t bytes) -> std::string {
    const std::string header = R"({"w":{"dtype":"F32","shape":)" + shape +
                               R"(,"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
    const std::uint64_t length = header.size();
    write_file(path, std::string(reinterpret_cast<const char*>(&length), sizeof length) + header +
                         std::string(bytes, '\0'));
    try {
      TensorFile::load(path);
    } catch (const DataError& error) {
      return error.what();
    }
    return "(accepted)";
  };
  EXPECT_EQ(refusal("[2,1]", 8), "(accepted)");
  EXPECT_EQ(refusal("[0,3]", 0), "(accepted)");
  const auto impossible = testing::HasSubstr(
      "m.safetensors: not a complete tensor file: tensor "
      "'w' has the impossible shape [");
  EXPECT_THAT(refusal("[-1,-1]", 4), impossible);
  EXPECT_THAT(refusal("[-1]", 0), impossible);
  // 2^61 times 8 elements, and 2^62 elements of 4 bytes, wrap around to 0.
  EXPECT_THAT(refusal("[2305843009213693952,8]", 0), impossible);
  EXPECT_THAT(refusal("[4611686018427387904]", 0), impossible);
  EXPECT_THAT(refusal("[1000000,1000000]", 8), testing::HasSubstr("its shape needs 4000000000000"));
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
