// Networks with seeded random weights, and frames to feed them.
#pragma once

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/frame_matrix.h"
#include "base/options.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/quantise.h"
#include "models/model_file.h"
#include "models/options.h"

namespace ernn {

/// A model file in memory. `gain` scales the matrices: at 1 a unit-variance input gives
/// pre-activations of about unit variance.
inline ModelFile random_model(const ModelOptions& options, unsigned seed, double gain = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  ModelFile model;
  model.options = options;
  model.context = "{}";
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                       double scale) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(scale * normal(random)));
    model.tensors.tensors[name] = RawTensor::from_floats(values, shape);
  };
  for (const FloatLayer& layer : layer_outlines(options)) {
    for (const FloatMatrix& matrix : layer.matrices) {
      const MatrixShape& s = matrix.shape;
      const double scale = gain / std::sqrt(s.cols);
      if (s.block == 1) {
        add(s.name + ".weight", {s.rows, s.cols}, scale);
      } else {
        add(s.name + ".weight", {s.block_rows(), s.block_cols(), s.block}, scale);
      }
    }
    add(layer.name + ".bias", {gate_count(layer.options.type) * layer.options.size}, 0.3);
    if (layer.options.type == LayerType::lstm && layer.options.peepholes)
      add(layer.name + ".peephole", {3, layer.options.size}, 0.3);
    if (layer.options.type == LayerType::gru && layer.options.reset == GruReset::after)
      add(layer.name + ".candidate_bias", {layer.options.size}, 0.3);
  }
  model.tensors.metadata[kModelKey] = write_options(options).to_json().dump();
  model.tensors.metadata[kContextKey] = model.context;
  return model;
}

inline FloatNetwork random_network(const ModelOptions& options, unsigned seed, double gain = 1) {
  return FloatNetwork::from_model(random_model(options, seed, gain));
}

/// Smooth unit-variance sequences, as features are.
inline std::vector<FrameMatrix> random_utterances(int count, int frames, int dims, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<FrameMatrix> utterances;
  for (int u = 0; u < count; ++u) {
    FrameMatrix matrix(frames, dims);
    for (int t = 0; t < frames; ++t) {
      for (int i = 0; i < dims; ++i) {
        const double before = t > 0 ? matrix.at(t - 1, i) : 0;
        matrix.at(t, i) = static_cast<float>(0.8 * before + 0.6 * normal(random));
      }
    }
    utterances.push_back(std::move(matrix));
  }
  return utterances;
}

/// The network at `bits`, profiled on `utterances`.
inline QuantisedNetwork quantise_at(const FloatNetwork& network,
                                    const std::vector<FrameMatrix>& utterances, int bits) {
  ExportOptions options;
  options.bits = bits;
  return quantise(network, profile_ranges(network, utterances), options);
}

/// Every weight the smallest code of its format, which formats that are chosen for weights never
/// meet: those that were trained or edited may.
inline void make_weights_smallest(QuantisedNetwork& network) {
  for (QuantisedLayer& layer : network.layers) {
    for (QuantisedMatrix& matrix : layer.matrices) {
      for (auto& code : matrix.codes) code = static_cast<std::int32_t>(matrix.weight.smallest());
    }
  }
}

inline LayerOptions lstm_layer(int size, int projection, BlockSizes block) {
  LayerOptions layer;
  layer.type = LayerType::lstm;
  layer.size = size;
  layer.projection = projection;
  layer.block = block;
  return layer;
}

inline LayerOptions gru_layer(int size, GruReset reset, BlockSizes block) {
  LayerOptions layer;
  layer.type = LayerType::gru;
  layer.size = size;
  layer.peepholes = false;
  layer.reset = reset;
  layer.block = block;
  return layer;
}

inline LayerOptions feedforward_layer(int size, Activation activation, int block) {
  LayerOptions layer;
  layer.type = LayerType::feedforward;
  layer.size = size;
  layer.peepholes = false;
  layer.activation = activation;
  layer.block.input = block;
  return layer;
}

/// The layer with frames joined at its input.
inline LayerOptions joining(LayerOptions layer, std::vector<int> offsets) {
  layer.offsets = std::move(offsets);
  return layer;
}

struct NamedModel {
  std::string name;
  ModelOptions options;
};

/// Every layer type with its variants, with sizes that leave padding.
inline std::vector<NamedModel> every_kind_of_model() {
  const auto model = [](const std::string& name, std::vector<LayerOptions> layers,
                        int output_block) {
    ModelOptions options;
    options.inputs = 13;
    options.outputs = 11;
    options.layers = std::move(layers);
    options.output_block = output_block;
    return NamedModel{name, options};
  };
  LayerOptions plain = lstm_layer(16, 0, {4, 8, 1});
  plain.peepholes = false;
  LayerOptions clipped = lstm_layer(16, 10, {8, 4, 4});
  clipped.cell_clip = 0.75;
  return {
      model("lstm", {plain}, 1),
      model("lstm with peepholes", {lstm_layer(16, 0, {1, 1, 1})}, 1),
      model("lstm with projection", {lstm_layer(32, 12, {8, 16, 8}), plain}, 4),
      model("lstm with cell clip", {clipped}, 2),
      model("gru before", {gru_layer(16, GruReset::before, {8, 4, 1})}, 1),
      model("gru after", {gru_layer(16, GruReset::after, {2, 16, 1})}, 8),
      model("dense grus",
            {gru_layer(16, GruReset::before, {1, 1, 1}), gru_layer(8, GruReset::after, {1, 1, 1})},
            1),
      model("feed-forward",
            {feedforward_layer(20, Activation::none, 4), feedforward_layer(18, Activation::relu, 8),
             feedforward_layer(17, Activation::sigmoid, 1),
             feedforward_layer(16, Activation::tanh, 16)},
            1),
      model("tdnn",
            {joining(feedforward_layer(20, Activation::relu, 4), {-3, -1, 0}),
             joining(feedforward_layer(16, Activation::tanh, 8), {-6, -2}),
             joining(feedforward_layer(18, Activation::none, 1), {-1}),
             joining(feedforward_layer(17, Activation::sigmoid, 16), {-1, 0})},
            4),
      model("tdnn around a gru",
            {joining(feedforward_layer(24, Activation::relu, 8), {-2, 0}),
             gru_layer(16, GruReset::before, {8, 4, 1}),
             joining(feedforward_layer(20, Activation::tanh, 4), {-5, -4, -1})},
            1),
      model("everything",
            {lstm_layer(64, 20, {64, 32, 2}), gru_layer(32, GruReset::before, {16, 32, 1}),
             feedforward_layer(24, Activation::tanh, 8)},
            16),
  };
}

}  // namespace ernn
