// Log-mel filter bank energies and MFCC, as Kaldi computes them.
#pragma once

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "base/frame_matrix.h"
#include "features/cepstrum.h"
#include "features/feature_options.h"
#include "features/framing.h"
#include "features/mel_bank.h"
#include "features/power_spectrum.h"

namespace ernn {

/// Computes features of one setting. Follows compute-fbank-feats and compute-mfcc-feats of Kaldi,
/// then add-deltas; agreement is to rounding (1e-3 and better on log energies). May be used from
/// several threads at once.
class FeatureExtractor {
 public:
  /// Resolves the preset. Throws UsageError for options that make no sense.
  explicit FeatureExtractor(const FeatureOptions& options);

  /// Samples on the integer scale at `options().sample_rate` -> [frame_count, dimension()]. Columns
  /// are [E, mel 0, mel 1, ...] (fbank with energy) or [c0, c1, ...], then their deltas and
  /// delta-deltas in the same order. Audio shorter than a frame gives no rows. With dither the
  /// noise depends on the number of samples only, so that results repeat.
  FrameMatrix compute(const std::vector<float>& samples) const;

  int dimension() const;
  const FeatureOptions& options() const { return options_; }

  /// Width of a feature vector without deltas.
  int static_dimension() const;

  /// What computing frames one by one needs; belongs to one thread at a time.
  struct Workspace {
    decltype(std::declval<const PowerSpectrum&>().make_workspace()) spectrum;
    std::vector<double> log_mel, values;
    std::mt19937 noise;
  };
  Workspace make_workspace() const;
  /// The frame whose first sample is samples[begin] to `row` [static_dimension()]; what lies
  /// outside is reflected.
  void compute_statics(const std::vector<float>& samples, long long begin, Workspace& workspace,
                       float* row) const;

 private:
  void finish_frame(Workspace& workspace, double log_energy, float* row) const;

  FeatureOptions options_;
  FrameExtractor frames_;
  PowerSpectrum spectrum_;
  MelBank mel_;
  CepstralTransform cepstrum_;
};

}  // namespace ernn
