#include "features/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "features/bytes.h"

namespace ernn {

namespace {

constexpr std::size_t kBytesPerSample = 2;

/// Errors quote bytes of files, which may be anything: what cannot be printed is written as \xNN.
[[noreturn]] void refuse(const std::string& name, const std::string& problem) {
  std::string printable;
  for (const char c : problem) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      printable += c;
    } else {
      printable += fmt::format("\\x{:02x}", byte);
    }
  }
  throw DataError(fmt::format("{}: {}", name, printable));
}

/// `bytes` as samples; their number has been checked to be whole.
std::vector<float> decode(std::string_view bytes, bool little) {
  std::vector<float> samples(bytes.size() / kBytesPerSample);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::size_t at = i * kBytesPerSample;
    samples[i] = little ? load_little<std::int16_t>(bytes, at) : load_big<std::int16_t>(bytes, at);
  }
  return samples;
}

class SphereHeader {
 public:
  SphereHeader(std::string_view bytes, std::string name) : name_(std::move(name)) {
    const auto first = bytes.find('\n');
    const auto second = first == std::string_view::npos ? first : bytes.find('\n', first + 1);
    long long size = 0;
    if (second == std::string_view::npos) {
      refuse(name_, "SPHERE header is cut off before its size");
    }
    const auto size_text = trim(bytes.substr(first + 1, second - first - 1));
    if (!parse_int(size_text, size) || size <= 0) {
      refuse(name_, fmt::format("SPHERE header size is '{}', expected a number", size_text));
    }
    size_ = static_cast<std::size_t>(size);
    if (bytes.size() < size_) {
      refuse(name_, fmt::format("truncated SPHERE file: header has {} bytes, found {}", size_,
                                bytes.size()));
    }
    read_fields(bytes.substr(0, size_), second + 1);
  }

  std::size_t size() const { return size_; }
  bool has(const std::string& field) const { return fields_.count(field) > 0; }

  std::string text(const std::string& field) const {
    const auto found = fields_.find(field);
    if (found == fields_.end()) refuse(name_, "SPHERE header lacks " + field);
    return found->second;
  }

  long long integer(const std::string& field) const {
    long long value = 0;
    if (!parse_int(text(field), value)) {
      refuse(name_, fmt::format("SPHERE header field {} is '{}', expected a whole number", field,
                                text(field)));
    }
    return value;
  }

 private:
  // Lines are `name -i 12`, `name -r 1.5`, `name -s5 words`, comments start with a semicolon, and
  // `end_head` ends the list.
  void read_fields(std::string_view header, std::size_t begin) {
    while (begin < header.size()) {
      const auto end = std::min(header.find('\n', begin), header.size());
      const auto line = trim(header.substr(begin, end - begin));
      begin = end + 1;
      if (line == "end_head") return;
      if (line.empty() || line.front() == ';') continue;
      const auto words = split_words(line);
      if (words.size() < 2 || words[1].size() < 2 || words[1][0] != '-') {
        refuse(name_, fmt::format("SPHERE header line '{}' is not 'name -type value'", line));
      }
      const auto value_at = line.find(words[1], words[0].size()) + words[1].size();
      fields_[words[0]] = std::string(trim(line.substr(value_at)));
    }
    refuse(name_, "SPHERE header has no end_head");
  }

  std::string name_;
  std::size_t size_ = 0;
  std::map<std::string, std::string> fields_;
};

void check_sphere_encoding(const SphereHeader& header, const std::string& name) {
  if (header.has("sample_coding") && header.text("sample_coding") != "pcm") {
    refuse(name,
           fmt::format("SPHERE sample_coding '{}' is not supported, only pcm; convert it with "
                       "sph2pipe or w_decode",
                       header.text("sample_coding")));
  }
  if (header.integer("channel_count") != 1) {
    refuse(name, fmt::format("{} channels, expected 1", header.integer("channel_count")));
  }
  if (header.integer("sample_n_bytes") != static_cast<long long>(kBytesPerSample)) {
    refuse(name, fmt::format("{} bytes a sample, expected {}", header.integer("sample_n_bytes"),
                             kBytesPerSample));
  }
  const std::string order = header.text("sample_byte_format");
  if (order != "01" && order != "10") {
    refuse(name,
           fmt::format("SPHERE sample_byte_format '{}' is not supported, only 01 and 10", order));
  }
}

