// How speech becomes feature vectors.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ernn {

enum class FeatureType { fbank, mfcc };
enum class Window { povey, hamming, hanning, blackman, rectangular };
const std::vector<std::pair<FeatureType, const char*>>& enum_names(FeatureType);
const std::vector<std::pair<Window, const char*>>& enum_names(Window);

/// Kaldi's feature definition, with Kaldi's defaults but dither, which is off: results must repeat.
struct FeatureOptions {
  /// "mfcc39" (13 MFCC without energy, deltas), "fbank123" (40 log-mel + energy, deltas),
  /// "fbank153" (50 log-mel + energy, deltas), or "" for the fields below. A preset sets type,
  /// bins, cepstra, energy and delta_order.
  std::string preset = "fbank123";
  FeatureType type = FeatureType::fbank;
  double sample_rate = 16000;  ///< Hz; audio with another rate is refused
  double frame_length_ms = 25;
  double frame_shift_ms = 10;
  double preemphasis = 0.97;
  Window window = Window::povey;
  bool remove_dc = true;
  bool snip_edges = true;  ///< false: frames are centred, the ends reflected
  double dither = 0;       ///< Gaussian noise, in units of the 16-bit sample
  double low_hz = 20;
  double high_hz = 0;           ///< 0 or negative: offset from half the sample rate
  int bins = 40;                ///< mel bins
  int cepstra = 13;             ///< MFCC only
  double cepstral_lifter = 22;  ///< MFCC only
  bool energy = true;           ///< fbank: log energy as first column; MFCC: replaces c0
  bool raw_energy = true;       ///< energy before pre-emphasis and window
  bool htk_compat = false;      ///< energy (or c0 times sqrt 2) last
  int delta_order = 2;          ///< 0, 1 (delta) or 2 (delta and delta-delta)
  int delta_window = 2;
};

/// Applies `preset` to the other fields. Throws UsageError for an unknown preset, a field that was
/// set to something else than the preset's, or values that make no sense.
FeatureOptions resolve(const FeatureOptions& options);

/// Width of a feature vector, deltas included.
int feature_dimension(const FeatureOptions& options);

template <class Visitor>
void describe(Visitor& field, FeatureOptions& o) {
  field("preset", o.preset, "mfcc39, fbank123, fbank153, or empty for the fields below");
  field("type", o.type, "fbank or mfcc");
  field("sample_rate", o.sample_rate, "Hz");
  field("frame_length_ms", o.frame_length_ms, "ms");
  field("frame_shift_ms", o.frame_shift_ms, "ms");
  field("preemphasis", o.preemphasis, "coefficient");
  field("window", o.window, "povey, hamming, hanning, blackman or rectangular");
  field("remove_dc", o.remove_dc, "subtract the frame's mean");
  field("snip_edges", o.snip_edges, "only whole frames");
  field("dither", o.dither, "standard deviation in 16-bit sample units");
  field("low_hz", o.low_hz, "Hz, lower edge of the mel bank");
  field("high_hz", o.high_hz, "Hz, upper edge, 0 or negative: from half the sample rate");
  field("bins", o.bins, "mel bins");
  field("cepstra", o.cepstra, "MFCC coefficients");
  field("cepstral_lifter", o.cepstral_lifter, "MFCC lifter");
  field("energy", o.energy, "log energy");
  field("raw_energy", o.raw_energy, "energy before pre-emphasis and window");
  field("htk_compat", o.htk_compat, "energy last");
  field("delta_order", o.delta_order, "0, 1 or 2");
  field("delta_window", o.delta_window, "frames on each side");
}

}  // namespace ernn
