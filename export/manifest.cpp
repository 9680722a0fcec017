#include "export/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/options.h"
#include "export/artefact.h"
#include "export/float_network.h"
#include "export/signals.h"

namespace ernn {

namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr int kWidestFormat = 32;
constexpr int kMostIntegerBits = 64;

OrderedJson to_json(const Format& format) {
  return {format.width, format.integer};
}

[[noreturn]] void wrong(const std::string& place, const std::string& what) {
  throw DataError(fmt::format("{}: {}", place, what));
}

Format get_format(const Json& json, const std::string& key, const std::string& place) {
  const auto found = json.find(key);
  if (found == json.end()) wrong(place, fmt::format("no format '{}'", key));
  const auto pair = found->get<std::vector<int>>();
  if (pair.size() != 2 || pair[0] < 2 || pair[0] > kWidestFormat ||
      std::abs(pair[1]) > kMostIntegerBits) {
    wrong(place, fmt::format("format '{}' is {}, expected [width up to {}, integer bits]", key,
                             found->dump(), kWidestFormat));
  }
  return {pair[0], pair[1]};
}

/// Formats of a layer by name, in the order of docs/arithmetic.md; unused ones have no width.
std::vector<std::pair<const char*, Format QuantisedLayer::*>> layer_formats() {
  return {{"input", &QuantisedLayer::input},
          {"bias", &QuantisedLayer::bias},
          {"peephole", &QuantisedLayer::peephole},
          {"preactivation", &QuantisedLayer::preactivation},
          {"gate", &QuantisedLayer::gate},
          {"cell", &QuantisedLayer::cell},
          {"reset_hidden", &QuantisedLayer::reset_hidden},
          {"hidden", &QuantisedLayer::hidden},
          {"projected", &QuantisedLayer::projected},
          {"output", &QuantisedLayer::output}};
}

OrderedJson table_json(const ActivationTable& table, const std::string& file) {
  return {{"file", file},
          {"range_log2", table.range_log2},
          {"segments_log2", table.segments_log2},
          {"last", table.last}};
}

std::vector<std::size_t> shape_of(const MatrixShape& shape) {
  if (shape.block == 1)
    return {static_cast<std::size_t>(shape.rows), static_cast<std::size_t>(shape.cols)};
  return {static_cast<std::size_t>(shape.block_rows()),
          static_cast<std::size_t>(shape.block_cols()), static_cast<std::size_t>(shape.block)};
}

OrderedJson layer_json(const QuantisedLayer& layer) {
  OrderedJson json;
  json["name"] = layer.name;
  json["inputs"] = layer.inputs;
  json["outputs"] = layer.outputs();
  OrderedJson& formats = json["formats"] = OrderedJson::object();
  for (const auto& [name, member] : layer_formats()) {
    if ((layer.*member).width > 0) formats[name] = to_json(layer.*member);
  }
  if (layer.options.type == LayerType::lstm) json["cell_clip_code"] = layer.cell_clip_code;
  OrderedJson& matrices = json["matrices"] = OrderedJson::array();
  for (const QuantisedMatrix& matrix : layer.matrices) {
    OrderedJson entry = {{"name", matrix.shape.name},
                         {"rows", matrix.shape.rows},
                         {"cols", matrix.shape.cols},
                         {"block", matrix.shape.block},
                         {"file", "codes/" + matrix.shape.name + ".npy"},
                         {"shape", shape_of(matrix.shape)},
                         {"weight", to_json(matrix.weight)}};
    if (matrix.shape.block > 1) {
      entry["spectrum"] = to_json(matrix.spectrum);
      entry["sum"] = to_json(matrix.sum);
    }
    entry["product"] = to_json(matrix.product);
    matrices.push_back(entry);
  }
  OrderedJson tables = OrderedJson::object();
  if (!layer.sigmoid.base.empty())
    tables["sigmoid"] = table_json(layer.sigmoid, "tables/" + layer.name + ".sigmoid.npy");
  if (!layer.tanh.base.empty())
    tables["tanh"] = table_json(layer.tanh, "tables/" + layer.name + ".tanh.npy");
  json["tables"] = tables;
  return json;
}

ActivationTable get_table(const Json& json, Activation kind, const QuantisedLayer& layer,
                          const std::string& place) {
  ActivationTable table;
  table.kind = kind;
  table.range_log2 = json.at("range_log2").get<int>();
  table.segments_log2 = json.at("segments_log2").get<int>();
  table.last = json.at("last").get<std::int32_t>();
  const int finest = table.range_log2 + layer.preactivation.fraction();
  if (table.segments_log2 < 0 || table.segments_log2 > 20 || table.segments_log2 > finest ||
      finest > 40) {
    wrong(place,
          fmt::format("table '{}' of {} has 2^{} segments over [0, 2^{}) for a preactivation "
                      "format {}, which cannot be",
                      name_of(kind), layer.name, table.segments_log2, table.range_log2,
                      layer.preactivation.text()));
  }
  table.base.resize(std::size_t{1} << table.segments_log2);
  table.slope.resize(table.base.size());
  return table;
}

void get_matrix(const Json& json, QuantisedMatrix& matrix, const std::string& place) {
  const MatrixShape& shape = matrix.shape;
  const auto shape_found = json.at("shape").get<std::vector<std::size_t>>();
  if (json.at("name") != shape.name || json.at("rows") != shape.rows ||
      json.at("cols") != shape.cols || json.at("block") != shape.block ||
      shape_found != shape_of(shape)) {
    wrong(place,
          fmt::format("matrix {} does not suit the model, which has '{}' {}x{} in blocks of {}",
                      json.dump(), shape.name, shape.rows, shape.cols, shape.block));
  }
  const std::string where = place + ": " + shape.name;
  matrix.weight = get_format(json, "weight", where);
  matrix.product = get_format(json, "product", where);
  if (shape.block > 1) {
    matrix.spectrum = get_format(json, "spectrum", where);
    matrix.sum = get_format(json, "sum", where);
  }
}

/// Formats that a layer of this kind needs.
std::vector<std::string> needed_formats(const LayerOptions& options) {
  const bool table =
      options.activation == Activation::sigmoid || options.activation == Activation::tanh;
  if (options.type == LayerType::feedforward)
    return table ? std::vector<std::string>{"input", "bias", "preactivation", "gate", "output"}
                 : std::vector<std::string>{"input", "bias", "output"};
  std::vector<std::string> names = {"input", "bias", "preactivation", "gate", "hidden"};
  if (options.type == LayerType::gru) {
    if (options.reset == GruReset::before) names.emplace_back("reset_hidden");
    return names;
  }
  names.emplace_back("cell");
  if (options.peepholes) names.emplace_back("peephole");
  if (options.projection > 0) names.emplace_back("projected");
  return names;
}

QuantisedLayer get_layer(const Json& json, const FloatLayer& outline, const std::string& place) {
  QuantisedLayer layer;
  layer.options = outline.options;
  layer.name = outline.name;
  layer.inputs = outline.inputs;
  const std::string where = place + ": " + layer.name;
  if (json.at("name") != layer.name || json.at("inputs") != layer.inputs ||
      json.at("outputs") != layer.outputs()) {
    wrong(where, "name, inputs or outputs do not suit the model");
  }
  const std::vector<std::string> needed = needed_formats(layer.options);
  for (const auto& [name, member] : layer_formats()) {
    if (std::find(needed.begin(), needed.end(), name) != needed.end())
      layer.*member = get_format(json.at("formats"), name, where);
  }
  const Json& matrices = json.at("matrices");
  if (matrices.size() != outline.matrices.size()) {
    wrong(where,
          fmt::format("has {} matrices, expected {}", matrices.size(), outline.matrices.size()));
  }
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    QuantisedMatrix matrix;
    matrix.shape = outline.matrices[i].shape;
    get_matrix(matrices[i], matrix, place);
    layer.matrices.push_back(std::move(matrix));
  }
  const auto size = static_cast<std::size_t>(layer.options.size);
  layer.bias_codes.resize(size * static_cast<std::size_t>(gate_count(layer.options.type)));
  const bool recurrent = layer.options.type != LayerType::feedforward;
  if (layer.options.type == LayerType::gru && layer.options.reset == GruReset::after)
    layer.candidate_bias_codes.resize(size);
  if (layer.options.type == LayerType::lstm) {
    if (layer.options.peepholes) layer.peephole_codes.resize(3 * size);
    layer.cell_clip_code = json.at("cell_clip_code").get<std::int64_t>();
  }
  const Json& tables = json.at("tables");
  if (recurrent || layer.options.activation == Activation::sigmoid)
    layer.sigmoid = get_table(tables.at("sigmoid"), Activation::sigmoid, layer, place);
  if (recurrent || layer.options.activation == Activation::tanh)
    layer.tanh = get_table(tables.at("tanh"), Activation::tanh, layer, place);
  return layer;
}

}  // namespace