void check_sphere_range(const SphereHeader& header, const std::vector<float>& samples,
                        const std::string& name) {
  if (samples.empty()) return;
  const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
  const auto check = [&](const std::string& field, float found) {
    if (header.has(field) && static_cast<long long>(found) != header.integer(field)) {
      refuse(name, fmt::format("damaged audio: found {} {}, expected {} as the header says", field,
                               static_cast<long long>(found), header.integer(field)));
    }
  };
  check("sample_min", *least);
  check("sample_max", *most);
}

Audio parse_sphere(std::string_view bytes, const std::string& name) {
  const SphereHeader header(bytes, name);
  check_sphere_encoding(header, name);
  const auto body = bytes.substr(header.size());
  const long long count = header.has("sample_count")
                              ? header.integer("sample_count")
                              : static_cast<long long>(body.size() / kBytesPerSample);
  if (count < 0 || body.size() % kBytesPerSample != 0 ||
      static_cast<long long>(body.size() / kBytesPerSample) != count) {
    refuse(name, fmt::format("{} SPHERE file: found {} bytes of samples, expected {} ({} samples)",
                             static_cast<long long>(body.size()) <
                                     count * static_cast<long long>(kBytesPerSample)
                                 ? "truncated"
                                 : "damaged",
                             body.size(), count * static_cast<long long>(kBytesPerSample), count));
  }
  Audio audio;
  audio.sample_rate = static_cast<int>(header.integer("sample_rate"));
  audio.samples = decode(body, header.text("sample_byte_format") == "01");
  check_sphere_range(header, audio.samples, name);
  return audio;
}

constexpr int kWavePcm = 1;
constexpr int kWaveExtensible = 0xFFFE;

std::string wave_format_name(int format) {
  switch (format) {
    case 2:
      return "Microsoft ADPCM";
    case 3:
      return "floating point";
    case 6:
      return "A-law";
    case 7:
      return "mu-law";
    case 0x11:
      return "IMA ADPCM";
    case 0x31:
      return "GSM 6.10";
    case 0x55:
      return "MP3";
    default:
      return fmt::format("0x{:04x}", format);
  }
}

/// Checks the `fmt ` chunk and returns the sample rate.
int parse_wave_format(std::string_view chunk, const std::string& name) {
  if (chunk.size() < 16) {
    refuse(name, fmt::format("RIFF 'fmt ' chunk has {} bytes, expected at least 16", chunk.size()));
  }
  int format = load_little<std::uint16_t>(chunk, 0);
  if (format == kWaveExtensible) {
    if (chunk.size() < 26) {
      refuse(name,
             fmt::format("extensible RIFF 'fmt ' chunk has {} bytes, expected 40", chunk.size()));
    }
    format = load_little<std::uint16_t>(chunk, 24);
  }
  if (format != kWavePcm) {
    refuse(name, fmt::format("RIFF encoding {} is not supported, only 16-bit PCM",
                             wave_format_name(format)));
  }
  const int channels = load_little<std::uint16_t>(chunk, 2);
  if (channels != 1) refuse(name, fmt::format("{} channels, expected 1", channels));
  const int bits = load_little<std::uint16_t>(chunk, 14);
  if (bits != 16) refuse(name, fmt::format("{} bits a sample, expected 16", bits));
  const auto rate = load_little<std::uint32_t>(chunk, 4);
  if (rate == 0 || rate > 10000000) refuse(name, fmt::format("sample rate {} Hz", rate));
  return static_cast<int>(rate);
}

