#include "train/model_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "train/model_context.h"

namespace ernn {
namespace {

using ::testing::HasSubstr;

ModelFile example() {
  ModelFile model;
  model.options.inputs = 39;
  model.options.outputs = 61;
  LayerOptions layer;
  layer.size = 64;
  layer.projection = 32;
  layer.block = {8, 8, 16};
  model.options.layers = {layer};
  ModelContext context;
  context.run = "demo";
  context.stage = "circulant-k8";
  context.stage_type = "circulant";
  context.label_delay = 3;
  context.seed = 11;
  model.context = to_json_text(context);
  return model;
}

TEST(ModelInfo, CountsWhatIsStored) {
  const std::string text = describe_model(example(), "model.safetensors");
  // input 256 x 39 in blocks of 8: 32 x 5 x 8; recurrent 256 x 32; projection 32 x 64 in 16s;
  // output 61 x 32 dense; biases 256 + 61 and peepholes 3 x 64.
  const long long expected = 1280 + 1024 + 128 + 1952 + 256 + 61 + 192;
  EXPECT_THAT(text,
              HasSubstr(std::to_string(expected) + " parameters: " + std::to_string(32 * expected) +
                        " bits at 32, " + std::to_string(12 * expected) + " bits at 12"));
  EXPECT_THAT(text, ::testing::ContainsRegex("layers.0.input +256 +39 +8 +1280 +5.1 +1.9\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("output.input +61 +32 +dense +1952"));
  EXPECT_THAT(text, ::testing::ContainsRegex("biases, peepholes +509"));
  EXPECT_THAT(text, HasSubstr("lstm 64, projection 32, peepholes"));
  EXPECT_THAT(text, HasSubstr("demo, stage circulant-k8 (circulant), seed 11"));
  EXPECT_THAT(text, HasSubstr("label delay 3 frames"));
}

TEST(ModelInfo, ABrokenContextNamesTheFile) {
  ModelFile model = example();
  model.context = "{";
  try {
    describe_model(model, "model.safetensors");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.safetensors"));
  }
}

}  // namespace
}  // namespace ernn