std::vector<ArrayFile> code_files(QuantisedNetwork& network) {
  std::vector<ArrayFile> files;
  for (QuantisedLayer& layer : network.layers) {
    for (QuantisedMatrix& matrix : layer.matrices) {
      files.push_back({"codes/" + matrix.shape.name + ".npy", shape_of(matrix.shape), matrix.weight,
                       &matrix.codes});
    }
    const auto size = static_cast<std::size_t>(layer.options.size);
    const std::string prefix = "codes/" + layer.name;
    files.push_back({prefix + ".bias.npy",
                     {size * static_cast<std::size_t>(gate_count(layer.options.type))},
                     layer.bias,
                     &layer.bias_codes});
    if (layer.options.type == LayerType::gru && layer.options.reset == GruReset::after)
      files.push_back(
          {prefix + ".candidate_bias.npy", {size}, layer.bias, &layer.candidate_bias_codes});
    if (layer.options.type == LayerType::lstm && layer.options.peepholes)
      files.push_back({prefix + ".peephole.npy", {3, size}, layer.peephole, &layer.peephole_codes});
  }
  return files;
}

std::vector<TableFile> table_files(QuantisedNetwork& network) {
  std::vector<TableFile> files;
  for (QuantisedLayer& layer : network.layers) {
    for (ActivationTable* table : {&layer.sigmoid, &layer.tanh}) {
      if (!table->base.empty())
        files.push_back(
            {fmt::format("tables/{}.{}.npy", layer.name, name_of(table->kind)), table, &layer});
    }
  }
  return files;
}

