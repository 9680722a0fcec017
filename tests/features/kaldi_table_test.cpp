#include "features/kaldi_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "features/bytes.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Matrices = std::vector<std::pair<std::string, FrameMatrix>>;
using Vectors = std::vector<std::pair<std::string, KaldiIntegers>>;

FrameMatrix matrix(int rows, int cols, std::vector<float> data) {
  FrameMatrix m(rows, cols);
  m.data = std::move(data);
  return m;
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

class KaldiTable : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }
  std::filesystem::path ark(const std::string& content) const {
    write_file(file("a.ark"), content);
    return file("a.ark");
  }
  std::filesystem::path scp(const std::string& content) const {
    write_file(file("a.scp"), content);
    return file("a.scp");
  }

  TemporaryFolder folder_;
};

Matrices matrices(const std::filesystem::path& path) {
  Matrices all;
  const auto visit = [&](const std::string& key, FrameMatrix value) {
    all.emplace_back(key, std::move(value));
  };
  path.extension() == ".scp" ? read_matrix_scp(path, visit) : read_matrix_ark(path, visit);
  return all;
}

Vectors integers(const std::filesystem::path& path) {
  Vectors all;
  const auto visit = [&](const std::string& key, KaldiIntegers value) {
    all.emplace_back(key, std::move(value));
  };
  path.extension() == ".scp" ? read_integers_scp(path, visit) : read_integers_ark(path, visit);
  return all;
}

