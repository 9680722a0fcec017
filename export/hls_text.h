// The pieces of an HLS project's generated text (export/hls_project.h); not for others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "export/folding.h"
#include "export/quantised_network.h"

namespace ernn::hls_text {

/// "layers.0" -> "Layer0", "output" -> "OutputLayer": the layer's configuration.
std::string class_name(const QuantisedLayer& layer);
/// "layers.0" -> "layer0", "output" -> "output": the layer's member of Weights and State.
std::string member_name(const QuantisedLayer& layer);
/// "layers.0.input" -> "Layer0Input": the matrix's configuration.
std::string matrix_class(const QuantisedLayer& layer, const QuantisedMatrix& matrix);
std::string capital(std::string text);
/// The tables that a layer uses.
std::vector<const ActivationTable*> tables(const QuantisedLayer& layer);
/// "1, 2, 3" in lines of at most 100 columns.
std::string number_lines(const std::vector<std::int32_t>& codes, const std::string& indent);

std::string config_file(const QuantisedNetwork& network, const Folding& folding);
std::string tables_file(const QuantisedNetwork& network);
std::string signals_file(const QuantisedNetwork& network);
/// Of everything that is compiled into a kernel and that its weights rely on: shapes, formats,
/// tables, limits of cells, unit groups. Other folds and the weights themselves are no part of it.
/// A kernel can load the weights of every network with the fingerprint of its own.
std::uint32_t fingerprint(const QuantisedNetwork& network, const Folding& folding);
/// The ROM as a C++ header, and the same codes as bytes to load (hls/testbench/weights_image.h);
/// the folding's unit groups give block rows their order.
std::string weights_file(const QuantisedNetwork& network, const Folding& folding);
std::string weights_image(const QuantisedNetwork& network, const Folding& folding);

}  // namespace ernn::hls_text
