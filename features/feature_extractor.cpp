#include "features/feature_extractor.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>

#include "features/deltas.h"

namespace ernn {

namespace {

int padded_length(int length) {
  int size = 1;
  while (size < length) size *= 2;
  return size;
}

double upper_edge(const FeatureOptions& options) {
  return options.high_hz > 0 ? options.high_hz : options.sample_rate / 2 + options.high_hz;
}

}  // namespace

FeatureExtractor::FeatureExtractor(const FeatureOptions& options)
    : options_(resolve(options)),
      frames_(options_),
      spectrum_(padded_length(frame_length(options_))),
      mel_(options_.bins, spectrum_.size(), options_.sample_rate, options_.low_hz,
           upper_edge(options_)),
      cepstrum_(options_.bins, options_.type == FeatureType::mfcc ? options_.cepstra : 0,
                options_.cepstral_lifter) {}

int FeatureExtractor::dimension() const {
  return feature_dimension(options_);
}

int FeatureExtractor::static_dimension() const {
  return dimension() / (options_.delta_order + 1);
}

FeatureExtractor::Workspace FeatureExtractor::make_workspace() const {
  Workspace workspace;
  workspace.spectrum = spectrum_.make_workspace();
  workspace.log_mel.resize(static_cast<std::size_t>(options_.bins));
  workspace.values.reserve(static_cast<std::size_t>(static_dimension()));
  return workspace;
}

void FeatureExtractor::finish_frame(Workspace& workspace, double log_energy, float* row) const {
  const double* const log_mel = workspace.log_mel.data();
  std::vector<double>& values = workspace.values;
  values.clear();
  if (options_.type == FeatureType::mfcc) {
    values.resize(static_cast<std::size_t>(static_dimension()));
    cepstrum_.apply(log_mel, values.data());
    if (options_.energy) {
      values[0] = log_energy;
    } else if (options_.htk_compat) {
      values[0] *= std::sqrt(2.0);  // HTK scales all rows of the DCT by sqrt(2 / bins)
    }
  } else {
    if (options_.energy) values.push_back(log_energy);
    values.insert(values.end(), log_mel, log_mel + options_.bins);
  }
  const bool first_goes_last =
      options_.htk_compat && (options_.type == FeatureType::mfcc || options_.energy);
  if (first_goes_last) std::rotate(values.begin(), values.begin() + 1, values.end());
  for (std::size_t d = 0; d < values.size(); ++d) row[d] = static_cast<float>(values[d]);
}

void FeatureExtractor::compute_statics(const std::vector<float>& samples, long long begin,
                                       Workspace& workspace, float* row) const {
  const double log_energy =
      frames_.extract(samples, begin, spectrum_.input(*workspace.spectrum), workspace.noise);
  const double* const power = spectrum_.compute(*workspace.spectrum);
  for (int bin = 0; bin < options_.bins; ++bin) {
    workspace.log_mel[static_cast<std::size_t>(bin)] = floored_log(mel_.energy(power, bin));
  }
  finish_frame(workspace, log_energy, row);
}

FrameMatrix FeatureExtractor::compute(const std::vector<float>& samples) const {
  FrameMatrix statics(frame_count(options_, samples.size()), static_dimension());
  Workspace workspace = make_workspace();
  workspace.noise.seed(static_cast<std::mt19937::result_type>(samples.size()));
  for (int t = 0; t < statics.rows; ++t)
    compute_statics(samples, frame_begin(options_, t), workspace, statics.row(t));
  return add_deltas(statics, options_.delta_order, options_.delta_window);
}

}  // namespace ernn
