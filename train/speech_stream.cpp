#include "train/speech_stream.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/options.h"

namespace ernn {

namespace {

int checked_outputs(const Engine& engine, const ModelContext& context) {
  check_decoder(context.decoder, context.criterion);
  const int outputs = output_count(context.phones, context.criterion);
  if (engine.outputs() != outputs) {
    throw DataError(fmt::format(
        "{}: the network has {} outputs, the phones {} with criterion {} need {}", engine.place(),
        engine.outputs(), name_of(context.phones), name_of(context.criterion), outputs));
  }
  const int width = feature_dimension(context.features);
  if (engine.inputs() != width) {
    throw DataError(fmt::format("{}: the network takes {} features, the context describes {}",
                                engine.place(), engine.inputs(), width));
  }
  return outputs;
}

}  // namespace

SpeechStream::SpeechStream(const std::shared_ptr<const Engine>& engine, const ModelContext& context)
    : context_(context),
      features_(context.features),
      network_(engine),
      decoder_(context.decoder_model, context.decoder, checked_outputs(*engine, context)) {}

void SpeechStream::step(const float* features, const Sink& sink) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const float* const posteriors =
      network_.step(features, static_cast<std::size_t>(features_.dimension()));
  std::vector<PhoneSpan> settled;
  // The first outputs belong to frames before the speech.
  if (frame_seconds_.size() >= static_cast<std::size_t>(context_.label_delay))
    settled = decoder_.push(posteriors);
  frame_seconds_.push_back(std::chrono::duration<float>(Clock::now() - start).count());
  for (const PhoneSpan& span : settled) sink(span);
}

void SpeechStream::push(const float* samples, std::size_t count, const Sink& sink) {
  features_.push(samples, count, [&](const float* features) {
    last_features_.assign(features, features + features_.dimension());
    step(features, sink);
  });
}

void SpeechStream::finish(const Sink& sink) {
  features_.finish([&](const float* features) {
    last_features_.assign(features, features + features_.dimension());
    step(features, sink);
  });
  // The last frame again, so that the outputs of the last frames come (train/label_delay.h).
  for (int i = 0; i < context_.label_delay && !last_features_.empty(); ++i)
    step(last_features_.data(), sink);
  for (const PhoneSpan& span : decoder_.finish()) sink(span);
}

}  // namespace ernn
