#include "export/folding.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace ernn {

namespace {

bool is_power_of_two(int number) {
  return number > 0 && (number & (number - 1)) == 0;
}

void check_divides(const std::string& name, int value, int number, const std::string& of) {
  if (value > 0 && number % value == 0) return;
  throw UsageError(fmt::format("{}: {} does not divide {}, {} (divisors: {})", name, value, of,
                               number, divisors(number)));
}

void check_matrix(const MatrixFolding& folding, const MatrixShape& shape, int gates, int group) {
  const auto name = [&](const char* constant) { return shape.name + "." + constant; };
  if (folding.rows_parallel < 1 || folding.rows_parallel > shape.block_rows()) {
    throw UsageError(fmt::format("{}: found {}, expected 1 to {}, the number of block rows",
                                 name("rows_parallel"), folding.rows_parallel, shape.block_rows()));
  }
  check_divides(name("cols_parallel"), folding.cols_parallel, shape.block_cols(),
                "the blocks of a row");
  check_divides(name("inverses_parallel"), folding.inverses_parallel, folding.rows_parallel,
                "rows_parallel");
  check_divides(name("inverses_parallel"), folding.inverses_parallel, shape.block_rows(),
                "the number of block rows");
  if (!is_power_of_two(folding.inverses_parallel)) {
    throw UsageError(fmt::format("{}: {} is no power of two", name("inverses_parallel"),
                                 folding.inverses_parallel));
  }
  if (group > 0) {
    check_divides(name("inverses_parallel"), folding.inverses_parallel, gates * group / shape.block,
                  "the block rows of a unit group");
  }
}

/// Fills in and checks what recurrent layers have beside their matrices.
void resolve_units(LayerFolding& folding, const LayerOptions& layer, const std::string& name) {
  const int smallest = smallest_unit_group(layer);
  if (folding.unit_group == 0) folding.unit_group = smallest;
  if (folding.unit_group % smallest != 0 || !is_power_of_two(folding.unit_group)) {
    throw UsageError(fmt::format(
        "{}.unit_group: found {}, expected a power of two from {}, the largest block of its gates",
        name, folding.unit_group, smallest));
  }
  check_divides(name + ".unit_group", folding.unit_group, layer.size, "the layer's size");
  check_divides(name + ".units_parallel", folding.units_parallel, folding.unit_group, "unit_group");
}

}  // namespace

std::string divisors(int number) {
  std::vector<std::string> list;
  for (int d = 1; d <= number; ++d) {
    if (number % d == 0) list.push_back(std::to_string(d));
  }
  return join(list, ", ");
}

int gates_of(const LayerOptions& layer, int matrix) {
  switch (layer.type) {
    case LayerType::lstm:
      return matrix < 2 ? 4 : 1;
    case LayerType::gru:
      return 3 - matrix;
    case LayerType::feedforward:
      break;
  }
  return 1;
}

bool in_unit_groups(const LayerOptions& layer, int matrix) {
  return layer.type == LayerType::gru || (layer.type == LayerType::lstm && matrix < 2);
}

int smallest_unit_group(const LayerOptions& layer) {
  return std::max(layer.block.input, layer.block.recurrent);
}

std::vector<int> row_order(const MatrixShape& shape, int gates, int group) {
  const int rows = shape.block_rows();
  const int of_gate = rows / gates;
  const int in_group = gates == 1 ? rows : group / shape.block;
  std::vector<int> order;
  for (int first = 0; first < of_gate; first += in_group) {
    for (int gate = 0; gate < gates; ++gate) {
      for (int i = 0; i < in_group; ++i) order.push_back(gate * of_gate + first + i);
    }
  }
  return order;
}

Folding unfolded(const ModelOptions& model) {
  Folding folding;
  for (const LayerOptions& layer : model.layers) {
    const std::size_t matrices = layer.type == LayerType::feedforward                     ? 1
                                 : layer.type == LayerType::lstm && layer.projection == 0 ? 2
                                                                                          : 3;
    LayerFolding& one = folding.layers.emplace_back();
    one.matrices.resize(matrices);
    if (layer.type != LayerType::feedforward) one.unit_group = smallest_unit_group(layer);
  }
  folding.layers.emplace_back().matrices.resize(1);
  return folding;
}

Folding resolve(Folding folding, const ModelOptions& model) {
  const Folding plain = unfolded(model);
  if (folding.layers.empty()) folding.layers = plain.layers;
  if (folding.layers.size() != plain.layers.size()) {
    throw UsageError(
        fmt::format("folding.layers: found {}, expected {}, one a layer and the output",
                    folding.layers.size(), plain.layers.size()));
  }
  if (folding.streams < 1 || folding.streams > kMostStreams) {
    throw UsageError(
        fmt::format("folding.streams: found {}, expected 1 to {}", folding.streams, kMostStreams));
  }
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  auto shape = shapes.begin();
  for (std::size_t l = 0; l < folding.layers.size(); ++l) {
    LayerFolding& layer = folding.layers[l];
    const LayerOptions options = l < model.layers.size() ? model.layers[l] : LayerOptions{};
    const bool recurrent = l < model.layers.size() && options.type != LayerType::feedforward;
    const std::string name =
        l < model.layers.size() ? fmt::format("layers.{}", l) : std::string("output");
    if (layer.matrices.empty()) layer.matrices = plain.layers[l].matrices;
    if (layer.matrices.size() != plain.layers[l].matrices.size()) {
      throw UsageError(fmt::format("{}.matrices: found {}, expected {}", name,
                                   layer.matrices.size(), plain.layers[l].matrices.size()));
    }
    if (recurrent) resolve_units(layer, options, name);
    for (std::size_t m = 0; m < layer.matrices.size(); ++m, ++shape) {
      const int index = static_cast<int>(m);
      check_matrix(layer.matrices[m], *shape, recurrent ? gates_of(options, index) : 1,
                   recurrent && in_unit_groups(options, index) ? layer.unit_group : 0);
    }
  }
  return folding;
}

}  // namespace ernn
