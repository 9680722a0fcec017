#include "hls/io/sha256.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/support/temporary_folder.h"

namespace ernn::hls {
namespace {

using ::testing::HasSubstr;

// FIPS 180-4 examples, and NIST's long message of a million letters.
TEST(Sha256, PublishedExamples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesAddUp) {
  const std::string text(300, 'x');
  for (std::size_t cut = 0; cut < text.size(); cut += 7) {
    Sha256 hash;
    hash.update(text.data(), cut);
    hash.update(text.data() + cut, text.size() - cut);
    EXPECT_EQ(hash.hex(), sha256_hex(text));
  }
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string check(const std::string& folder) {
  try {
    check_sha256sums(folder);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "right";
}

TEST(Sha256, SumsFileFindsWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string at = folder.path().string();
  EXPECT_THAT(check(at), HasSubstr("SHA256SUMS: cannot be read"));
  write(at + "/SHA256SUMS", "");
  EXPECT_THAT(check(at), HasSubstr("lists no file"));
  write(at + "/a b.txt", "abc");
  write(at + "/SHA256SUMS", sha256_hex("abc") + "  a b.txt\n");
  EXPECT_EQ(check(at), "right");
  write(at + "/a b.txt", "abd");
  EXPECT_THAT(check(at), HasSubstr(at + "/a b.txt: has sha256 " + sha256_hex("abd")));
  write(at + "/SHA256SUMS", sha256_hex("abc") + "  a b.txt\n" + sha256_hex("") + "  gone\n");
  write(at + "/a b.txt", "abc");
  EXPECT_THAT(check(at), HasSubstr(at + "/gone: cannot be read"));
  write(at + "/SHA256SUMS", sha256_hex("abc").substr(1) + "  a b.txt\n");
  EXPECT_THAT(check(at), HasSubstr("SHA256SUMS:1: expected 64"));
}

}  // namespace
}  // namespace ernn::hls
