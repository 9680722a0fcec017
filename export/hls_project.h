// The HLS project of a quantised network: a folder that builds its own testbench with a plain C++
// compiler and that an HLS tool can synthesise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "export/folding.h"
#include "export/quantised_network.h"

namespace ernn {

/// Writes the project into `folder` (created when missing): configuration, tables and weights of
/// the network, the kernel, the testbench, a Makefile and scripts for Vitis (docs/kernel.md). Needs
/// no file of the build. Throws UsageError when an exact sum of the network needs more than 63
/// bits or the folding does not suit it, DataError when a file cannot be written.
void write_hls_project(const QuantisedNetwork& network, const Folding& folding,
                       const std::filesystem::path& folder);

/// The generated files, by name; what write_hls_project() writes beside the fixed ones.
struct GeneratedFile {
  std::string name;
  std::string text;
};
std::vector<GeneratedFile> generate_hls_files(const QuantisedNetwork& network,
                                              const Folding& folding);

}  // namespace ernn
