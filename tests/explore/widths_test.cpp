#include "explore/widths.h"

#include <gtest/gtest.h>

#include "tests/export/random_network.h"

namespace ernn {
namespace {

/// Every signal that the layers have.
void expect_same(const std::vector<LayerWidths>& found, const std::vector<LayerWidths>& expected,
                 const FloatNetwork& network) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t l = 0; l < found.size(); ++l) {
    const LayerOptions& options = network.layers[l].options;
    const bool recurrent = options.type != LayerType::feedforward;
    EXPECT_EQ(found[l].input, expected[l].input) << l;
    EXPECT_EQ(found[l].bias, expected[l].bias) << l;
    EXPECT_EQ(found[l].output, expected[l].output) << l;
    if (recurrent || has_table(options.activation)) {
      EXPECT_EQ(found[l].gate, expected[l].gate) << l;
      EXPECT_EQ(found[l].preactivation, expected[l].preactivation) << l;
      EXPECT_EQ(found[l].table_segments, expected[l].table_segments) << l;
    }
    if (options.type == LayerType::lstm) {
      EXPECT_EQ(found[l].cell, expected[l].cell) << l;
    }
    ASSERT_EQ(found[l].matrices.size(), expected[l].matrices.size()) << l;
    for (std::size_t m = 0; m < found[l].matrices.size(); ++m) {
      const std::string& name = network.layers[l].matrices[m].shape.name;
      const MatrixWidths &one = found[l].matrices[m], &other = expected[l].matrices[m];
      EXPECT_EQ(one.input, other.input) << name;
      EXPECT_EQ(one.weight, other.weight) << name;
      EXPECT_EQ(one.spectrum, other.spectrum) << name;
      EXPECT_EQ(one.sum, other.sum) << name;
      EXPECT_EQ(one.product, other.product) << name;
    }
  }
}

/// A width of its own for every signal whose name has a place in it, or none, or for all of them.
std::vector<QuantisationOptions> options_for(const FloatNetwork& network) {
  QuantisationOptions plain;
  plain.table_segments = 32;
  std::vector<QuantisationOptions> all(4, plain);
  int width = 12;
  for (const std::string& name : width_names(network)) {
    width = width == 20 ? 12 : width + 1;
    const bool placed = name.find('.') != std::string::npos;
    all[placed ? 1 : 2].widths[name] = width;
    all[3].widths[name] = width;
  }
  return all;
}

TEST(Widths, OfAConfigurationAreThoseThatTheExporterChooses) {
  for (const NamedModel& model : every_kind_of_model()) {
    SCOPED_TRACE(model.name);
    const FloatNetwork network = random_network(model.options, 1);
    const RangeProfile profile =
        profile_ranges(network, random_utterances(1, 20, model.options.inputs, 2));
    for (const QuantisationOptions& options : options_for(network)) {
      expect_same(default_widths(model.options, options),
                  widths_of(quantise(network, profile, options)), network);
    }
  }
}

TEST(Widths, TablesHave64SegmentsUnlessToldOtherwise) {
  const ModelOptions model = every_kind_of_model().front().options;
  QuantisationOptions options;
  EXPECT_EQ(default_widths(model, options).front().table_segments, 64);
  options.table_segments = 16;
  EXPECT_EQ(default_widths(model, options).front().table_segments, 16);
}

}  // namespace
}  // namespace ernn
