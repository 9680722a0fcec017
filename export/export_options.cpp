#include "export/export_options.h"

#include <fmt/format.h>

#include "base/error.h"

namespace ernn {

const std::vector<std::pair<RangePolicy, const char*>>& enum_names(RangePolicy) {
  static const std::vector<std::pair<RangePolicy, const char*>> names = {
      {RangePolicy::max, "max"}, {RangePolicy::percentile, "percentile"}};
  return names;
}

namespace {

void check_between(const std::string& key, int value, int low, int high) {
  if (value >= low && value <= high) return;
  throw UsageError(fmt::format("{}: {} is not between {} and {}", key, value, low, high));
}

}  // namespace

void validate(const QuantisationOptions& options, const std::string& path) {
  check_between(path + ".bits", options.bits, 6, 16);
  check_between(path + ".guard_bits", options.guard_bits, 0, 8);
  for (const auto& [signal, width] : options.widths)
    check_between(fmt::format("{}.widths.{}", path, signal), width, 4, 24);
  check_between(path + ".calibration_utterances", options.calibration_utterances, 0, 1 << 30);
  if (!(options.percentile > 50 && options.percentile <= 100)) {
    throw UsageError(
        fmt::format("{}.percentile: {} is not between 50 and 100", path, options.percentile));
  }
  if (!(options.headroom >= 0.25 && options.headroom <= 64)) {
    throw UsageError(
        fmt::format("{}.headroom: {} is not between 0.25 and 64", path, options.headroom));
  }
  const int segments = options.table_segments;
  if (segments != 0 && (segments < 2 || segments > 4096 || (segments & (segments - 1)) != 0)) {
    throw UsageError(
        fmt::format("{}.table_segments: {} is not a power of two from 2 to 4096, or 0 for as "
                    "many as needed",
                    path, segments));
  }
}

void validate(const ExportOptions& options) {
  validate(options, "export");
  check_between("export.golden_frames", options.golden_frames, 1, 4096);
  check_between("export.golden_long_frames", options.golden_long_frames, 1, 1 << 20);
}

}  // namespace ernn
