// Making an artefact (export/artefact.h) and its golden vectors.
#pragma once

#include <cstdint>
#include <filesystem>

#include "export/artefact.h"
#include "export/folding.h"
#include "export/quantised_network.h"

namespace ernn {

/// Runs the emulator over the first `long_frames` of `frames` (or all, when fewer), tracing the
/// first `few_frames`. Throws DataError without a frame.
Golden make_golden(const QuantisedNetwork& network, const CodeFrames& frames, int few_frames,
                   int long_frames);

/// Seeded codes that fill about half the input format, for networks without speech.
CodeFrames random_frames(const QuantisedNetwork& network, int frames, std::uint32_t seed);

/// Writes the folder, the HLS project in its `hls/` included, in a new folder beside its place and
/// renames it as a whole; an artefact already there stays until then, and nothing else there is
/// touched. Throws DataError when it cannot be written, or when something that is not an artefact
/// is in its place, UsageError when the folding of the HLS project does not suit the network.
void write_artefact(const Artefact& artefact, const Golden& golden,
                    const std::filesystem::path& folder, const Folding& folding = {});

}  // namespace ernn
