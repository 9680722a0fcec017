// A trained network at several widths: how far each signal is from real numbers, and what it costs
// in phone errors. Nothing is trained again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "export/comparison.h"
#include "export/export_options.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/trained_formats.h"
#include "features/utterance_set.h"
#include "train/model_context.h"
#include "train/scoring.h"

namespace ernn {

struct WidthResult {
  int bits = 0;  ///< of stored and multiplied codes; 0: real numbers, not quantised
  ScoreSheet scores;
  std::int64_t stored_bits = 0;      ///< of the weights
  std::vector<SignalError> signals;  ///< of the measured utterances; empty for real numbers
  std::size_t measured = 0;          ///< utterances, from the first, that `signals` are of
};

struct WidthSweep {
  std::vector<int> bits;  ///< widths of stored and multiplied codes
  /// Utterances, from the first, whose signals are measured, which takes nearly all of the time;
  /// without a number all. Phone errors are counted in every utterance: the others go through the
  /// runtime, which has the emulator's bits.
  std::optional<std::size_t> measured;
  /// Formats that the network was trained in: it is taken in them at the width that they have.
  std::optional<TrainedFormats> trained;
  bool quiet = false;
};

/// The network in double precision, then quantised at each width with the other options as they
/// are, over a split of features that are not normalised: the emulator's codes against the double
/// reference signal by signal, and the phone errors of both. Throws UsageError when a width does
/// not suit the network.
std::vector<WidthResult> sweep_widths(const FloatNetwork& network, const RangeProfile& profile,
                                      const ExportOptions& options, const ModelContext& context,
                                      const UtteranceSet& utterances, const WidthSweep& sweep);

/// Values of all signals that met their format's limit: how many, and of a million.
std::int64_t saturations_of(const WidthResult& result);
double saturated_ppm(const WidthResult& result);

/// Phone errors alone of a quantised network over such a split, through the runtime.
ScoreSheet score_quantised(const QuantisedNetwork& network, const ModelContext& context,
                           const UtteranceSet& utterances);

/// "signals of 100 of 2600 utterances", "" where they are of all.
std::string measured_text(const WidthResult& result);

/// A line for each width, then a line for each signal with a column for each width, as text.
std::string width_table(const std::vector<WidthResult>& results);
std::string width_signals(const std::vector<WidthResult>& results);

/// The same as JSON: an array of {"bits", "per", "tokens", "protocol", "stored_bits",
/// "measured_utterances", "signals": [{"signal", "format", "snr_db", "saturations", "values"}]};
/// snr_db is null where there is no error.
std::string width_json(const std::vector<WidthResult>& results);

}  // namespace ernn
