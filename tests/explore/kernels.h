// Models and folds for the tests of explore/.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "explore/choose_folding.h"
#include "explore/dataflow_simulation.h"
#include "explore/kernel_plan.h"
#include "explore/timing.h"

namespace ernn {

inline LayerOptions lstm_layer(int size, int projection, int k) {
  LayerOptions layer;
  layer.type = LayerType::lstm;
  layer.size = size;
  layer.projection = projection;
  layer.block = {k, k, k};
  return layer;
}

inline LayerOptions gru_layer(int size, GruReset reset, int k) {
  LayerOptions layer;
  layer.type = LayerType::gru;
  layer.size = size;
  layer.reset = reset;
  layer.block = {k, k, k};
  return layer;
}

inline LayerOptions feedforward_layer(int size, int k) {
  LayerOptions layer;
  layer.type = LayerType::feedforward;
  layer.size = size;
  layer.activation = Activation::tanh;
  layer.block = {k, k, k};
  return layer;
}

inline ModelOptions model_of(int inputs, int outputs, int output_block,
                             std::vector<LayerOptions> layers) {
  ModelOptions model;
  model.inputs = inputs;
  model.outputs = outputs;
  model.output_block = output_block;
  model.layers = std::move(layers);
  return model;
}

/// The largest divisor of `number` up to `wanted`.
inline int divisor_up_to(int number, int wanted) {
  int best = 1;
  for (int d = 1; d <= std::min(number, wanted); ++d) {
    if (number % d == 0) best = d;
  }
  return best;
}

/// Folds near `rows` x `cols` blocks, `inverses` and `units` for every part of a model.
inline Folding folds_near(const ModelOptions& model, int rows, int cols, int inverses, int units,
                          int groups) {
  Folding folding = unfolded(model);
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  auto shape = shapes.begin();
  for (std::size_t l = 0; l < folding.layers.size(); ++l) {
    LayerFolding& layer = folding.layers[l];
    if (layer.unit_group > 0) {
      while (groups > 1 && model.layers[l].size % (groups * layer.unit_group) != 0) groups /= 2;
      layer.unit_group *= groups;
      layer.units_parallel = divisor_up_to(layer.unit_group, units);
    }
    for (std::size_t m = 0; m < layer.matrices.size(); ++m, ++shape) {
      MatrixFolding& fold = layer.matrices[m];
      fold.rows_parallel = std::min(shape->block_rows(), rows);
      fold.cols_parallel = divisor_up_to(shape->block_cols(), cols);
      const bool grouped =
          layer.unit_group > 0 && in_unit_groups(model.layers[l], static_cast<int>(m));
      const int group_rows =
          grouped ? gates_of(model.layers[l], static_cast<int>(m)) * layer.unit_group / shape->block
                  : 0;
      fold.inverses_parallel = 1;
      while (2 * fold.inverses_parallel <= inverses &&
             fold.rows_parallel % (2 * fold.inverses_parallel) == 0 &&
             shape->block_rows() % (2 * fold.inverses_parallel) == 0 &&
             group_rows % (2 * fold.inverses_parallel) == 0)
        fold.inverses_parallel *= 2;
    }
  }
  return resolve(folding, model);
}

inline Platform test_platform() {
  Platform platform;
  platform.name = "test device";
  platform.device = "test";
  platform.dsp = 2760;
  platform.bram36 = 1080;
  platform.lut = 331680;
  platform.ff = 663360;
  return platform;
}

inline KernelPlan plan_for(const ModelOptions& model, const Folding& folding,
                           const StreamDepths& depths = {}, int port_elements = 1) {
  DatapathTable table(test_platform());
  return plan_kernel(model, folding, default_widths(model, {}), table, depths, port_elements);
}

}  // namespace ernn
