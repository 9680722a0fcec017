#include "explore/block_places.h"

#include <fmt/format.h>

#include <stdexcept>

namespace ernn {

namespace {

constexpr int kLargestBlock = 64;

/// Calls `visit(block, size)` for every block size of a model in network order; it must divide
/// `size` (0: any suits).
template <class Model, class Visit>
void for_each_block(Model& model, const Visit& visit) {
  for (auto& layer : model.layers) {
    const bool recurrent = layer.type != LayerType::feedforward;
    visit(layer.block.input, recurrent ? layer.size : 0);
    if (recurrent) visit(layer.block.recurrent, layer.size);
    if (layer.type == LayerType::lstm && layer.projection > 0) visit(layer.block.projection, 0);
  }
  visit(model.output_block, 0);
}

bool is_candidate(const std::string& matrix) {
  const std::string name = ".candidate";
  return matrix.size() > name.size() &&
         matrix.compare(matrix.size() - name.size(), name.size(), name) == 0;
}

}  // namespace

const std::vector<std::pair<Saving, const char*>>& enum_names(Saving) {
  static const std::vector<std::pair<Saving, const char*>> names = {
      {Saving::multiplications, "multiplications"}, {Saving::numbers, "numbers"}};
  return names;
}

std::vector<BlockPlace> block_places(const ModelOptions& model, double gain) {
  std::vector<BlockPlace> places;
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  for (std::size_t m = 0; m < shapes.size(); ++m) {
    // A GRU's candidate matrix follows the recurrent one, whose block size it has.
    if (!is_candidate(shapes[m].name)) places.push_back({shapes[m].name, {}, {1}});
    places.back().matrices.push_back(m);
  }
  std::size_t at = 0;
  for_each_block(model, [&](int /*block*/, int size) {
    BlockPlace& place = places.at(at++);
    for (int k = 2; k <= kLargestBlock && (size == 0 || size % k == 0); k *= 2) {
      const auto before = place_cost(model, place, k / 2, Saving::multiplications);
      const auto after = place_cost(model, place, k, Saving::multiplications);
      if (static_cast<double>(before) < gain * static_cast<double>(after)) break;
      place.sizes.push_back(k);
    }
  });
  return places;
}

ModelOptions with_place_blocks(ModelOptions model, const std::vector<int>& blocks) {
  std::size_t at = 0;
  for_each_block(model, [&](int& block, int /*size*/) { block = blocks.at(at++); });
  if (at != blocks.size()) {
    throw std::logic_error(
        fmt::format("{} block sizes for a model with {} places", blocks.size(), at));
  }
  return model;
}

std::vector<int> uniform_blocks(const std::vector<BlockPlace>& places, int k) {
  std::vector<int> blocks;
  for (const BlockPlace& place : places) {
    int largest = 1;
    for (const int size : place.sizes) {
      if (size <= k) largest = size;
    }
    blocks.push_back(largest);
  }
  return blocks;
}

long long place_cost(const ModelOptions& model, const BlockPlace& place, int k, Saving saving) {
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  long long cost = 0;
  for (const std::size_t m : place.matrices) {
    MatrixShape shape = shapes[m];
    shape.block = k;
    cost += saving == Saving::numbers ? shape.stored() : multiplications(shape);
  }
  return cost;
}

}  // namespace ernn
