#include "models/options.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/options.h"
#include "base/text.h"

namespace ernn {

const std::vector<std::pair<LayerType, const char*>>& enum_names(LayerType) {
  static const std::vector<std::pair<LayerType, const char*>> names = {
      {LayerType::lstm, "lstm"}, {LayerType::gru, "gru"}, {LayerType::feedforward, "feedforward"}};
  return names;
}

const std::vector<std::pair<GruReset, const char*>>& enum_names(GruReset) {
  static const std::vector<std::pair<GruReset, const char*>> names = {{GruReset::before, "before"},
                                                                      {GruReset::after, "after"}};
  return names;
}

const std::vector<std::pair<Activation, const char*>>& enum_names(Activation) {
  static const std::vector<std::pair<Activation, const char*>> names = {
      {Activation::none, "none"},
      {Activation::sigmoid, "sigmoid"},
      {Activation::tanh, "tanh"},
      {Activation::relu, "relu"}};
  return names;
}

namespace {

constexpr int kLargestBlock = 64;
// Far above any acoustic model, and far below where numbers of rows and columns overflow.
constexpr int kLargestSize = 65536;

void check_size(const std::string& where, int size) {
  if (size <= 0) throw UsageError(fmt::format("{}: {} is not positive", where, size));
  if (size > kLargestSize)
    throw UsageError(fmt::format("{}: found {}, expected {} or less", where, size, kLargestSize));
}

void check_block(const std::string& where, int block) {
  if (!is_block_size(block)) {
    throw UsageError(
        fmt::format("{}: block size {} is not one of 1, 2, 4, 8, 16, 32, 64", where, block));
  }
}

void check_gate_rows(const std::string& where, int size, int block) {
  check_block(where, block);
  if (size % block == 0) return;
  std::vector<std::string> suitable;
  for (int k = 1; k <= kLargestBlock && size % k == 0; k *= 2)
    suitable.push_back(std::to_string(k));
  throw UsageError(
      fmt::format("{}: block size {} does not divide the layer's size {}; suitable: {}", where,
                  block, size, join(suitable, ", ")));
}

// What only layers of another type have must be as it is by default: it would do nothing. Not so
// peepholes, whose default is to have them and of which `false` is true of any other layer, and
// block sizes, which with_blocks() sets for all layers alike.
void check_options_of_type(const std::string& where, const LayerOptions& layer) {
  const LayerOptions defaults;
  const auto only = [&](LayerType type, const char* key, bool is_default) {
    if (layer.type == type || is_default) return;
    throw UsageError(fmt::format("{}.{}: only {} layers have it, this one is of type {}", where,
                                 key, name_of(type), name_of(layer.type)));
  };
  only(LayerType::lstm, "projection", layer.projection == defaults.projection);
  only(LayerType::lstm, "cell_clip", layer.cell_clip == defaults.cell_clip);
  only(LayerType::gru, "reset", layer.reset == defaults.reset);
  only(LayerType::feedforward, "activation", layer.activation == defaults.activation);
  only(LayerType::feedforward, "offsets", layer.offsets == defaults.offsets);
}

void check_offsets(const std::string& where, const std::vector<int>& offsets) {
  if (offsets.empty()) throw UsageError(fmt::format("{}: found none, expected 0 at least", where));
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] > offsets[i - 1]) continue;
    throw UsageError(fmt::format("{}: found {} behind {}, expected ascending frames", where,
                                 offsets[i], offsets[i - 1]));
  }
  if (offsets.back() > 0) {
    throw UsageError(
        fmt::format("{0}: found {1}, expected 0 or less, since a stream has no later frames; lower "
                    "all offsets by {1} and raise context.label_delay by {1}",
                    where, offsets.back()));
  }
  if (offsets.front() < -kLongestReach) {
    throw UsageError(
        fmt::format("{}: found {}, expected {} or more", where, offsets.front(), -kLongestReach));
  }
}

}  // namespace

bool is_block_size(long long k) {
  return k >= 1 && k <= kLargestBlock && (k & (k - 1)) == 0;
}

