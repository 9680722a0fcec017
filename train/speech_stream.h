// From samples to phones while they come in: features, network, decoder.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "features/feature_stream.h"
#include "runtime/engine.h"
#include "train/model_context.h"
#include "train/online_decoder.h"

namespace ernn {

/// One utterance. The phones are those of decoding it as a whole (decode_utterance()), each given
/// as soon as it is certain; frames are counted in speech, the label delay taken off.
class SpeechStream {
 public:
  using Sink = std::function<void(const PhoneSpan& phone)>;

  /// `context` is the engine's, with the decoder that is wanted, and must outlive the stream.
  /// Throws UsageError for a decoder or features that cannot be streamed, DataError for a context
  /// that does not fit the network.
  SpeechStream(const std::shared_ptr<const Engine>& engine, const ModelContext& context);

  /// The next samples, on the integer scale, at the rate of context.features.
  void push(const float* samples, std::size_t count, const Sink& sink);
  /// The end of the speech.
  void finish(const Sink& sink);

  /// Frames that the network has computed, and the seconds that each took: network and decoder.
  const std::vector<float>& frame_seconds() const { return frame_seconds_; }

 private:
  void step(const float* features, const Sink& sink);

  const ModelContext& context_;
  FeatureStream features_;
  Stream network_;
  OnlineDecoder decoder_;
  std::vector<float> last_features_;  ///< empty before the first frame
  std::vector<float> frame_seconds_;
};

}  // namespace ernn
