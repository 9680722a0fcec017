#include "export/trained_formats.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/options.h"
#include "export/activation_table.h"
#include "export/artefact.h"
#include "export/manifest.h"
#include "export/quantise.h"

namespace ernn {

namespace {

constexpr const char* kOptions = "quantisation";

/// A table is its formats' and the number of its pieces', so only that is stored.
void fill_tables(QuantisedLayer& layer) {
  for (ActivationTable* table : {&layer.sigmoid, &layer.tanh}) {
    if (table->base.empty()) continue;
    *table = make_table(table->kind, layer.preactivation, layer.gate, 1 << table->segments_log2);
  }
}

/// Dropout is no part of what is deployed, and may change from stage to stage.
std::string shape_text(ModelOptions options) {
  options.dropout = 0;
  return write_options(options).to_json().dump();
}

}  // namespace

std::string first_difference(const QuantisationOptions& there, const QuantisationOptions& here) {
  const nlohmann::json a = write_options(there).to_json();
  const nlohmann::json b = write_options(here).to_json();
  for (const auto& [key, value] : a.items()) {
    if (value != b.at(key))
      return fmt::format("{} is {} there and {} here", key, value.dump(), b.at(key).dump());
  }
  return "";
}

std::string to_json_text(const TrainedFormats& formats) {
  nlohmann::ordered_json json;
  json[kOptions] = write_options(formats.options).to_json();
  put_network(json, formats.network);
  return json.dump();
}

TrainedFormats trained_formats_from_json(const std::string& text, const std::string& place) {
  TrainedFormats formats;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    formats.options =
        read_options<QuantisationOptions>(ConfigNode::from_json(json.at(kOptions), place));
    formats.network = get_network(json, place);
    for (QuantisedLayer& layer : formats.network.layers) fill_tables(layer);
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: broken formats: {}", place, error.what()));
  } catch (const UsageError& error) {
    throw DataError(fmt::format("{}: {}", place, error.what()));
  }
  return formats;
}

std::optional<TrainedFormats> trained_formats(const ModelFile& model, const std::string& place) {
  const auto found = model.tensors.metadata.find(kFormatsKey);
  if (found == model.tensors.metadata.end()) return std::nullopt;
  TrainedFormats formats = trained_formats_from_json(found->second, place);
  const std::string there = shape_text(model_options_of(formats.network));
  const std::string here = shape_text(model.options);
  if (there != here) {
    throw DataError(
        fmt::format("{}: its formats belong to a network {}, the model is {}", place, there, here));
  }
  return formats;
}

QuantisedNetwork quantise(const FloatNetwork& network, const RangeProfile& profile,
                          const QuantisationOptions& options,
                          const std::optional<TrainedFormats>& trained) {
  return trained && first_difference(trained->options, options).empty()
             ? quantise(network, trained->network)
             : quantise(network, profile, options);
}

}  // namespace ernn
