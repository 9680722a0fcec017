// What a quantised network says of an utterance, as codes and as real numbers.
#pragma once

#include "base/frame_matrix.h"
#include "export/artefact.h"
#include "export/quantised_network.h"
#include "runtime/engine.h"

namespace ernn {

/// An utterance of input codes [frames][inputs] through the runtime, from the initial state: logit
/// codes [frames][outputs].
CodeFrames runtime_codes(Stream& stream, const CodeFrames& utterance, int outputs);

/// Logit codes as logits [frames, outputs].
FrameMatrix logits_of(const QuantisedNetwork& network, const CodeFrames& codes);

}  // namespace ernn
