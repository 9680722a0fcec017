#include "train/model_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/decoder_model.h"

namespace ernn {
namespace {

using ::testing::HasSubstr;

ModelContext example() {
  ModelContext context;
  context.features.preset = "mfcc39";
  context.mean = {0.1, -1e-7, 1.0 / 3};
  context.inverse_std = {1, 2, 3};
  context.phones = PhoneInventory::timit39;
  context.label_delay = 2;
  context.decoder.type = DecoderType::greedy;
  context.decoder_model = estimate_decoder_model({{0, 1}}, {{0, 1, 2}}, 39);
  context.protocol = ScoringProtocol::forgiving;
  context.run = "17";  // text, although it looks like a number
  context.stage = "dense \"a\"";
  context.stage_type = "dense";
  context.seed = 1234567890123;
  return context;
}

TEST(ModelContext, JsonReadsBackAsItWas) {
  const ModelContext context = example();
  const std::string text = to_json_text(context);
  const ModelContext back = model_context_from_json(text, "model.safetensors");
  EXPECT_EQ(back.mean, context.mean);
  EXPECT_EQ(back.decoder_model.log_bigram, context.decoder_model.log_bigram);
  EXPECT_EQ(back.decoder.type, DecoderType::greedy);
  EXPECT_EQ(back.protocol, ScoringProtocol::forgiving);
  EXPECT_EQ(back.run, "17");
  EXPECT_EQ(back.stage, context.stage);
  EXPECT_EQ(back.seed, context.seed);
  EXPECT_EQ(to_json_text(back), text);
}

TEST(ModelContext, BrokenTextIsADataErrorThatNamesTheFile) {
  for (const std::string text : {"", "{", "[]", R"({"label_dely": 1})", R"({"label_delay": "x"})",
                                 R"({"phones": "timit62"})"}) {
    try {
      model_context_from_json(text, "model.safetensors");
      FAIL() << text;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("model.safetensors")) << text;
    }
  }
}

TEST(DecodeUtterance, DropsTheFramesBeforeTheDelay) {
  const ModelContext context = example();
  FrameMatrix logits(5, 39);
  const std::vector<int> best = {7, 7, 3, 4, 4};  // the first two rows come before frame 0
  for (int t = 0; t < 5; ++t) logits.at(t, best[static_cast<std::size_t>(t)]) = 9;
  EXPECT_EQ(decode_utterance(context, logits), (std::vector<int>{3, 4}));
  EXPECT_TRUE(decode_utterance(context, FrameMatrix(2, 39)).empty());
  EXPECT_TRUE(decode_utterance(context, FrameMatrix(1, 39)).empty());
}

TEST(DecodeUtterance, RefusesAWidthOrADecoderThatDoesNotFit) {
  ModelContext context = example();
  EXPECT_THROW(decode_utterance(context, FrameMatrix(5, 40)), UsageError);
  context.criterion = Criterion::ctc;
  EXPECT_THROW(decode_utterance(context, FrameMatrix(5, 40)), UsageError);
  context.decoder.type = DecoderType::ctc_greedy;
  EXPECT_NO_THROW(decode_utterance(context, FrameMatrix(5, 40)));
  EXPECT_THROW(decode_utterance(context, FrameMatrix(5, 39)), UsageError);
  context.criterion = Criterion::frame;
  EXPECT_THROW(decode_utterance(context, FrameMatrix(5, 39)), UsageError);
}

}  // namespace
}  // namespace ernn
