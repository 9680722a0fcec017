// Exported networks for the tests of the HLS project: random weights, every kind of layer and
// block.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "export/artefact_writer.h"
#include "tests/export/random_network.h"

namespace ernn {

constexpr int kProjectUtterances = 3;
constexpr int kProjectFrames = 40;

inline ModelOptions project_model(int inputs, int outputs, std::vector<LayerOptions> layers,
                                  int output_block) {
  ModelOptions options;
  options.inputs = inputs;
  options.outputs = outputs;
  options.layers = std::move(layers);
  options.output_block = output_block;
  return options;
}

/// Few networks, since each is a compilation, that have between them: LSTM with and without
/// projection, peepholes and cell clip; GRU with both resets; feed-forward with every activation
/// function and with joined frames of widths odd and even; every block size, also where it does not
/// divide.
inline std::vector<NamedModel> project_models() {
  LayerOptions clipped = lstm_layer(16, 10, {8, 4, 4});
  clipped.cell_clip = 0.75;
  LayerOptions plain = lstm_layer(16, 0, {2, 8, 1});
  plain.peepholes = false;
  plain.cell_clip = 0.5;
  return {
      {"lstm", project_model(13, 11, {clipped, plain}, 2)},
      {"gru", project_model(9, 7,
                            {gru_layer(32, GruReset::before, {16, 32, 1}),
                             gru_layer(16, GruReset::after, {1, 2, 1}),
                             gru_layer(8, GruReset::after, {4, 1, 1})},
                            1)},
      {"feedforward", project_model(10, 6,
                                    {feedforward_layer(20, Activation::none, 4),
                                     feedforward_layer(18, Activation::relu, 8),
                                     feedforward_layer(17, Activation::sigmoid, 1),
                                     feedforward_layer(16, Activation::tanh, 16)},
                                    1)},
      {"tdnn", project_model(9, 7,
                             {joining(feedforward_layer(24, Activation::relu, 8), {-4, -3, -1, 0}),
                              joining(feedforward_layer(20, Activation::relu, 8), {-6, -3, 0}),
                              gru_layer(16, GruReset::before, {8, 8, 1}),
                              joining(feedforward_layer(16, Activation::tanh, 8), {-2})},
                             8)},
      {"large",
       project_model(13, 39,
                     {lstm_layer(64, 20, {64, 32, 2}), gru_layer(64, GruReset::before, {32, 64, 1}),
                      feedforward_layer(24, Activation::tanh, 8)},
                     16)},
  };
}

/// The largest power of two that divides `number`, at most `limit`.
inline int power_of_two_in(int number, int limit) {
  int power = 1;
  while (2 * power <= limit && number % (2 * power) == 0) power *= 2;
  return power;
}

/// Several of everything at a time, where sizes allow, and three streams.
inline Folding busy_folding(const ModelOptions& model) {
  Folding folding = unfolded(model);
  folding.streams = 3;
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  auto shape = shapes.begin();
  for (std::size_t l = 0; l < folding.layers.size(); ++l) {
    LayerFolding& layer = folding.layers[l];
    if (layer.unit_group > 0) {
      const int groups = model.layers[l].size / layer.unit_group;
      layer.unit_group *= power_of_two_in(groups, 2);
      layer.units_parallel = power_of_two_in(layer.unit_group, 4);
    }
    for (MatrixFolding& matrix : layer.matrices) {
      matrix.rows_parallel = power_of_two_in(shape->block_rows(), 4);
      matrix.cols_parallel = power_of_two_in(shape->block_cols(), 2);
      // Two block rows are in every unit group, except of a candidate's that are one.
      matrix.inverses_parallel =
          shape->block == layer.unit_group ? 1 : std::min(2, matrix.rows_parallel);
      ++shape;
    }
  }
  return folding;
}

/// Block rows at a time that do not divide `rows` where there are such: 3, 4 or 2.
inline int uneven_rows(int rows) {
  for (const int at_a_time : {3, 4, 2}) {
    if (at_a_time < rows && rows % at_a_time != 0) return at_a_time;
  }
  return rows;
}

/// The same with a last group of block rows that is no whole one.
inline Folding uneven_folding(const ModelOptions& model) {
  Folding folding = busy_folding(model);
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  auto shape = shapes.begin();
  for (LayerFolding& layer : folding.layers) {
    for (MatrixFolding& matrix : layer.matrices) {
      matrix.rows_parallel = uneven_rows(shape->block_rows());
      if (matrix.rows_parallel % matrix.inverses_parallel != 0 ||
          shape->block_rows() % matrix.inverses_parallel != 0)
        matrix.inverses_parallel = 1;
      ++shape;
    }
  }
  return folding;
}

/// The artefact of one of them in `folder`.
inline QuantisedNetwork write_project(const ModelOptions& options, unsigned seed, int bits,
                                      const std::filesystem::path& folder,
                                      const Folding& folding = {}) {
  const auto utterances =
      random_utterances(kProjectUtterances, kProjectFrames, options.inputs, seed);
  Artefact artefact;
  artefact.network = quantise_at(random_network(options, seed, 1.5), utterances, bits);
  std::int64_t saturations = 0;
  const CodeFrames frames =
      quantise_frames(utterances.front(), artefact.network.input_format(), saturations);
  write_artefact(artefact, make_golden(artefact.network, frames, 8, kProjectFrames), folder,
                 folding);
  return artefact.network;
}

}  // namespace ernn
