#include "features/audio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "base/error.h"
#include "base/files.h"
#include "features/bytes.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(std::string_view bytes) {
  try {
    parse_audio(bytes, "x.wav");
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

/// A SPHERE file of the three samples -2 1 258; `extra` lines go into the header.
std::string sphere(const std::string& extra, const std::string& order = "01",
                   const std::string& size = "   1024", std::size_t header_bytes = 1024) {
  std::string out = "NIST_1A\n" + size +
                    "\ndatabase_id -s5 TIMIT\nsample_rate -i 16000\nsample_n_bytes -i 2\n" + extra +
                    "sample_byte_format -s2 " + order + "\nend_head\n";
  out.resize(header_bytes, ' ');
  const std::string little("\xfe\xff\x01\x00\x02\x01", 6);
  const std::string big("\xff\xfe\x00\x01\x01\x02", 6);
  return out + (order == "01" ? little : big);
}

const std::string kMono = "channel_count -i 1\nsample_count -i 3\n";

TEST(Sphere, ReadsBothByteOrdersAndAnyHeaderSize) {
  for (const char* order : {"01", "10"}) {
    const Audio audio = parse_audio(sphere(kMono, order), "x");
    EXPECT_EQ(audio.sample_rate, 16000);
    EXPECT_THAT(audio.samples, ElementsAre(-2, 1, 258));
  }
  EXPECT_THAT(parse_audio(sphere(kMono, "01", "   2048", 2048), "x").samples,
              ElementsAre(-2, 1, 258));
}

TEST(Sphere, ChecksCountMinimumAndMaximum) {
  EXPECT_EQ(error_of(sphere(kMono + "sample_min -i -2\nsample_max -i 258\n")), "accepted");
  EXPECT_THAT(error_of(sphere(kMono + "sample_min -i -3\n")),
              HasSubstr("found sample_min -2, expected -3"));
  EXPECT_THAT(error_of(sphere(kMono + "sample_max -i 300\n")),
              HasSubstr("found sample_max 258, expected 300"));
  EXPECT_THAT(error_of(sphere("channel_count -i 1\nsample_count -i 4\n")),
              AllOf(HasSubstr("x.wav: truncated"), HasSubstr("found 6 bytes"),
                    HasSubstr("expected 8 (4 samples)")));
  EXPECT_THAT(error_of(sphere("channel_count -i 1\nsample_count -i 2\n")),
              HasSubstr("damaged SPHERE file: found 6 bytes of samples, expected 4"));
}

TEST(Sphere, EveryTruncationIsRefused) {
  const std::string whole = sphere(kMono);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(parse_audio(whole.substr(0, length), "x"), DataError) << length;
  }
}

TEST(Sphere, OtherEncodingsAreRefusedByName) {
  EXPECT_THAT(error_of(sphere(kMono + "sample_coding -s26 pcm,embedded-shorten-v2.00\n")),
              HasSubstr("'pcm,embedded-shorten-v2.00'"));
  EXPECT_THAT(error_of(sphere(kMono + "sample_coding -s4 ulaw\n")), HasSubstr("'ulaw'"));
  EXPECT_EQ(error_of(sphere(kMono + "sample_coding -s3 pcm\n")), "accepted");
  EXPECT_THAT(error_of(sphere("channel_count -i 2\nsample_count -i 3\n")),
              HasSubstr("2 channels, expected 1"));
  EXPECT_THAT(error_of(sphere("sample_count -i 3\n")), HasSubstr("lacks channel_count"));
  EXPECT_THAT(error_of(sphere(kMono + "sample_n_bytes -i 1\n")), HasSubstr("1 bytes a sample"));
}

std::string chunk(const std::string& id, const std::string& content) {
  std::string out = id;
  append_little<std::uint32_t>(out, static_cast<std::uint32_t>(content.size()));
  out += content;
  if (content.size() % 2 != 0) out.push_back('\0');
  return out;
}

