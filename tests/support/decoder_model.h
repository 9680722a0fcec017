// Decoder models from lists of whole utterances.
#pragma once

#include <vector>

#include "train/decoder.h"

namespace ernn {

inline DecoderModel estimate_decoder_model(const std::vector<std::vector<int>>& transcripts,
                                           const std::vector<std::vector<int>>& frame_labels,
                                           int classes) {
  DecoderModelEstimator estimator(classes);
  for (const auto& transcript : transcripts) estimator.add_transcript(transcript);
  for (const auto& labels : frame_labels) estimator.add_frames(labels);
  return estimator.finish();
}

}  // namespace ernn
