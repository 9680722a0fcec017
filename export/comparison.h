// How far fixed point is from real numbers, signal by signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/frame_matrix.h"
#include "export/float_network.h"
#include "export/quantised_network.h"

namespace ernn {

/// One traced signal of the emulator beside the reference's, over all frames.
struct SignalError {
  std::string signal;
  Format format;
  double largest = 0;  ///< of the reference's magnitudes
  /// Energy of the signal over that of the error: infinite without error, -infinite where all of
  /// the signal is 0 and the emulator's is not.
  double snr_db = 0;
  double worst = 0;  ///< largest |error|
  std::int64_t saturations = 0;
  std::int64_t values = 0;
};

/// "52.1", "exact" for an infinite SNR, "no signal" for -infinity.
std::string snr_text(double snr_db);

/// Receives the logits of an utterance [frames, outputs]: the reference's and the emulator's.
using LogitSink = std::function<void(std::size_t utterance, const FrameMatrix& reference,
                                     const FrameMatrix& emulated)>;

/// Runs both over normalised utterances [frames, inputs], each from the initial state. The first
/// entry is "input", the quantised features against the features.
std::vector<SignalError> compare_with_reference(const FloatNetwork& network,
                                                const QuantisedNetwork& quantised,
                                                const std::vector<FrameMatrix>& utterances,
                                                const LogitSink& sink = {});

}  // namespace ernn