Audio parse_riff(std::string_view bytes, const std::string& name) {
  constexpr std::size_t kChunkHeader = 8;
  if (bytes.size() < 12) refuse(name, "truncated RIFF file: the header has 12 bytes");
  if (bytes.substr(8, 4) != "WAVE") {
    refuse(name, fmt::format("RIFF file of type '{}', expected WAVE", bytes.substr(8, 4)));
  }
  Audio audio;
  std::size_t at = 12;
  while (bytes.size() - at >= kChunkHeader) {
    const auto id = bytes.substr(at, 4);
    const std::size_t size = load_little<std::uint32_t>(bytes, at + 4);
    at += kChunkHeader;
    const std::size_t available = bytes.size() - at;
    if (size > available) {
      refuse(name, fmt::format("truncated RIFF file: found {} bytes of chunk '{}', expected {}",
                               available, id, size));
    }
    if (id == "fmt ") audio.sample_rate = parse_wave_format(bytes.substr(at, size), name);
    if (id == "data") {
      if (audio.sample_rate == 0) refuse(name, "RIFF file without 'fmt ' before 'data'");
      if (size % kBytesPerSample != 0) {
        refuse(name, fmt::format("RIFF 'data' of {} bytes is not whole 16-bit samples", size));
      }
      audio.samples = decode(bytes.substr(at, size), true);
      return audio;
    }
    at += std::min(available, size + size % 2);
  }
  refuse(name, "truncated RIFF file: no 'data' chunk");
}

}  // namespace

Audio parse_audio(std::string_view bytes, const std::string& name) {
  const auto starts = [&](std::string_view magic) {
    return bytes.substr(0, magic.size()) == magic;
  };
  if (starts("NIST_1A\n")) return parse_sphere(bytes, name);
  if (starts("RIFF")) return parse_riff(bytes, name);
  const std::pair<std::string_view, const char*> others[] = {
      {"RIFX", "big-endian RIFF"}, {"RF64", "RF64"}, {"fLaC", "FLAC"},    {"OggS", "Ogg"},
      {"ajkg", "shorten"},         {"FORM", "AIFF"}, {".snd", "Sun .au"}, {"ID3", "MP3"}};
  for (const auto& [magic, format] : others) {
    if (starts(magic)) {
      refuse(name, fmt::format("{} audio is not supported, only SPHERE and RIFF PCM", format));
    }
  }
  if (bytes.empty()) refuse(name, "empty file, expected SPHERE or RIFF audio");
  refuse(name, "neither SPHERE ('NIST_1A') nor RIFF audio");
}

Audio read_audio(const std::filesystem::path& path) {
  return parse_audio(read_file(path), path.string());
}

void write_wav(const std::filesystem::path& path, const Audio& audio) {
  const auto data_bytes = static_cast<std::uint32_t>(audio.samples.size() * kBytesPerSample);
  std::string out = "RIFF";
  append_little<std::uint32_t>(out, 36 + data_bytes);
  out += "WAVEfmt ";
  append_little<std::uint32_t>(out, 16);
  append_little<std::uint16_t>(out, kWavePcm);
  append_little<std::uint16_t>(out, 1);
  append_little<std::uint32_t>(out, static_cast<std::uint32_t>(audio.sample_rate));
  append_little<std::uint32_t>(out,
                               static_cast<std::uint32_t>(audio.sample_rate) * kBytesPerSample);
  append_little<std::uint16_t>(out, kBytesPerSample);
  append_little<std::uint16_t>(out, 8 * kBytesPerSample);
  out += "data";
  append_little<std::uint32_t>(out, data_bytes);
  for (const float sample : audio.samples) {
    if (std::isnan(sample)) refuse(path.string(), "a sample to write is not a number");
    append_little(out,
                  static_cast<std::int16_t>(std::lround(std::clamp(sample, -32768.0F, 32767.0F))));
  }
  write_file(path, out);
}

}  // namespace ernn
