// The sources of the HLS project as text inside the program, so that an installed `ernn` can export
// without its source tree. Made from the files at build time (cmake/EmbedFiles.cmake).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ernn {

struct EmbeddedFile {
  std::string_view name;  ///< relative to the project folder: "kernel/types.h"
  std::string_view text;
};

/// Kernel, testbench, host types, Makefile.
const std::vector<EmbeddedFile>& hls_project_files();

}  // namespace ernn
