#include "export/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
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
constexpr int kMostSegmentsLog2 = 20;
constexpr int kMostArgumentBits = 40;
/// Entries of tables, which reach 1.0 with kTableExtraBits more, stay within 32 bits.
constexpr int kWidestGate = 31 - kTableExtraBits;

OrderedJson to_json(const Format& format) {
  return {format.width, format.integer};
}

[[noreturn]] void wrong(const std::string& place, const std::string& what) {
  throw DataError(fmt::format("{}: {}", place, what));
}

/// False for what is no integer too, of which get() would make one.
bool is_between(const Json& json, std::int64_t low, std::int64_t high) {
  if (!json.is_number_integer()) return false;
  const auto value = json.get<std::int64_t>();
  return low <= value && value <= high;
}

std::int64_t get_integer(const Json& json, const std::string& key, std::int64_t low,
                         std::int64_t high, const std::string& place) {
  const Json& found = json.at(key);
  if (!is_between(found, low, high)) {
    wrong(place, fmt::format("'{}' is {}, expected an integer from {} to {}", key, found.dump(),
                             low, high));
  }
  return found.get<std::int64_t>();
}

/// What a signal's format may be.
struct FormatLimits {
  int widest = kWidestFormat;
  int fewest_integer = -kMostIntegerBits;
  int most_integer = kMostIntegerBits;
};

Format get_format(const Json& json, const std::string& key, const std::string& place,
                  const FormatLimits& limits = {}) {
  const auto found = json.find(key);
  if (found == json.end()) wrong(place, fmt::format("no format '{}'", key));
  if (!found->is_array() || found->size() != 2 || !is_between((*found)[0], 2, limits.widest) ||
      !is_between((*found)[1], limits.fewest_integer, limits.most_integer)) {
    wrong(
        place,
        fmt::format("format '{}' is {}, expected [width from 2 to {}, integer bits from {} "
                    "to {}]",
                    key, found->dump(), limits.widest, limits.fewest_integer, limits.most_integer));
  }
  return {(*found)[0].get<int>(), (*found)[1].get<int>()};
}

/// Results of tables lie in [-1, 1): gates have one integer bit.
FormatLimits limits_of(const std::string& format) {
  return format == "gate" ? FormatLimits{kWidestGate, 1, 1} : FormatLimits{};
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
  const std::string where = fmt::format("{}: {}: table '{}'", place, layer.name, name_of(kind));
  const auto integer = [&](const char* key, std::int64_t low, std::int64_t high) {
    return static_cast<int>(get_integer(json, key, low, high, where));
  };
  table.range_log2 = integer("range_log2", 0, kMostIntegerBits);
  table.segments_log2 = integer("segments_log2", 0, kMostSegmentsLog2);
  table.last = integer("last", 0, std::int64_t{1} << layer.gate.fraction());
  const int finest = table.range_log2 + layer.preactivation.fraction();
  if (table.segments_log2 > finest || finest > kMostArgumentBits) {
    wrong(where,
          fmt::format("2^{} segments over [0, 2^{}), which has 2^{} codes of the preactivation "
                      "format {}; expected no more segments than codes and at most 2^{} codes",
                      table.segments_log2, table.range_log2, finest, layer.preactivation.text(),
                      kMostArgumentBits));
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

void get_formats(const Json& json, QuantisedLayer& layer, const std::string& where) {
  std::vector<std::string> needed = format_names(layer.options);
  needed.emplace_back("input");
  for (const auto& [name, member] : layer_formats()) {
    if (std::find(needed.begin(), needed.end(), name) != needed.end())
      layer.*member = get_format(json, name, where, limits_of(name));
  }
  const bool from_table =
      layer.options.type == LayerType::feedforward && has_table(layer.options.activation);
  if (from_table && layer.output != layer.gate) {
    wrong(where,
          fmt::format("format 'output' is {}, expected that of 'gate', {}, in which the table "
                      "gives it",
                      layer.output.text(), layer.gate.text()));
  }
}

QuantisedLayer get_layer(const Json& json, const FloatLayer& outline, const std::string& place) {
  QuantisedLayer layer;
  layer.options = outline.options;
  layer.name = outline.name;
  layer.inputs = outline.inputs;
  const std::string where = place + ": " + layer.name;
  if (json.at("name") != layer.name || json.at("inputs") != layer.inputs ||
      json.at("outputs") != layer.outputs()) {
    wrong(where,
          fmt::format("is {} with {} inputs and {} outputs, expected \"{}\" with {} and {} as in "
                      "the model",
                      json.at("name").dump(), json.at("inputs").dump(), json.at("outputs").dump(),
                      layer.name, layer.inputs, layer.outputs()));
  }
  get_formats(json.at("formats"), layer, where);
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
    layer.cell_clip_code = get_integer(json, "cell_clip_code", 0, layer.cell.largest(), where);
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
