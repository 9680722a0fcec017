// Formats that stay while a network changes.
#include "export/trained_formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "export/quantise.h"
#include "tests/export/random_network.h"

namespace ernn {
namespace {

using testing::HasSubstr;

/// Everything that a quantised network consists of but the JSON of its formats.
std::vector<std::vector<std::int32_t>> codes_and_tables(const QuantisedNetwork& network) {
  std::vector<std::vector<std::int32_t>> all;
  for (const QuantisedLayer& layer : network.layers) {
    for (const QuantisedMatrix& matrix : layer.matrices) all.push_back(matrix.codes);
    all.insert(all.end(),
               {layer.bias_codes, layer.candidate_bias_codes, layer.peephole_codes,
                layer.sigmoid.base, layer.sigmoid.slope, layer.tanh.base, layer.tanh.slope});
  }
  return all;
}

TEST(TrainedFormats, GiveTheSameNetworkAgainFromAModelFile) {
  const auto utterances = random_utterances(1, 20, 13, 3);
  for (const NamedModel& named : every_kind_of_model()) {
    ModelFile model = random_model(named.options, 5);
    model.options.dropout = 0.3;
    const FloatNetwork network = FloatNetwork::from_model(model);
    TrainedFormats formats;
    formats.options.bits = 10;
    formats.options.widths["bias"] = 11;
    formats.network = quantise(network, profile_ranges(network, utterances), formats.options);
    EXPECT_FALSE(trained_formats(model, "m").has_value());
    model.tensors.metadata[kFormatsKey] = to_json_text(formats);
    const auto found = trained_formats(model, "m");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(first_difference(found->options, formats.options), "");
    EXPECT_EQ(to_json_text(*found), to_json_text(formats));
    EXPECT_EQ(codes_and_tables(quantise(network, found->network)),
              codes_and_tables(formats.network))
        << named.name;
  }
}

TEST(TrainedFormats, HoldForOtherWeightsWithALimit) {
  const auto utterances = random_utterances(1, 20, 13, 3);
  const ModelOptions options = every_kind_of_model()[0].options;
  const FloatNetwork start = random_network(options, 5);
  TrainedFormats formats;
  formats.network = quantise(start, profile_ranges(start, utterances), formats.options);
  const FloatNetwork larger = random_network(options, 5, 4);
  const RangeProfile profile = profile_ranges(larger, utterances);
  const QuantisedNetwork kept = quantise(larger, profile, formats.options, formats);
  const QuantisedMatrix& before = formats.network.layers[0].matrices[1];
  const QuantisedMatrix& after = kept.layers[0].matrices[1];
  EXPECT_EQ(after.weight, before.weight);
  std::int64_t limits = 0;
  const std::vector<double> values = stored_values(larger.layers[0].matrices[1]);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(after.codes[i], quantise(values[i], before.weight, limits));
  EXPECT_GT(limits, 0);
  // Other options choose anew.
  QuantisationOptions others = formats.options;
  others.guard_bits = 3;
  EXPECT_EQ(first_difference(formats.options, others), "guard_bits is 4 there and 3 here");
  EXPECT_GT(quantise(larger, profile, others, formats).layers[0].matrices[1].weight.integer,
            before.weight.integer);
  EXPECT_GT(
      quantise(larger, profile, formats.options, std::nullopt).layers[0].matrices[1].weight.integer,
      before.weight.integer);
}

TEST(TrainedFormats, RefuseWhatIsBroken) {
  const auto message = [](const ModelFile& model) -> std::string {
    try {
      trained_formats(model, "m.safetensors");
    } catch (const DataError& error) {
      return error.what();
    }
    return "(accepted)";
  };
  const auto models = every_kind_of_model();
  ModelFile model = random_model(models[0].options, 5);
  model.tensors.metadata[kFormatsKey] = "{";
  EXPECT_THAT(message(model), HasSubstr("m.safetensors: broken formats"));
  const FloatNetwork network = FloatNetwork::from_model(model);
  TrainedFormats formats;
  formats.network =
      quantise(network, profile_ranges(network, random_utterances(1, 9, 13, 3)), formats.options);
  auto json = nlohmann::json::parse(to_json_text(formats));
  json["layers"][0]["formats"].erase("cell");
  model.tensors.metadata[kFormatsKey] = json.dump();
  EXPECT_THAT(message(model), HasSubstr("m.safetensors: layers.0: no format 'cell'"));
  model = random_model(models[1].options, 5);
  model.tensors.metadata[kFormatsKey] = to_json_text(formats);
  EXPECT_THAT(message(model), HasSubstr("m.safetensors: its formats belong to a network"));
}

}  // namespace
}  // namespace ernn
