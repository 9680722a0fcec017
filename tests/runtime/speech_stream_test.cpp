// Speech that comes in pieces gives the phones of the whole utterance.
#include "train/speech_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/options.h"
#include "export/emulator.h"
#include "export/quantise.h"
#include "export/reference.h"
#include "features/normalisation.h"
#include "tests/export/random_network.h"
#include "tests/support/decoder_model.h"
#include "train/label_delay.h"

namespace ernn {
namespace {

constexpr int kFeatures = 39;

std::vector<float> noise(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1000);
  std::vector<float> samples(count);
  float smooth = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float slow = static_cast<float>((i / 900) % 5) / 5;
    smooth = slow * smooth + normal(random);
    samples[i] = smooth;
  }
  return samples;
}

ModelContext made_up_context(DecoderType decoder, int delay) {
  ModelContext context;
  context.features.preset = "mfcc39";
  context.phones = PhoneInventory::timit39;
  context.criterion = decoder == DecoderType::ctc_greedy ? Criterion::ctc : Criterion::frame;
  context.label_delay = delay;
  context.decoder.type = decoder;
  context.decoder.lm_weight = 0.5;
  context.decoder.min_duration = 2;
  const int classes = static_cast<int>(phone_symbols(context.phones).size());
  context.decoder_model = estimate_decoder_model({{1, 2, 3}}, {{1, 1, 2, 3}}, classes);
  NormalisationEstimator estimator;
  estimator.add(FeatureExtractor(context.features).compute(noise(40000, 1)));
  const Normalisation normalisation = estimator.finish();
  context.mean = normalisation.mean;
  context.inverse_std = normalisation.inverse_std;
  return context;
}

ModelFile made_up_model(const ModelContext& context) {
  ModelOptions options;
  options.inputs = kFeatures;
  options.outputs = output_count(context.phones, context.criterion);
  options.layers = {lstm_layer(32, 16, {8, 8, 8}), gru_layer(32, GruReset::before, {8, 8, 1})};
  ModelFile model = random_model(options, 3, 4);
  model.context = to_json_text(context);
  return model;
}

/// What the network is fed for the whole utterance.
FrameMatrix network_input(const ModelContext& context, const std::vector<float>& samples) {
  FrameMatrix features = FeatureExtractor(context.features).compute(samples);
  Normalisation{context.mean, context.inverse_std}.apply(features);
  return with_delay_frames(features, context.label_delay);
}

std::vector<int> emulated_phones(const QuantisedNetwork& network, const ModelContext& context,
                                 const std::vector<float>& samples) {
  std::int64_t saturations = 0;
  const FrameMatrix input = network_input(context, samples);
  Emulator emulator(network);
  FrameMatrix logits(0, network.outputs());
  for (const auto& codes : quantise_frames(input, network.input_format(), saturations)) {
    for (const std::int32_t code : emulator.step(codes))
      logits.data.push_back(static_cast<float>(dequantise(code, network.logit_format())));
    ++logits.rows;
  }
  return decode_utterance(context, logits);
}

std::vector<int> reference_phones(const ModelFile& model, const ModelContext& context,
                                  const std::vector<float>& samples) {
  const FrameMatrix input = network_input(context, samples);
  Reference reference(FloatNetwork::from_model(model));
  FrameMatrix logits(0, model.options.outputs);
  for (int t = 0; t < input.rows; ++t) {
    for (const double logit :
         reference.step(std::vector<double>(input.row(t), input.row(t) + input.cols)))
      logits.data.push_back(static_cast<float>(logit));
    ++logits.rows;
  }
  return decode_utterance(context, logits);
}

/// Phones of pieces of a few milliseconds; their times must follow each other.
std::vector<int> streamed_phones(const std::shared_ptr<const Engine>& engine,
                                 const ModelContext& context, const std::vector<float>& samples) {
  SpeechStream stream(engine, context);
  std::vector<int> phones;
  long long end = 0;
  const auto sink = [&](const PhoneSpan& span) {
    phones.push_back(span.phone);
    EXPECT_GE(span.start, end);
    EXPECT_GT(span.end, span.start);
    end = span.end;
  };
  constexpr std::size_t kPiece = 77;
  for (std::size_t at = 0; at < samples.size(); at += kPiece)
    stream.push(&samples[at], std::min(kPiece, samples.size() - at), sink);
  stream.finish(sink);
  const auto frames =
      static_cast<long long>(FeatureExtractor(context.features).compute(samples).rows);
  EXPECT_LE(end, frames);
  EXPECT_EQ(stream.frame_seconds().size(),
            static_cast<std::size_t>(frames > 0 ? frames + context.label_delay : 0));
  return phones;
}

TEST(SpeechStream, GivesThePhonesOfTheWholeUtterance) {
  for (const DecoderType decoder :
       {DecoderType::greedy, DecoderType::viterbi, DecoderType::ctc_greedy}) {
    for (const int delay : {0, 5}) {
      SCOPED_TRACE(std::string(name_of(decoder)) + ", delay " + std::to_string(delay));
      const ModelContext context = made_up_context(decoder, delay);
      const ModelFile model = made_up_model(context);
      const FloatNetwork network = FloatNetwork::from_model(model);
      const QuantisedNetwork quantised =
          quantise_at(network, {network_input(context, noise(16000, 2))}, 12);
      const auto fixed = Engine::from_network(quantised, model.context);
      const auto floats = Engine::from_model(model);
      for (const std::size_t samples : {0, 300, 400, 700, 16000, 40000}) {
        const std::vector<float> speech = noise(samples, 3);
        const std::vector<int> phones = streamed_phones(fixed, context, speech);
        EXPECT_EQ(phones, emulated_phones(quantised, context, speech)) << samples << " samples";
        EXPECT_EQ(streamed_phones(floats, context, speech),
                  reference_phones(model, context, speech))
            << samples << " samples";
        if (samples >= 16000) {
          EXPECT_GT(phones.size(), 3U);
        }
      }
    }
  }
}

TEST(SpeechStream, RefusesContextsThatDoNotFit) {
  const ModelContext context = made_up_context(DecoderType::viterbi, 2);
  const auto engine = Engine::from_model(made_up_model(context));
  ModelContext other = context;
  other.decoder.type = DecoderType::ctc_greedy;
  EXPECT_THROW(SpeechStream(engine, other), UsageError);
  other = context;
  other.phones = PhoneInventory::timit61;
  EXPECT_THROW(SpeechStream(engine, other), DataError);
  other = context;
  other.features.preset = "fbank123";
  EXPECT_THROW(SpeechStream(engine, other), DataError);
}

}  // namespace
}  // namespace ernn
