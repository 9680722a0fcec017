// The artefact: everything a deployment needs, in one folder (docs/artefact.md). Reading it;
// export/artefact_writer.h makes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "export/quantised_network.h"

namespace ernn {

/// Raised whenever a reader of the last version would misread the new one.
inline constexpr int kArtefactVersion = 1;

/// A whole artefact but its golden vectors.
struct Artefact {
  QuantisedNetwork network;
  std::string context = "{}";        ///< JSON of train/model_context.h, copied from the model file
  std::vector<std::string> classes;  ///< names of all outputs, or empty
  std::string provenance = "{}";     ///< JSON: how it was made
};

/// Frames of codes, one row a frame.
using CodeFrames = std::vector<std::vector<std::int32_t>>;

/// What the emulator computes from the initial state, for kernels to be compared with.
struct Golden {
  CodeFrames input;                           ///< [frames, inputs]
  std::map<std::string, CodeFrames> signals;  ///< by traced signal, [frames, length]
  CodeFrames long_input;                      ///< [more frames, inputs]; begins with `input`
  CodeFrames logits;                          ///< [more frames, outputs]
};

/// Reads and checks everything: version, hashes, shapes, formats and other numbers, codes within
/// their formats. Throws DataError naming the file, what was found and what was expected.
Artefact load_artefact(const std::filesystem::path& folder);

/// The golden vectors of an artefact that load_artefact() has accepted.
Golden load_golden(const std::filesystem::path& folder, const QuantisedNetwork& network);

/// The options of the model that a network was made from (without dropout).
ModelOptions model_options_of(const QuantisedNetwork& network);

}  // namespace ernn
