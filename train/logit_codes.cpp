#include "train/logit_codes.h"

#include <cstddef>
#include <cstdint>

#include "export/format.h"

namespace ernn {

CodeFrames runtime_codes(Stream& stream, const CodeFrames& utterance, int outputs) {
  stream.reset();
  CodeFrames logits;
  logits.reserve(utterance.size());
  for (const auto& frame : utterance) {
    const std::int32_t* const codes = stream.step_codes(frame.data(), frame.size());
    logits.emplace_back(codes, codes + outputs);
  }
  return logits;
}

FrameMatrix logits_of(const QuantisedNetwork& network, const CodeFrames& codes) {
  FrameMatrix logits(static_cast<int>(codes.size()), network.outputs());
  for (std::size_t t = 0; t < codes.size(); ++t) {
    for (std::size_t i = 0; i < codes[t].size(); ++i) {
      logits.at(static_cast<int>(t), static_cast<int>(i)) =
          static_cast<float>(dequantise(codes[t][i], network.logit_format()));
    }
  }
  return logits;
}

}  // namespace ernn
