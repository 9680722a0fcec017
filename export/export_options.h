// How a trained network becomes fixed point.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "export/folding.h"

namespace ernn {

/// Which of the measured magnitudes a format has to hold. max: the largest; percentile: all but a
/// few outliers, which saturate.
enum class RangePolicy { max, percentile };
const std::vector<std::pair<RangePolicy, const char*>>& enum_names(RangePolicy);

/// What decides a network's formats and tables. Signals are those of docs/arithmetic.md.
struct QuantisationOptions {
  int bits = 12;       ///< width of what is stored or multiplied, 6 to 16
  int guard_bits = 4;  ///< more bits in intermediate signals, 0 to 8
  /// Widths in bits by signal, over the two above: "cell" for every layer's, "layers.0.cell" for
  /// one.
  std::map<std::string, int> widths;
  int calibration_utterances = 32;  ///< of the training set, 0 = all
  RangePolicy range = RangePolicy::max;
  double percentile = 99.99;  ///< percent of the magnitudes that fit, with range: percentile
  double headroom = 1.0;      ///< measured ranges are multiplied by it
  int table_segments = 0;     ///< pieces of an activation table, a power of two; 0 = as needed
};

/// The configuration's section `export`.
struct ExportOptions : QuantisationOptions {
  int golden_frames = 8;        ///< frames with every intermediate signal
  int golden_long_frames = 64;  ///< frames with the logits only
  Folding folding;              ///< of the HLS project; changes no result
};

/// Throws UsageError naming the key (under `path`) and what would suit.
void validate(const QuantisationOptions& options, const std::string& path);
void validate(const ExportOptions& options);

template <class Visitor>
void describe(Visitor& field, QuantisationOptions& o) {
  field("bits", o.bits, "width of stored and multiplied codes, 6 to 16");
  field("guard_bits", o.guard_bits, "more bits in intermediate signals, 0 to 8");
  field("widths", o.widths, "bits by signal, for example {cell: 18, layers.0.cell: 20}");
  field("calibration_utterances", o.calibration_utterances, "of the training set, 0 = all");
  field("range", o.range, "max or percentile");
  field("percentile", o.percentile, "percent of magnitudes that fit, with range: percentile");
  field("headroom", o.headroom, "factor on measured ranges");
  field("table_segments", o.table_segments, "pieces of an activation table, 0 = as needed");
}

template <class Visitor>
void describe(Visitor& field, ExportOptions& o) {
  describe(field, static_cast<QuantisationOptions&>(o));
  field("golden_frames", o.golden_frames, "frames with every intermediate signal");
  field("golden_long_frames", o.golden_long_frames, "frames with the logits only");
  field("folding", o.folding);
}

}  // namespace ernn
