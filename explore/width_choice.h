// The narrowest words that keep the phone error rate (docs/explore.md, "Widths").
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "export/export_options.h"

namespace ernn {

struct WidthRequest {
  ExportOptions options;                       ///< what the search starts from
  std::vector<int> bits = {16, 12, 10, 8, 6};  ///< widths that are tried
  double budget = 0.1;                         ///< points of PER above real numbers
  /// Signals (docs/arithmetic.md) that get a width of their own after the common ones.
  std::vector<std::string> signals = {"weight"};
};

/// What a network quantised with some options is like.
struct WidthMeasure {
  double per = 0;    ///< percent
  int segments = 0;  ///< of its largest activation table
};
using MeasureWidths = std::function<WidthMeasure(const ExportOptions&)>;

/// One set of options that was tried.
struct WidthTrial {
  std::string kind;  ///< bits, guard_bits, table_segments or a signal
  int value = 0;     ///< of that
  double per = 0;    ///< percent
  bool kept = false;
  std::string refusal = {};  ///< why no network can be made of it, and `per` means nothing; or ""
};

struct WidthChoice {
  bool met = false;       ///< some width is within the budget
  ExportOptions options;  ///< the narrowest within; of no meaning otherwise
  double per = 0;
  std::vector<WidthTrial> trials;
};

template <class Visitor>
void describe(Visitor& field, WidthTrial& o) {
  field("kind", o.kind, "bits, guard_bits, table_segments or a signal");
  field("value", o.value);
  field("per", o.per, "percent");
  field("kept", o.kept);
  field("refusal", o.refusal, "why no network can be made of it");
}

template <class Visitor>
void describe(Visitor& field, WidthChoice& o) {
  field("met", o.met, "some width is within the budget");
  field("options", o.options);
  field("per", o.per, "percent");
  field("trials", o.trials);
}

/// One kind after the other, each from wide to narrow until the PER is more than the budget above
/// `real_per`, the others as they have been chosen so far: bits, guard bits, the signals, segments
/// of activation tables. `measure` is asked once for each set of options; when it throws UsageError
/// after some were kept, those in question are not.
WidthChoice choose_widths(const WidthRequest& request, double real_per,
                          const MeasureWidths& measure);

}  // namespace ernn