void validate(const ModelOptions& options) {
  check_size("model.inputs", options.inputs);
  check_size("model.outputs", options.outputs);
  if (!(options.dropout >= 0 && options.dropout < 1))
    throw UsageError(fmt::format("model.dropout: {} is outside [0, 1)", options.dropout));
  for (std::size_t i = 0; i < options.layers.size(); ++i) {
    const LayerOptions& layer = options.layers[i];
    const std::string where = fmt::format("model.layers.{}", i);
    check_options_of_type(where, layer);
    check_size(where + ".size", layer.size);
    if (layer.projection < 0)
      throw UsageError(fmt::format("{}.projection: {} is negative", where, layer.projection));
    if (layer.projection > 0) check_size(where + ".projection", layer.projection);
    if (!(layer.cell_clip >= 0))
      throw UsageError(fmt::format("{}.cell_clip: {} is negative", where, layer.cell_clip));
    check_offsets(where + ".offsets", layer.offsets);
    if (layer.type == LayerType::feedforward) {
      check_block(where + ".block.input", layer.block.input);
      continue;
    }
    check_gate_rows(where + ".block.input", layer.size, layer.block.input);
    check_gate_rows(where + ".block.recurrent", layer.size, layer.block.recurrent);
    if (layer.type == LayerType::lstm)
      check_block(where + ".block.projection", layer.block.projection);
  }
  check_block("model.output_block", options.output_block);
}

ModelOptions with_blocks(ModelOptions options, const BlockSizes& block, int output_block) {
  for (auto& layer : options.layers) layer.block = block;
  options.output_block = output_block;
  return options;
}

long long MatrixShape::stored() const {
  return static_cast<long long>(block_rows()) * block_cols() * block;
}

std::vector<MatrixShape> matrix_shapes(const ModelOptions& options) {
  std::vector<MatrixShape> shapes;
  int inputs = options.inputs;
  for (std::size_t i = 0; i < options.layers.size(); ++i) {
    const LayerOptions& layer = options.layers[i];
    const std::string prefix = fmt::format("layers.{}.", i);
    switch (layer.type) {
      case LayerType::lstm:
        shapes.push_back({prefix + "input", 4 * layer.size, inputs, layer.block.input});
        shapes.push_back(
            {prefix + "recurrent", 4 * layer.size, layer.outputs(), layer.block.recurrent});
        if (layer.projection > 0) {
          shapes.push_back(
              {prefix + "projection", layer.projection, layer.size, layer.block.projection});
        }
        break;
      case LayerType::gru:
        shapes.push_back({prefix + "input", 3 * layer.size, inputs, layer.block.input});
        shapes.push_back({prefix + "recurrent", 2 * layer.size, layer.size, layer.block.recurrent});
        shapes.push_back({prefix + "candidate", layer.size, layer.size, layer.block.recurrent});
        break;
      case LayerType::feedforward:
        shapes.push_back({prefix + "input", layer.size,
                          inputs * static_cast<int>(layer.offsets.size()), layer.block.input});
        break;
    }
    inputs = layer.outputs();
  }
  shapes.push_back({"output.input", options.outputs, inputs, options.output_block});
  return shapes;
}

int block_multiplications(int k) {
  return k == 1 ? 1 : 2 + 3 * (k / 2 - 1);
}

int transform_multiplications(int k) {
  if (k <= 4) return 0;
  int rotations = 0;
  for (int b = 1; b < k / 4; ++b) rotations += 8 * b == k ? 2 : 4;
  return 2 * transform_multiplications(k / 2) + rotations;
}

long long multiplications(const MatrixShape& shape) {
  const long long p = shape.block_rows();
  const long long q = shape.block_cols();
  return p * q * block_multiplications(shape.block) +
         (p + q) * transform_multiplications(shape.block);
}

long long multiplications(const ModelOptions& options) {
  long long count = 0;
  for (const auto& shape : matrix_shapes(options)) count += multiplications(shape);
  return count;
}

long long parameter_count(const ModelOptions& options) {
  long long count = options.outputs;
  for (const auto& shape : matrix_shapes(options)) count += shape.stored();
  for (const auto& layer : options.layers) {
    switch (layer.type) {
      case LayerType::lstm:
        count += (layer.peepholes ? 7LL : 4LL) * layer.size;
        break;
      case LayerType::gru:
        count += (layer.reset == GruReset::after ? 4LL : 3LL) * layer.size;
        break;
      case LayerType::feedforward:
        count += layer.size;
        break;
    }
  }
  return count;
}

}  // namespace ernn