void put_network(OrderedJson& manifest, const QuantisedNetwork& network) {
  manifest["model"] = write_options(model_options_of(network)).to_json();
  OrderedJson& layers = manifest["layers"] = OrderedJson::array();
  for (const QuantisedLayer& layer : network.layers) layers.push_back(layer_json(layer));
}

QuantisedNetwork get_network(const Json& manifest, const std::string& place) {
  ModelOptions options;
  try {
    options = read_options<ModelOptions>(ConfigNode::from_json(manifest.at("model"), place));
    validate(options);
  } catch (const UsageError& error) {
    wrong(place, error.what());
  }
  const std::vector<FloatLayer> outlines = layer_outlines(options);
  const Json& layers = manifest.at("layers");
  if (layers.size() != outlines.size()) {
    wrong(place, fmt::format("lists {} layers, expected {}", layers.size(), outlines.size()));
  }
  QuantisedNetwork network;
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    network.layers.push_back(get_layer(layers[i], outlines[i], place));
    if (i > 0 && network.layers[i].input != network.layers[i - 1].output_format()) {
      wrong(place, fmt::format("{} takes {}, but the layer before gives {}", outlines[i].name,
                               network.layers[i].input.text(),
                               network.layers[i - 1].output_format().text()));
    }
  }
  return network;
}

ModelOptions model_options_of(const QuantisedNetwork& network) {
  ModelOptions options;
  options.inputs = network.inputs();
  options.outputs = network.outputs();
  for (const QuantisedLayer& layer : network.layers) options.layers.push_back(layer.options);
  options.output_block = options.layers.back().block.input;
  options.layers.pop_back();
  return options;
}

}  // namespace ernn
