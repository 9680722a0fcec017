// A trained network in fixed point: its widths, its error rate through the emulator; free of
// LibTorch.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "base/frame_matrix.h"
#include "explore/trial_record.h"
#include "explore/width_choice.h"
#include "explore/widths.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "features/dataset.h"
#include "train/model_context.h"
#include "train/scoring.h"

namespace ernn {

/// Where speech for it comes from.
struct SpeechSource {
  /// Normalised training utterances that formats are measured on.
  std::function<std::vector<FrameMatrix>(const ModelContext&)> calibration;
  /// A split whose features are not normalised.
  std::function<UtteranceSet(const ModelContext&, Split)> split;
};

class QuantisedTrial {
 public:
  /// Reads the model and measures the ranges of its signals. Throws DataError naming the file.
  QuantisedTrial(const std::filesystem::path& model, const SpeechSource& speech);

  /// The narrowest widths that keep the dev PER; kept in `file` and taken from there when they were
  /// chosen for the same model and request.
  WidthChoice choose_widths(const WidthRequest& request, const TrialRecord& record,
                            const std::filesystem::path& file) const;

  /// Errors of the emulator on a split.
  ScoreSheet score(const ExportOptions& options, Split split) const;
  /// What the kernel's signals are wide.
  std::vector<LayerWidths> widths(const ExportOptions& options) const;

 private:
  const SpeechSource& speech_;
  ModelContext context_;
  FloatNetwork network_;
  RangeProfile profile_;
};

}  // namespace ernn
