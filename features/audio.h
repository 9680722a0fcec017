// Reading and writing 16-bit mono audio: NIST SPHERE and RIFF (WAV) files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ernn {

/// Samples on the integer scale, -32768 to 32767, which is what Kaldi's features expect.
struct Audio {
  int sample_rate = 0;  ///< Hz
  std::vector<float> samples;
};

/// Reads a file whose first bytes say what it is; the name does not matter (TIMIT's `.WAV` files
/// are SPHERE). Accepted: uncompressed 16-bit PCM with one channel, SPHERE in either byte order,
/// RIFF with plain or extensible headers. Throws DataError naming the file for anything else (by
/// its name: shorten, mu-law, two channels, ...), for a truncated file (bytes found and expected)
/// and for samples that contradict the count, minimum or maximum that a SPHERE header gives.
Audio read_audio(const std::filesystem::path& path);

/// The same for bytes in memory; `name` is used in messages.
Audio parse_audio(std::string_view bytes, const std::string& name);

/// Writes RIFF PCM, 16 bits, one channel; the file appears whole or not at all. Samples are rounded
/// to the nearest integer and limited to the 16-bit range. Throws DataError for samples that are
/// not numbers and for a failed write.
void write_wav(const std::filesystem::path& path, const Audio& audio);

}  // namespace ernn
