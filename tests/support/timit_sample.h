// Where the real TIMIT sample lies, for the tests that need real speech.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace ernn {

/// The folder in ERNN_TIMIT_SAMPLE, else shared/data/timit-sample beside the source folder; empty
/// when neither exists.
inline std::filesystem::path timit_sample() {
  const char* const set = std::getenv("ERNN_TIMIT_SAMPLE");
  const std::filesystem::path folder =
      set != nullptr ? std::filesystem::path(set)
                     : std::filesystem::path(ERNN_SOURCE_DIR) / "../shared/data/timit-sample";
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder : std::filesystem::path();
}

/// What a test prints when it is skipped for lack of the sample.
inline constexpr const char* kTimitSampleMissing =
    "needs the NLTK sample of TIMIT: set ERNN_TIMIT_SAMPLE to its folder, which holds dr1-fvmh0 "
    "and "
    "so on";

}  // namespace ernn
