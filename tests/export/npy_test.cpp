#include "hls/io/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace ernn::hls {
namespace {

using ::testing::HasSubstr;

std::string message_of(const std::string& bytes) {
  try {
    parse_npy(bytes, "a.npy");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

// numpy.save of np.array([[1, -2], [300, 4]], dtype='<i2'), as NumPy 1.24 writes it.
std::string numpy_bytes() {
  std::string header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2), }";
  header.resize(117, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header +
         std::string("\x01\x00\xfe\xff\x2c\x01\x04\x00", 8);
}

TEST(Npy, ReadsAndWritesNumpysBytes) {
  const NpyArray array = parse_npy(numpy_bytes(), "a.npy");
  EXPECT_EQ(array.shape, (std::vector<std::size_t>{2, 2}));
  EXPECT_EQ(array.values, (std::vector<std::int64_t>{1, -2, 300, 4}));
  // Ours differs in the length of the padding only (NumPy reserves room for growth).
  const std::string ours = npy_bytes<std::int32_t>({2, 2}, {1, -2, 300, 4});
  EXPECT_EQ(ours.size() % 64, 8U);
  EXPECT_EQ(ours.substr(ours.size() - 8), numpy_bytes().substr(128));
  EXPECT_EQ(ours.substr(10, 58), numpy_bytes().substr(10, 58));
}

TEST(Npy, SmallestTypeAtEveryLimit) {
  const std::vector<std::pair<std::int64_t, char>> cases = {
      {127, '1'},
      {-128, '1'},
      {128, '2'},
      {-129, '2'},
      {32767, '2'},
      {-32768, '2'},
      {32768, '4'},
      {-32769, '4'},
      {2147483647, '4'},
      {-2147483648, '4'},
      {2147483648, '8'},
      {-2147483649, '8'},
      {std::numeric_limits<std::int64_t>::max(), '8'},
      {std::numeric_limits<std::int64_t>::min(), '8'}};
  for (const auto& [value, size] : cases) {
    const std::string bytes = npy_bytes<std::int64_t>({1}, {value});
    EXPECT_EQ(bytes[bytes.find("descr") + 11], size) << value;
    EXPECT_EQ(parse_npy(bytes, "a").values.at(0), value);
  }
}

TEST(Npy, ShapesRoundTrip) {
  for (const std::vector<std::size_t>& shape :
       std::vector<std::vector<std::size_t>>{{}, {0}, {3}, {2, 0}, {2, 3}, {2, 3, 4}}) {
    std::size_t elements = 1;
    for (const std::size_t extent : shape) elements *= extent;
    std::vector<int> values;
    for (std::size_t i = 0; i < elements; ++i) values.push_back(static_cast<int>(i) - 5);
    const NpyArray back = parse_npy(npy_bytes(shape, values), "a");
    EXPECT_EQ(back.shape, shape);
    EXPECT_EQ(std::vector<int>(back.values.begin(), back.values.end()), values);
  }
  EXPECT_THROW(npy_bytes<int>({2, 2}, {1, 2, 3}), std::runtime_error);
}

TEST(Npy, EveryTruncationAndAnExtraByteAreRefused) {
  const std::string whole = npy_bytes<int>({2, 2}, {1, -2, 300, 4});
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_THAT(message_of(whole.substr(0, length)), HasSubstr("a.npy: ")) << length;
  EXPECT_THAT(message_of(whole.substr(0, whole.size() - 1)),
              HasSubstr("bytes, expected 136 for shape (2, 2)"));
  EXPECT_THAT(message_of(whole + "x"), HasSubstr("expected 136"));
}

TEST(Npy, OtherKindsAreRefusedByName) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string bytes = npy_bytes<int>({2, 2}, {1, -2, 300, 4});
    bytes.replace(bytes.find(from), from.size(), to);
    return message_of(bytes);
  };
  EXPECT_THAT(with("'<i2'", "'<f4'"), HasSubstr("type '<f4'"));
  EXPECT_THAT(with("'<i2'", "'>i2'"), HasSubstr("type '>i2'"));
  EXPECT_THAT(with("False", "True "), HasSubstr("Fortran"));
  EXPECT_THAT(with("(2, 2)", "(2, 3)"), HasSubstr("shape (2, 3)"));
  EXPECT_THAT(with("(2, 2)", "(2, x)"), HasSubstr("broken shape '(2, x)'"));
  EXPECT_THAT(with("(2, 2)", "(2x2) "), HasSubstr("broken shape '(2x2)'"));
  EXPECT_THAT(with("(2, 2)", "(2 2) "), HasSubstr("broken shape '(2 2)'"));
  EXPECT_THAT(with("(2, 2)", "2, 2, "), HasSubstr("broken shape '2, 2, "));
  EXPECT_THAT(with("(2, 2)", "(2,2,)"), HasSubstr("accepted"));
  EXPECT_THAT(with("'shape'", "'shade'"), HasSubstr("no key 'shape'"));
  EXPECT_THAT(with("NUMPY\x01", "NUMPY\x03"), HasSubstr("version 3.0"));
}

TEST(Npy, FilesNameThemselves) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "codes.npy").string();
  write_npy<int>(path, {2}, {7, 8});
  EXPECT_EQ(read_npy(path, {2}).values, (std::vector<std::int64_t>{7, 8}));
  try {
    read_npy(path, {3});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), path + ": has shape (2,), expected (3,)");
  }
  EXPECT_THROW(read_npy((folder.path() / "none.npy").string()), std::runtime_error);
  EXPECT_THROW(write_npy<int>("/dev/full", {1}, {1}), std::runtime_error);
}

}  // namespace
}  // namespace ernn::hls
