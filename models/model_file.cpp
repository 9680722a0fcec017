#include "models/model_file.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/options.h"

namespace ernn {

namespace {

using Shape = std::vector<std::int64_t>;

void check_tensor(const TensorFile& file, const std::string& name, const Shape& shape,
                  const std::string& path) {
  for (const double value : file.get(name, shape, path).as_doubles()) {
    if (!std::isfinite(value))
      throw DataError(fmt::format("{}: tensor '{}' holds a value that is not finite", path, name));
  }
}

}  // namespace

ModelFile ModelFile::load(const std::filesystem::path& path) {
  ModelFile model;
  const std::string name = path.string();
  model.tensors = TensorFile::load(path);
  const auto options = model.tensors.metadata.find(kModelKey);
  if (options == model.tensors.metadata.end()) {
    throw DataError(fmt::format("{}: no '{}' in its metadata, so it is not a model of this program",
                                name, kModelKey));
  }
  try {
    model.options = read_options<ModelOptions>(
        ConfigNode::from_json(nlohmann::json::parse(options->second), name));
    validate(model.options);
    model.context = model.tensors.metadata[kContextKey];
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: broken metadata: {}", name, error.what()));
  } catch (const UsageError& error) {
    throw DataError(fmt::format("{}: {}", name, error.what()));
  }
  for (const auto& shape : matrix_shapes(model.options)) {
    check_tensor(model.tensors, shape.name + ".weight",
                 shape.block == 1 ? Shape{shape.rows, shape.cols}
                                  : Shape{shape.block_rows(), shape.block_cols(), shape.block},
                 name);
  }
  for (std::size_t i = 0; i < model.options.layers.size(); ++i) {
    const LayerOptions& layer = model.options.layers[i];
    const std::string prefix = fmt::format("layers.{}.", i);
    const int gates = layer.type == LayerType::lstm ? 4 : layer.type == LayerType::gru ? 3 : 1;
    check_tensor(model.tensors, prefix + "bias", {gates * layer.size}, name);
    if (layer.type == LayerType::lstm && layer.peepholes)
      check_tensor(model.tensors, prefix + "peephole", {3, layer.size}, name);
    if (layer.type == LayerType::gru && layer.reset == GruReset::after) {
      check_tensor(model.tensors, prefix + "candidate_bias", {layer.size}, name);
    }
  }
  check_tensor(model.tensors, "output.bias", {model.options.outputs}, name);
  return model;
}

}  // namespace ernn
