#include "explore/width_choice.h"

#include <algorithm>

#include "base/error.h"

namespace ernn {

namespace {

constexpr int kFewestSignalBits = 4;  // export/export_options.cpp accepts no fewer
constexpr int kFewestSegments = 2;

/// Those that get guard bits (docs/arithmetic.md, "Formats").
const std::vector<std::string>& intermediate_signals() {
  static const std::vector<std::string> names = {"spectrum", "sum", "product", "preactivation",
                                                 "cell"};
  return names;
}

using Set = std::function<void(ExportOptions&, int)>;

class Search {
 public:
  Search(const WidthRequest& request, double real_per, const MeasureWidths& measure)
      : request_(request), most_(real_per + request.budget), measure_(measure) {
    choice_.options = request.options;
  }

  WidthChoice run() {
    std::vector<int> bits = request_.bits;
    std::sort(bits.rbegin(), bits.rend());
    narrow("bits", bits, [](ExportOptions& options, int value) { options.bits = value; });
    if (!choice_.met) return choice_;
    narrow("guard_bits", guards(),
           [](ExportOptions& options, int value) { options.guard_bits = value; });
    for (const std::string& signal : request_.signals) {
      narrow(signal, below(signal_width(signal)),
             [&](ExportOptions& options, int value) { options.widths[signal] = value; });
    }
    narrow("table_segments", segments(),
           [](ExportOptions& options, int value) { options.table_segments = value; });
    return choice_;
  }

 private:
  void narrow(const std::string& kind, const std::vector<int>& values, const Set& set) {
    for (const int value : values) {
      ExportOptions options = choice_.options;
      set(options, value);
      WidthMeasure measured;
      try {
        measured = measure_(options);
      } catch (const UsageError& error) {
        // Of the widths kept so far a network could be made, of these it cannot.
        if (!choice_.met) throw;
        choice_.trials.push_back({kind, value, 0, false, error.what()});
        return;
      }
      const bool keep = measured.per <= most_;
      choice_.trials.push_back({kind, value, measured.per, keep, ""});
      if (!keep) return;
      choice_.met = true;
      choice_.options = options;
      choice_.per = measured.per;
      segments_ = measured.segments;
    }
  }

  /// Fewer guard bits than now, by twos.
  std::vector<int> guards() const {
    std::vector<int> values;
    for (int guard = choice_.options.guard_bits - 2; guard >= 0; guard -= 2)
      values.push_back(guard);
    return values;
  }

  int signal_width(const std::string& signal) const {
    const auto own = choice_.options.widths.find(signal);
    if (own != choice_.options.widths.end()) return own->second;
    const auto& wide = intermediate_signals();
    const bool guarded = std::find(wide.begin(), wide.end(), signal) != wide.end();
    return choice_.options.bits + (guarded ? choice_.options.guard_bits : 0);
  }

  static std::vector<int> below(int width) {
    std::vector<int> values;
    for (int bits = width - 1; bits >= kFewestSignalBits; --bits) values.push_back(bits);
    return values;
  }

  std::vector<int> segments() const {
    std::vector<int> values;
    for (int n = segments_ / 2; n >= kFewestSegments; n /= 2) values.push_back(n);
    return values;
  }

  const WidthRequest& request_;
  const double most_;
  const MeasureWidths& measure_;
  WidthChoice choice_;
  int segments_ = 0;  ///< of the choice
};

}  // namespace

WidthChoice choose_widths(const WidthRequest& request, double real_per,
                          const MeasureWidths& measure) {
  return Search(request, real_per, measure).run();
}

}  // namespace ernn
