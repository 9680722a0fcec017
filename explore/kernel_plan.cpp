#include "explore/kernel_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "export/float_network.h"

namespace ernn {

namespace {

int ceil_divide(int a, int b) {
  return (a + b - 1) / b;
}

int tree_levels(int count) {
  int levels = 0;
  while ((1 << levels) < count) ++levels;
  return levels;
}

/// Depth of `count` terms added as a tree, by the time that one addition takes.
int tree_depth(int count, const Platform& platform) {
  const double usable_ns = platform.logic.usable_period * platform.period_ns();
  constexpr double kMostLevels = 32;  // no count of terms has more
  const int at_a_time =
      static_cast<int>(std::clamp(usable_ns / platform.logic.adder_ns, 1.0, kMostLevels));
  return ceil_divide(tree_levels(count), at_a_time);
}

MatrixPlan plan_matrix(const MatrixShape& shape, const MatrixFolding& fold,
                       const MatrixWidths& widths, int in_elements, DatapathTable& table) {
  MatrixPlan plan;
  plan.shape = shape;
  plan.fold = fold;
  plan.widths = widths;
  plan.p = shape.block_rows();
  plan.q = shape.block_cols();
  plan.k = shape.block;
  plan.in_elements = in_elements;
  // One clock more than the functions take: a memory or a stream is read into registers.
  if (plan.k > 1) {
    plan.transform_depth = 1 + table.forward_fft(plan.k, widths).depth;
    plan.inverse_depth = 1 + table.inverse_fft(plan.k, widths).depth;
  } else {
    plan.transform_depth = 1;
    plan.inverse_depth = 1 + table.narrowing(1, widths.sum, widths.product).depth;
  }
  plan.multiply_depth = 1 + table.block_product(plan.k, widths, plan.q).depth +
                        tree_depth(fold.cols_parallel, table.platform());
  if (plan.k > 1) {
    const int wide = widths.weight + widths.spectrum + 1 + tree_levels(plan.q);
    plan.multiply_depth += table.narrowing(plan.k, wide, widths.sum).depth;
  }
  return plan;
}

/// Words of a product that hold `gates` gates of one group of units.
int words_of_group(const MatrixPlan& matrix, int gates, int group) {
  return gates * group / matrix.out_elements();
}

void plan_units(LayerPlan& layer, DatapathTable& table) {
  const int group = layer.fold.unit_group;
  UnitsPlan plan;
  plan.groups = layer.options.size / group;
  plan.computing = group / layer.fold.units_parallel;
  const MatrixPlan& input = layer.matrices[0];
  const MatrixPlan& recurrent = layer.matrices[1];
  if (layer.options.type == LayerType::lstm) {
    plan.input_words = words_of_group(input, 4, group);
    plan.product_words = words_of_group(recurrent, 4, group);
    plan.depth = 1 + table.lstm_cell(layer.widths, layer.options.peepholes).depth;
    layer.units = {plan};
    return;
  }
  const bool before = layer.options.reset == GruReset::before;
  plan.input_words = words_of_group(input, 3, group);
  plan.product_words = words_of_group(recurrent, 2, group);
  plan.depth = 1 + table.gru_gates(layer.widths, before).depth;
  layer.units.push_back(plan);
  plan.input_words = 0;
  plan.product_words = words_of_group(layer.matrices[2], 1, group);
  plan.depth = 1 + table.gru_candidate(layer.widths, !before).depth;
  layer.units.push_back(plan);
}

void plan_ends(LayerPlan& layer, DatapathTable& table) {
  const MatrixPlan& last = layer.matrices.back();
  if (!layer.recurrent()) {
    const Activation activation = layer.options.activation;
    const bool lookup = has_table(activation);
    layer.out_elements = last.out_elements();
    layer.write_beats = ceil_divide(layer.options.size, layer.out_elements);
    layer.write_depth = 1 + table.output(layer.widths, lookup).depth;
    return;
  }
  const int block = layer.matrices[1].k;
  layer.read_beats = ceil_divide(layer.options.outputs(), block);
  layer.out_elements = layer.projects() ? last.out_elements() : layer.fold.unit_group;
  if (layer.options.type == LayerType::lstm) {
    layer.write_beats = ceil_divide(layer.options.outputs(), layer.out_elements);
    if (layer.projects())
      layer.write_depth = 1 + table.narrowing(1, last.widths.product, layer.widths.output).depth;
  }
}

}  // namespace

int UnitsPlan::slots() const {
  return std::max({computing, input_words, product_words});
}

long long LayerPlan::out_words() const {
  return ceil_divide(options.outputs(), out_elements);
}

long long KernelPlan::read_beats() const {
  const MatrixPlan& first = layers.front().matrices.front();
  // A clock's elements are all of one block.
  return static_cast<long long>(first.q) * ceil_divide(first.k, port_elements);
}

long long KernelPlan::write_beats() const {
  const LayerPlan& last = layers.back();
  // A clock's elements are all of one word, and the last word may end early.
  const int words = last.options.size / last.out_elements;
  return static_cast<long long>(words) * ceil_divide(last.out_elements, port_elements) +
         ceil_divide(last.options.size % last.out_elements, port_elements);
}

KernelPlan plan_kernel(const ModelOptions& model, const Folding& folding,
                       const std::vector<LayerWidths>& widths, DatapathTable& table,
                       const StreamDepths& depths, int port_elements) {
  KernelPlan plan;
  plan.model = model;
  plan.folding = folding;
  plan.depths = depths;
  plan.port_elements = port_elements;
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  auto shape = shapes.begin();
  int in_elements = shapes.front().block;  // the input port hands on blocks
  for (std::size_t l = 0; l < folding.layers.size(); ++l) {
    LayerPlan& layer = plan.layers.emplace_back();
    layer.fold = folding.layers[l];
    layer.widths = widths[l];
    if (l < model.layers.size()) {
      layer.options = model.layers[l];
      layer.name = fmt::format("layers.{}", l);
      if (layer.options.joins_frames()) {
        throw UsageError(
            fmt::format("model.{}.offsets: found {} frames, expected 0 alone: there is no estimate "
                        "of delay lines",
                        layer.name, layer.options.offsets.size()));
      }
    } else {
      layer.options.type = LayerType::feedforward;
      layer.options.size = model.outputs;
      layer.options.projection = 0;
      layer.options.block.input = model.output_block;
      layer.name = "output";
    }
    for (std::size_t m = 0; m < layer.fold.matrices.size(); ++m, ++shape) {
      if (m == 1) in_elements = shape->block;
      if (m == 2) in_elements = layer.fold.unit_group;
      layer.matrices.push_back(plan_matrix(*shape, layer.fold.matrices[m], layer.widths.matrices[m],
                                           in_elements, table));
    }
    if (layer.recurrent()) plan_units(layer, table);
    plan_ends(layer, table);
    in_elements = layer.out_elements;
  }
  return plan;
}

}  // namespace ernn
