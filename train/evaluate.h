// Loss, frame error and phone error rate of a model on a split.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/frame_matrix.h"
#include "features/utterance_set.h"
#include "models/acoustic_model.h"
#include "train/model_context.h"
#include "train/process_group.h"
#include "train/scoring.h"

namespace ernn {

struct SplitResult {
  double loss = 0;                    ///< nats a labelled frame or phone
  std::optional<double> frame_error;  ///< percent; frame criterion only
  ScoreSheet scores;                  ///< in the order of the split
  double waited_seconds = 0;          ///< in which the model waited for batches, in this process
};

/// Receives the log-posteriors of an utterance, [frames, outputs], the delay taken off.
using PosteriorSink = std::function<void(const std::string& id, const FrameMatrix& posteriors)>;

/// Runs a model over utterances with normalised features, in evaluation mode, and decodes and
/// scores as `context` says. The model's mode is what it was afterwards; no random state is used.
/// Throws DataError naming an utterance whose outputs are NaN, and what decode() throws.
/// The processes of a group evaluate a share each and all return the same result; `sink` sees the
/// process' own share.
SplitResult evaluate(AcousticModel model, const UtteranceSet& utterances,
                     const ModelContext& context, int batch, const PosteriorSink& sink = {},
                     const ProcessGroup* group = nullptr);

}  // namespace ernn
