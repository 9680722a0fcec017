#include "export/hls_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/text.h"
#include "export/signals.h"

namespace ernn::hls_text {
namespace {

std::string type_text(const Format& format) {
  return fmt::format("ap_fixed<{}, {}>", format.width, format.integer);
}

/// The C integer that stores codes of a format.
const char* storage(const Format& format) {
  return format.width <= 8 ? "std::int8_t" : format.width <= 16 ? "std::int16_t" : "std::int32_t";
}

/// Numbers of a network's signals by name.
class SignalNumbers {
 public:
  explicit SignalNumbers(const QuantisedNetwork& network) {
    for (const TracedSignal& signal : traced_signals(network)) {
      const auto next = static_cast<int>(numbers_.size());
      numbers_[signal.name] = next;
    }
  }
  int operator[](const std::string& name) const { return numbers_.at(name); }

 private:
  std::map<std::string, int> numbers_;
};

std::string constant(const char* type, const std::string& name, const std::string& value,
                     const std::string& comment = "") {
  return fmt::format("  static constexpr {} {} = {};{}\n", type, name, value,
                     comment.empty() ? "" : "  // " + comment);
}

std::string number(const std::string& name, std::int64_t value, const std::string& comment = "") {
  return constant("int", name, std::to_string(value), comment);
}

std::string alias(const std::string& name, const std::string& type) {
  return fmt::format("  typedef {} {};\n", type, name);
}

/// Number of a matrix in its layer.
int index_of(const QuantisedLayer& layer, const QuantisedMatrix& matrix) {
  return static_cast<int>(&matrix - layer.matrices.data());
}

std::string matrix_config(const QuantisedLayer& layer, const QuantisedMatrix& matrix,
                          const LayerFolding& folding, const SignalNumbers& signals) {
  const MatrixShape& shape = matrix.shape;
  std::string text = fmt::format("/// {}: {} x {} in blocks of {}.\nstruct {} {{\n", shape.name,
                                 shape.rows, shape.cols, shape.block, matrix_class(layer, matrix));
  text += number("rows", shape.rows);
  text += number("cols", shape.cols);
  text += number("block", shape.block);
  const int index = index_of(layer, matrix);
  const MatrixFolding& folds = folding.matrices[static_cast<std::size_t>(index)];
  const bool grouped = in_unit_groups(layer.options, index);
  text += number("gates", grouped ? gates_of(layer.options, index) : 1);
  text += number("group_rows", grouped ? folding.unit_group / shape.block : 1);
  text += number("rows_parallel", folds.rows_parallel, fmt::format("1 to {}", shape.block_rows()));
  text += number("cols_parallel", folds.cols_parallel,
                 fmt::format("divides {}: {}", shape.block_cols(), divisors(shape.block_cols())));
  text += number("inverses_parallel", folds.inverses_parallel,
                 "a power of two that divides rows_parallel and " +
                     (grouped ? std::string("the block rows of a unit group")
                              : std::to_string(shape.block_rows())));
  if (shape.block > 1) {
    text += number("spectrum_signal", signals[shape.name + ".spectrum"]);
    text += number("sum_signal", signals[shape.name + ".sum"]);
  }
  text += number("product_signal", signals[shape.name + ".product"]);
  text += alias("Input", type_text(layer.matrix_input(static_cast<std::size_t>(index))));
  text += alias("Weight", type_text(matrix.weight));
  if (shape.block > 1) {
    text += alias("Spectrum", type_text(matrix.spectrum));
    text += alias("Sum", type_text(matrix.sum));
  }
  text += alias("Product", type_text(matrix.product));
  text += alias("Code", storage(matrix.weight));
  return text + "};\n\n";
}

std::string table_config(const QuantisedLayer& layer, const ActivationTable& table) {
  const std::string name = class_name(layer) + capital(name_of(table.kind));
  std::string text =
      fmt::format("/// {} of {}.\nstruct {} {{\n", name_of(table.kind), layer.name, name);
  text += constant("bool", "odd", table.kind == Activation::tanh ? "true" : "false");
  text += number("range_log2", table.range_log2);
  text += number("segments_log2", table.segments_log2);
  text += fmt::format("  static int last() {{ return {}; }}\n", table.last);
  text += fmt::format("  static int base(int segment) {{ return k{}Base[segment]; }}\n", name);
  text += fmt::format("  static int slope(int segment) {{ return k{}Slope[segment]; }}\n", name);
  return text + "};\n\n";
}

/// Fields that every kind of layer has.
std::string common_config(const QuantisedLayer& layer, const LayerFolding& folding) {
  std::string text = number("size", layer.options.size) + number("outputs", layer.outputs());
  if (layer.options.type != LayerType::feedforward) {
    text += constant("int", "streams", "kStreams");
    text += number("unit_group", folding.unit_group, "gives the weights their order");
    text += number("units_parallel", folding.units_parallel,
                   fmt::format("divides unit_group: {}", divisors(folding.unit_group)));
  }
  for (const QuantisedMatrix& matrix : layer.matrices) {
    const std::string name = matrix_class(layer, matrix);
    text += alias(name.substr(class_name(layer).size()) + "Matrix", name);
  }
  return text + alias("Bias", type_text(layer.bias)) + alias("BiasCode", storage(layer.bias));
}

/// Fields that LSTM and GRU share.
std::string recurrent_config(const QuantisedLayer& layer, const SignalNumbers& signals) {
  return number("preactivation_signal", signals[layer.name + ".preactivation"]) +
         number("gate_signal", signals[layer.name + ".gate"]) +
         number("hidden_signal", signals[layer.name + ".hidden"]) +
         alias("Preactivation", type_text(layer.preactivation)) +
         alias("Gate", type_text(layer.gate)) + alias("Hidden", type_text(layer.hidden)) +
         alias("Sigmoid", class_name(layer) + "Sigmoid") +
         alias("Tanh", class_name(layer) + "Tanh");
}

std::string lstm_config(const QuantisedLayer& layer, const SignalNumbers& signals) {
  const bool projects = layer.options.projection > 0;
  const bool peepholes = !layer.peephole_codes.empty();
  std::string text = constant("bool", "peepholes", peepholes ? "true" : "false");
  text += constant("bool", "projects", projects ? "true" : "false");
  text += constant("long long", "cell_clip", std::to_string(layer.cell_clip_code));
  for (const char* name : {"cell", "cell_argument", "cell_tanh"}) {
    text += number(std::string(name) + "_signal", signals[layer.name + "." + name]);
  }
  if (projects) text += number("projected_signal", signals[layer.name + ".projected"]);
  text += alias("Cell", type_text(layer.cell));
  text += alias("Output", type_text(layer.output_format()));
  if (peepholes) {
    text += alias("Peephole", type_text(layer.peephole));
    text += alias("PeepholeCode", storage(layer.peephole));
  }
  return text;
}

std::string gru_config(const QuantisedLayer& layer, const SignalNumbers& signals) {
  const bool after = layer.options.reset == GruReset::after;
  return constant("bool", "reset_after", after ? "true" : "false") +
         number("reset_signal",
                signals[layer.name + (after ? ".reset_argument" : ".reset_hidden")]);
}

/// Fields of a layer that joins frames (hls/kernel/delay_line.h).
std::string delay_line_config(const QuantisedLayer& layer) {
  const LayerOptions& options = layer.options;
  std::vector<std::string> back;
  for (const int offset : options.offsets) back.push_back(std::to_string(-offset));
  return constant("int", "streams", "kStreams") + number("width", layer.inputs) +
         number("reach", options.reach()) +
         number("joined", static_cast<std::int64_t>(back.size())) +
         fmt::format(
             "  static int back(int n) {{\n    const int frames[] = {{{}}};\n    return "
             "frames[n];\n  }}\n",
             join(back, ", "));
}

std::string feedforward_config(const QuantisedLayer& layer, const SignalNumbers& signals) {
  const bool table = !tables(layer).empty();
  const bool relu = layer.options.activation == Activation::relu;
  std::string text = constant("int", "activation",
                              table  ? "kernel::kActivationTable"
                              : relu ? "kernel::kActivationRelu"
                                     : "kernel::kActivationNone");
  text += number("output_signal", signals[layer.name + ".output"]);
  text += alias("Output", type_text(layer.output_format()));
  if (table) {
    text += number("preactivation_signal", signals[layer.name + ".preactivation"]);
    text += alias("Preactivation", type_text(layer.preactivation));
    text += alias("Table", class_name(layer) + capital(name_of(layer.options.activation)));
  }
  if (layer.options.joins_frames()) text += delay_line_config(layer);
  return text;
}

std::string layer_config(const QuantisedLayer& layer, const LayerFolding& folding,
                         const SignalNumbers& signals) {
  std::string text;
  for (const QuantisedMatrix& matrix : layer.matrices)
    text += matrix_config(layer, matrix, folding, signals);
  for (const ActivationTable* table : tables(layer)) text += table_config(layer, *table);
  text += fmt::format("/// {}: {}, {} units.\nstruct {} {{\n", layer.name,
                      name_of(layer.options.type), layer.options.size, class_name(layer));
  text += common_config(layer, folding);
  switch (layer.options.type) {
    case LayerType::lstm:
      text += recurrent_config(layer, signals) + lstm_config(layer, signals);
      break;
    case LayerType::gru:
      text += recurrent_config(layer, signals) + gru_config(layer, signals);
      break;
    case LayerType::feedforward:
      text += feedforward_config(layer, signals);
      break;
  }
  return text + "};\n\n";
}

}  // namespace

std::string config_file(const QuantisedNetwork& network, const Folding& folding) {
  const SignalNumbers signals(network);
  const bool joins =
      std::any_of(network.layers.begin(), network.layers.end(),
                  [](const QuantisedLayer& layer) { return layer.options.joins_frames(); });
  std::string text = fmt::format(
      "// Generated: sizes, formats and folds of the network's layers. Folds (rows_parallel,\n"
      "// cols_parallel, inverses_parallel, units_parallel) and streams may be edited, everything\n"
      "// else belongs to the weights.\n"
      "#pragma once\n\n#include <cstdint>\n\n{}#include \"kernel/network.h\"\n"
      "#include \"tables.h\"\n\nnamespace ernn {{\nnamespace model {{\n\n",
      joins ? "#include \"kernel/delay_line.h\"\n" : "");
  text += fmt::format(
      "/// Of all here and in tables.h that weights rely on, whatever the folds. weights.bin has\n"
      "/// that of its own network (testbench/weights_image.h).\n"
      "constexpr std::uint32_t kFingerprint = 0x{:08x}U;\n\n",
      fingerprint(network, folding));
  text += fmt::format(
      "/// Streams that a call can interleave.\n"
      "constexpr int kStreams = {0};  // 1 to {1}, each has a bit of the argument `reset`\n"
      "static_assert(kStreams >= 1 && kStreams <= {1}, \"kStreams must be 1 to {1}\");\n\n",
      folding.streams, kMostStreams);
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    text += layer_config(network.layers[i], folding.layers[i], signals);
  return text + "}  // namespace model\n}  // namespace ernn\n";
}

std::string tables_file(const QuantisedNetwork& network) {
  std::string text =
      "// Generated: activation tables, codes with 6 more fraction bits than the gate format.\n"
      "#pragma once\n\nnamespace ernn {\nnamespace model {\n\n";
  for (const QuantisedLayer& layer : network.layers) {
    for (const ActivationTable* table : tables(layer)) {
      const std::string name = class_name(layer) + capital(name_of(table->kind));
      text += fmt::format("constexpr int k{}Base[{}] = {{\n{}}};\n", name, table->base.size(),
                          number_lines(table->base, "    "));
      text += fmt::format("constexpr int k{}Slope[{}] = {{\n{}}};\n\n", name, table->slope.size(),
                          number_lines(table->slope, "    "));
    }
  }
  return text + "}  // namespace model\n}  // namespace ernn\n";
}

std::string signals_file(const QuantisedNetwork& network) {
  std::string text =
      "// Generated: the traced signals, for the testbench.\n#pragma once\n\n"
      "#include \"testbench/signal_info.h\"\n\nnamespace ernn::model {\n\n"
      "inline constexpr testbench::SignalInfo kSignals[] = {\n";
  for (const TracedSignal& signal : traced_signals(network)) {
    text += fmt::format("    {{\"{}\", {}, {}}},\n", signal.name, signal.length, signal.counted);
  }
  return text + "};\n\n}  // namespace ernn::model\n";
}

}  // namespace ernn::hls_text
