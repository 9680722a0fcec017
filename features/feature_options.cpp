#include "features/feature_options.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/options.h"
#include "base/text.h"

namespace ernn {

namespace {

struct Preset {
  const char* name;
  FeatureType type;
  int bins;
  int cepstra;  ///< 0: the preset has none
  bool energy;
};

constexpr Preset kPresets[] = {{"mfcc39", FeatureType::mfcc, 23, 13, false},
                               {"fbank123", FeatureType::fbank, 40, 0, true},
                               {"fbank153", FeatureType::fbank, 50, 0, true}};
constexpr int kPresetDeltas = 2;

const Preset& find_preset(const std::string& name) {
  std::vector<std::string> known;
  for (const Preset& preset : kPresets) {
    if (name == preset.name) return preset;
    known.emplace_back(preset.name);
  }
  throw UsageError(fmt::format("features.preset '{}' is unknown{} (known: {}, or empty)", name,
                               did_you_mean(name, known), join(known, ", ")));
}

/// Sets a field to what the preset says. A value that is neither the default nor the preset's was
/// chosen by somebody, and dropping it silently would hide that.
template <class T>
void take(const char* field, T preset_value, T default_value, T& value, const std::string& preset) {
  if (value != default_value && value != preset_value) {
    throw UsageError(fmt::format(
        "features.{} is {} but preset {} has {}; set features.preset to '' to choose "
        "the fields one by one",
        field, write_options(value).text(), preset, write_options(preset_value).text()));
  }
  value = preset_value;
}

void apply_preset(FeatureOptions& options) {
  if (options.preset.empty()) return;
  const Preset& preset = find_preset(options.preset);
  const FeatureOptions defaults;
  take("type", preset.type, defaults.type, options.type, options.preset);
  take("energy", preset.energy, defaults.energy, options.energy, options.preset);
  take("bins", preset.bins, defaults.bins, options.bins, options.preset);
  if (preset.cepstra > 0) {
    take("cepstra", preset.cepstra, defaults.cepstra, options.cepstra, options.preset);
  }
  take("delta_order", kPresetDeltas, defaults.delta_order, options.delta_order, options.preset);
}

void require(bool holds, const char* field, double found, const std::string& expected) {
  if (holds) return;
  throw UsageError(fmt::format("features.{} is {}, expected {}", field, found, expected));
}

void validate(const FeatureOptions& o) {
  constexpr double kMostHz = 1e6;
  constexpr double kMostMs = 1e4;
  require(o.sample_rate > 0 && o.sample_rate <= kMostHz, "sample_rate", o.sample_rate,
          "more than 0 Hz");
  const double samples_per_ms = o.sample_rate / 1000;
  require(o.frame_length_ms * samples_per_ms >= 2 && o.frame_length_ms <= kMostMs,
          "frame_length_ms", o.frame_length_ms, "at least two samples and at most 10 s");
  require(o.frame_shift_ms * samples_per_ms >= 1 && o.frame_shift_ms <= kMostMs, "frame_shift_ms",
          o.frame_shift_ms, "at least one sample and at most 10 s");
  require(o.preemphasis >= 0 && o.preemphasis <= 1, "preemphasis", o.preemphasis, "0 to 1");
  require(o.dither >= 0 && std::isfinite(o.dither), "dither", o.dither, "0 or more");
  const double half_rate = o.sample_rate / 2;
  require(o.low_hz >= 0 && o.low_hz < half_rate, "low_hz", o.low_hz,
          fmt::format("0 to less than {} Hz", half_rate));
  const double high = o.high_hz > 0 ? o.high_hz : half_rate + o.high_hz;
  require(high > o.low_hz && high <= half_rate, "high_hz", o.high_hz,
          fmt::format("an edge above {} Hz and up to {} Hz", o.low_hz, half_rate));
  require(o.bins >= 3, "bins", o.bins, "at least 3");
  if (o.type == FeatureType::mfcc) {
    require(o.cepstra >= 1 && o.cepstra <= o.bins, "cepstra", o.cepstra,
            fmt::format("1 to the number of bins, {}", o.bins));
    require(o.cepstral_lifter >= 0 && std::isfinite(o.cepstral_lifter), "cepstral_lifter",
            o.cepstral_lifter, "0 (none) or more");
  }
  require(o.delta_order >= 0 && o.delta_order <= 2, "delta_order", o.delta_order, "0, 1 or 2");
  require(o.delta_window >= 1 && o.delta_window <= 100, "delta_window", o.delta_window, "1 to 100");
}

}  // namespace

const std::vector<std::pair<FeatureType, const char*>>& enum_names(FeatureType /*tag*/) {
  static const std::vector<std::pair<FeatureType, const char*>> names = {
      {FeatureType::fbank, "fbank"}, {FeatureType::mfcc, "mfcc"}};
  return names;
}

const std::vector<std::pair<Window, const char*>>& enum_names(Window /*tag*/) {
  static const std::vector<std::pair<Window, const char*>> names = {
      {Window::povey, "povey"},
      {Window::hamming, "hamming"},
      {Window::hanning, "hanning"},
      {Window::blackman, "blackman"},
      {Window::rectangular, "rectangular"}};
  return names;
}

FeatureOptions resolve(const FeatureOptions& options) {
  FeatureOptions resolved = options;
  apply_preset(resolved);
  validate(resolved);
  return resolved;
}

int feature_dimension(const FeatureOptions& options) {
  const FeatureOptions o = resolve(options);
  const int base = o.type == FeatureType::mfcc ? o.cepstra : o.bins + (o.energy ? 1 : 0);
  return base * (o.delta_order + 1);
}

}  // namespace ernn