std::string format_chunk(int format, int channels = 1, int bits = 16, int sub_format = -1) {
  std::string out;
  append_little<std::uint16_t>(out, static_cast<std::uint16_t>(format));
  append_little<std::uint16_t>(out, static_cast<std::uint16_t>(channels));
  append_little<std::uint32_t>(out, 8000);
  append_little<std::uint32_t>(out, 16000);
  append_little<std::uint16_t>(out, 2);
  append_little<std::uint16_t>(out, static_cast<std::uint16_t>(bits));
  if (sub_format >= 0) {
    append_little<std::uint16_t>(out, 22);
    append_little<std::uint16_t>(out, 16);
    append_little<std::uint32_t>(out, 4);
    append_little<std::uint16_t>(out, static_cast<std::uint16_t>(sub_format));
    out += std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", 14);
  }
  return chunk("fmt ", out);
}

const std::string kData = chunk("data", std::string("\xfe\xff\x01\x00\x02\x01", 6));

std::string riff(const std::string& chunks) {
  return chunk("RIFF", "WAVE" + chunks);
}

TEST(Riff, ReadsPlainAndExtensibleAndSkipsOtherChunks) {
  for (const auto& bytes :
       {riff(format_chunk(1) + kData), riff(format_chunk(0xFFFE, 1, 16, 1) + kData),
        riff(chunk("LIST", "odd") + format_chunk(1) + chunk("fact", "1234") + kData +
             chunk("bext", "behind"))}) {
    const Audio audio = parse_audio(bytes, "x");
    EXPECT_EQ(audio.sample_rate, 8000);
    EXPECT_THAT(audio.samples, ElementsAre(-2, 1, 258));
  }
}

TEST(Riff, EveryTruncationIsRefused) {
  const std::string whole = riff(chunk("LIST", "odd") + format_chunk(1) + kData);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(parse_audio(whole.substr(0, length), "x"), DataError) << length;
  }
  EXPECT_THAT(error_of(whole.substr(0, whole.size() - 2)),
              HasSubstr("truncated RIFF file: found 4 bytes of chunk 'data', expected 6"));
}

TEST(Riff, WhateverBytesAreInItAnErrorIsOneLine) {
  const std::string id = {'a', '\n', '\0', '\xe4'};
  EXPECT_THAT(error_of(riff(format_chunk(1) + id + std::string("\xff\x00\x00\x00", 4))),
              HasSubstr("found 0 bytes of chunk 'a\\x0a\\x00\\xe4', expected 255"));
}

TEST(Riff, OtherEncodingsAreRefusedByName) {
  EXPECT_THAT(error_of(riff(format_chunk(3, 1, 32) + kData)), HasSubstr("floating point"));
  EXPECT_THAT(error_of(riff(format_chunk(7, 1, 8) + kData)), HasSubstr("mu-law"));
  EXPECT_THAT(error_of(riff(format_chunk(0xFFFE, 1, 32, 3) + kData)), HasSubstr("floating point"));
  EXPECT_THAT(error_of(riff(format_chunk(1, 2) + kData)), HasSubstr("2 channels, expected 1"));
  EXPECT_THAT(error_of(riff(format_chunk(1, 1, 24) + kData)), HasSubstr("24 bits a sample"));
  EXPECT_THAT(error_of(riff(kData)), HasSubstr("without 'fmt '"));
  EXPECT_THAT(error_of("fLaC...."), HasSubstr("FLAC audio is not supported"));
  EXPECT_THAT(error_of("what is this"), HasSubstr("x.wav: neither SPHERE"));
  EXPECT_THAT(error_of(""), HasSubstr("empty file"));
}

TEST(Riff, WrittenFileIsReadBack) {
  const TemporaryFolder folder;
  Audio audio;
  audio.sample_rate = 16000;
  audio.samples = {0, -1, 12345, -32768, 32767, 1.6F, -1.6F, 40000, -40000};
  write_wav(folder.path() / "a.wav", audio);
  const Audio back = read_audio(folder.path() / "a.wav");
  EXPECT_EQ(back.sample_rate, 16000);
  EXPECT_THAT(back.samples, ElementsAre(0, -1, 12345, -32768, 32767, 2, -2, 32767, -32768));
}

}  // namespace
}  // namespace ernn