template <class Read>
std::string error_of(Read read) {
  try {
    read();
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

std::string matrix_error(const std::filesystem::path& path) {
  return error_of([&] { matrices(path); });
}

std::string integers_error(const std::filesystem::path& path) {
  return error_of([&] { integers(path); });
}

const std::string kFloatAnchor =
    bytes({0x61, 0x20, 0x00, 0x42, 0x46, 0x4d, 0x20, 0x04, 0x01, 0x00, 0x00, 0x00, 0x04,
           0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40});
const std::string kIntegerAnchor =
    bytes({0x61, 0x20, 0x00, 0x42, 0x04, 0x02, 0x00, 0x00, 0x00, 0x04, 0x07, 0x00, 0x00, 0x00, 0x04,
           0xff, 0xff, 0xff, 0xff});

TEST_F(KaldiTable, WritesTheBytesThatKaldiWrites) {
  KaldiTableWriter m(file("m.ark"));
  m.write("a", matrix(1, 2, {1, 2}));
  m.commit();
  EXPECT_EQ(read_file(file("m.ark")), kFloatAnchor);
  KaldiTableWriter v(file("v.ark"));
  v.write("a", KaldiIntegers{7, -1});
  v.commit();
  EXPECT_EQ(read_file(file("v.ark")), kIntegerAnchor);
  KaldiTableWriter t(file("t.ark"), {}, KaldiFormat::text);
  t.write("a", matrix(2, 2, {1, 2.5F, -3, 4e-7F}));
  t.commit();
  EXPECT_EQ(read_file(file("t.ark")), "a  [\n  1 2.5\n  -3 4e-07 ]\n");
}

TEST_F(KaldiTable, ReadsTheAnchors) {
  const auto m = matrices(ark(kFloatAnchor));
  ASSERT_EQ(m.size(), 1U);
  EXPECT_EQ(m[0].first, "a");
  EXPECT_EQ(m[0].second.rows, 1);
  EXPECT_THAT(m[0].second.data, ElementsAre(1, 2));
  const auto v = integers(ark(kIntegerAnchor));
  ASSERT_EQ(v.size(), 1U);
  EXPECT_THAT(v[0].second, ElementsAre(7, -1));
}

TEST_F(KaldiTable, RoundTripsThroughArkAndScpInBothFormats) {
  for (const auto format : {KaldiFormat::binary, KaldiFormat::text}) {
    const std::vector<float> values = {0.1F, -1e30F, 3, std::numeric_limits<float>::min(), 5, 6};
    KaldiTableWriter m(file("m.ark"), file("m.scp"), format);
    m.write("utt_1", matrix(2, 3, values));
    m.write("utt_2", matrix(3, 2, values));
    m.write("empty", FrameMatrix());
    m.commit();
    KaldiTableWriter v(file("v.ark"), file("v.scp"), format);
    v.write("utt_1", KaldiIntegers{1, -2, 2147483647});
    v.write("utt_2", KaldiIntegers{});
    v.commit();
    for (const char* table : {"m.ark", "m.scp"}) {
      const auto all = matrices(file(table));
      ASSERT_EQ(all.size(), 3U);
      EXPECT_EQ(all[1].first, "utt_2");
      EXPECT_EQ(all[1].second.rows, 3);
      EXPECT_EQ(all[1].second.cols, 2);
      EXPECT_EQ(all[0].second.data, values);
      EXPECT_EQ(all[1].second.data, values);
      EXPECT_EQ(all[2].second.rows, 0);
    }
    for (const char* table : {"v.ark", "v.scp"}) {
      const auto all = integers(file(table));
      ASSERT_EQ(all.size(), 2U);
      EXPECT_THAT(all[0].second, ElementsAre(1, -2, 2147483647));
      EXPECT_THAT(all[1].second, ElementsAre());
    }
  }
}

TEST_F(KaldiTable, NothingAppearsWithoutCommit) {
  {
    KaldiTableWriter m(file("m.ark"), file("m.scp"));
    m.write("a", matrix(1, 1, {1}));
  }
  EXPECT_FALSE(std::filesystem::exists(file("m.ark")));
  EXPECT_FALSE(std::filesystem::exists(file("m.scp")));
  KaldiTableWriter m(file("m.ark"));
  EXPECT_THROW(m.write("a b", FrameMatrix()), DataError);
  EXPECT_THROW(m.write("", FrameMatrix()), DataError);
}

std::string double_entry() {
  std::string out = "d " + std::string("\0BDM \4", 6);
  append_little<std::int32_t>(out, 2);
  out += '\4';
  append_little<std::int32_t>(out, 1);
  append_little(out, 0.5);
  append_little(out, -1e10);
  return out;
}

std::string compressed(const std::string& type, float minimum, float range, int rows, int cols) {
  std::string out = "c " + std::string("\0B", 2) + type + " ";
  append_little(out, minimum);
  append_little(out, range);
  append_little<std::int32_t>(out, rows);
  append_little<std::int32_t>(out, cols);
  return out;
}

/// Minimum -1, range 2: codes 0, 13107, 26214 and 65535 are -1, -0.6, -0.2 and 1 (a fifth of the
/// range is 0.4). The second column falls: 1, 0.2, -0.2, -1.
std::string by_column_entry() {
  std::string out = compressed("CM", -1, 2, 7, 2);
  for (const int code : {0, 13107, 26214, 65535, 65535, 39321, 26214, 0}) {
    append_little(out, static_cast<std::uint16_t>(code));
  }
  return out + bytes({0, 32, 64, 128, 192, 224, 255, 0, 32, 64, 96, 128, 192, 255});
}

std::string two_byte_entry() {
  std::string out = compressed("CM2", 1, 65535, 2, 2);
  for (const int code : {0, 1, 256, 65535}) append_little(out, static_cast<std::uint16_t>(code));
  return out;
}

std::string one_byte_entry() {
  return compressed("CM3", 1, 255, 2, 2) + bytes({0, 1, 128, 255});
}

TEST_F(KaldiTable, ReadsDoubleAndEveryCompressedForm) {
  auto value = matrices(ark(double_entry()))[0].second;
  EXPECT_EQ(value.rows, 2);
  EXPECT_THAT(value.data, ElementsAre(0.5F, -1e10F));

  value = matrices(ark(by_column_entry()))[0].second;
  ASSERT_EQ(value.rows, 7);
  ASSERT_EQ(value.cols, 2);
  // 32 is half-way to the first quartile, 128 half-way between the quartiles, 224 is 32 of 63 steps
  // from the third quartile to the maximum.
  const std::vector<double> expected = {-1, -0.8, -0.6, -0.4, -0.2, -0.2 + 1.2 * 32 / 63, 1};
  const std::vector<double> falling = {1, 0.6, 0.2, 0.1, 0, -0.2, -1};
  for (int r = 0; r < 7; ++r) {
    EXPECT_NEAR(value.at(r, 0), expected[static_cast<std::size_t>(r)], 1e-6);
    EXPECT_NEAR(value.at(r, 1), falling[static_cast<std::size_t>(r)], 1e-6);
  }

  value = matrices(ark(two_byte_entry()))[0].second;
  EXPECT_THAT(value.data, ElementsAre(1, 2, 257, 65536));
  value = matrices(ark(one_byte_entry()))[0].second;
  EXPECT_THAT(value.data, ElementsAre(1, 2, 129, 256));
}

TEST_F(KaldiTable, ReadsMixedFormsInOneArchive) {
  const auto all = matrices(ark(
      double_entry() + by_column_entry() + "t  [\n 1 2\n 3 4 ]\n" + compressed("CM", 0, 0, 0, 0) +
      std::string(4, '\0') + two_byte_entry() + kFloatAnchor + "u [ 5 6 ]\n" + one_byte_entry()));
  ASSERT_EQ(all.size(), 8U);
  EXPECT_THAT(all[2].second.data, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(all[2].second.rows, 2);
  EXPECT_EQ(all[3].second.rows, 0);
  EXPECT_THAT(all[6].second.data, ElementsAre(5, 6));
}

TEST_F(KaldiTable, ReadsTextIntegers) {
  const auto all = integers(ark("utt1 1 2 -3 \nutt2 \nutt3 7\n"));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_THAT(all[0].second, ElementsAre(1, 2, -3));
  EXPECT_THAT(all[1].second, ElementsAre());
  EXPECT_THAT(all[2].second, ElementsAre(7));
}

TEST_F(KaldiTable, EveryTruncationIsRefused) {
  for (const auto& whole : {kFloatAnchor, double_entry(), by_column_entry(), two_byte_entry(),
                            one_byte_entry(), std::string("t  [\n 1 2\n 3 4 ]")}) {
    EXPECT_EQ(matrix_error(ark(whole)), "accepted");
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const std::string error = matrix_error(ark(whole.substr(0, length)));
      EXPECT_THAT(error, HasSubstr("a.ark: ")) << length;
      if (length > 2) {
        EXPECT_THAT(error, HasSubstr("entry '" + whole.substr(0, 1) + "' at byte"));
        EXPECT_THAT(error, HasSubstr("truncated"));
      }
    }
  }
  for (const auto& whole : {kIntegerAnchor, std::string("t 12 34\n")}) {
    EXPECT_EQ(integers_error(ark(whole)), "accepted");
    for (std::size_t length = 0; length < whole.size(); ++length) {
      EXPECT_THAT(integers_error(ark(whole.substr(0, length))), HasSubstr("a.ark: ")) << length;
    }
  }
  EXPECT_THAT(matrix_error(ark(kFloatAnchor.substr(0, 20))),
              HasSubstr("entry 'a' at byte 17: truncated: found 3 bytes, expected 8 of a 1 x 2"));
}

TEST_F(KaldiTable, WrongContentIsRefusedByName) {
  EXPECT_THAT(matrix_error(ark(kIntegerAnchor)), HasSubstr("found an integer vector"));
  EXPECT_THAT(integers_error(ark(kFloatAnchor)), HasSubstr("found FM (a float matrix)"));
  EXPECT_THAT(matrix_error(ark("a " + std::string("\0BFV \4\0\0\0\0", 10))),
              HasSubstr("found FV (a float vector), expected a matrix"));
  EXPECT_THAT(matrix_error(ark("a " + std::string("\0BXY ", 5))), HasSubstr("found 'XY'"));
  EXPECT_THAT(matrix_error(ark("a " + std::string("\0QFM ", 5))), HasSubstr("without 'B'"));
  EXPECT_THAT(matrix_error(ark("a 1 2 3\n")), HasSubstr("found '1', expected \\0B or '['"));
  EXPECT_THAT(matrix_error(ark("a [ 1 2\n 3 ]\n")), HasSubstr("row 1 has 1 values, expected 2"));
  EXPECT_THAT(matrix_error(ark("a [ 1 two ]\n")), HasSubstr("found 'two', expected a number"));
  EXPECT_THAT(integers_error(ark("a 1 2.5\n")), HasSubstr("found '2.5'"));
  EXPECT_THAT(integers_error(ark("a 1 4294967296\n")), HasSubstr("32-bit"));
  EXPECT_THAT(matrix_error(ark("\x1f\x8b  ")), HasSubstr("gunzip it first"));
  EXPECT_THAT(matrix_error(ark(std::string(5000, 'x'))), HasSubstr("no end of a key"));
  EXPECT_THAT(matrix_error(ark(std::string("\0BFM ", 5))), HasSubstr("found no key"));
  EXPECT_THAT(matrix_error(ark("")), HasSubstr("empty archive"));
  EXPECT_THAT(matrix_error(file("none.ark")), HasSubstr("none.ark: cannot be opened"));
}

TEST_F(KaldiTable, AbsurdSizesAreRefusedBeforeMemoryIsTaken) {
  std::string huge = kFloatAnchor;
  huge.replace(8, 4, bytes({0xff, 0xff, 0xff, 0x7f}));
  huge.replace(13, 4, bytes({0xff, 0xff, 0xff, 0x7f}));
  EXPECT_THAT(matrix_error(ark(huge)), HasSubstr("expected a 2147483647 x 2147483647 matrix"));
  std::string negative = kFloatAnchor;
  negative.replace(8, 4, bytes({0xff, 0xff, 0xff, 0xff}));
  EXPECT_THAT(matrix_error(ark(negative)), HasSubstr("found a matrix of -1 rows"));
  std::string vector = kIntegerAnchor;
  vector.replace(5, 4, bytes({0xff, 0xff, 0xff, 0x7f}));
  EXPECT_THAT(integers_error(ark(vector)), HasSubstr("truncated"));
}

TEST_F(KaldiTable, ScpOffsetsAndRanges) {
  KaldiTableWriter m(file("m.ark"));
  m.write("x", matrix(3, 4, {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}));
  m.commit();
  const std::string path = file("m.ark").string();
  const auto value = [&](const std::string& suffix) {
    return matrices(scp("utt " + path + ":2" + suffix + "\n"))[0].second;
  };
  EXPECT_EQ(value("").rows, 3);
  EXPECT_THAT(value("[1:1]").data, ElementsAre(10, 11, 12, 13));
  EXPECT_THAT(value("[1:2,0:1]").data, ElementsAre(10, 11, 20, 21));
  EXPECT_THAT(value("[:,3:3]").data, ElementsAre(3, 13, 23));
  const auto error = [&](const std::string& line) { return matrix_error(scp("\n" + line + "\n")); };
  EXPECT_THAT(error("utt " + path + ":2[0:3]"),
              AllOf(HasSubstr("a.scp:2: range [0:3] goes past the 3 rows of entry 'utt'")));
  EXPECT_THAT(error("utt " + path + ":2[0:1,0:4]"), HasSubstr("past the 4 columns"));
  EXPECT_THAT(error("utt " + path + ":2[2:1]"), HasSubstr("found range '2:1'"));
  EXPECT_THAT(error("utt " + path + ":2[0:1,0:1,0:1]"), HasSubstr("expected [rows] or"));
  EXPECT_THAT(error("utt " + path + ":99999"), HasSubstr("offset 99999 lies behind the end"));
  EXPECT_THAT(error("utt"), HasSubstr("a.scp:2: found 'utt', expected 'key path'"));
  EXPECT_THAT(error("utt copy-feats ark:x ark:- |"),
              AllOf(HasSubstr("a.scp:2:"), HasSubstr("pipes are not supported")));
  EXPECT_THAT(error("utt " + path + ".no:2"), HasSubstr("cannot be opened"));
  EXPECT_THAT(error(""), HasSubstr("empty script file"));
  EXPECT_THAT(matrix_error("cat x |"), HasSubstr("pipes are not supported"));
  EXPECT_THAT(matrix_error("-"), HasSubstr("pipes are not supported"));
}

TEST_F(KaldiTable, ScpToAFileThatHoldsOneObject) {
  write_file(file("one.mat"), kFloatAnchor.substr(2));
  EXPECT_THAT(matrices(scp("u " + file("one.mat").string() + "\n"))[0].second.data,
              ElementsAre(1, 2));
}

}  // namespace
}  // namespace ernn
