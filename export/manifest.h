// manifest.json of an artefact: the network without its arrays.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "export/quantised_network.h"

namespace ernn {

/// An array of a network that lives in a file of its own.
struct ArrayFile {
  std::string name;  ///< relative to the artefact
  std::vector<std::size_t> shape;
  Format format;  ///< every element fits it
  std::vector<std::int32_t>* codes = nullptr;
};

/// Weights, biases and peepholes of `network`, in network order; `codes` point into it.
std::vector<ArrayFile> code_files(QuantisedNetwork& network);

/// A table's file, [2, segments]: bases, then slopes.
struct TableFile {
  std::string name;
  ActivationTable* table = nullptr;
  const QuantisedLayer* layer = nullptr;
};
std::vector<TableFile> table_files(QuantisedNetwork& network);

/// "model" and "layers" of the manifest.
void put_network(nlohmann::ordered_json& manifest, const QuantisedNetwork& network);

/// The network with empty arrays of the right sizes. Throws DataError naming `place`.
QuantisedNetwork get_network(const nlohmann::json& manifest, const std::string& place);

}  // namespace ernn
