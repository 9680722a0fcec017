#include "export/signals.h"

#include "export/float_network.h"

namespace ernn {

namespace {

Format format_of(const QuantisedLayer& layer, const std::string& signal) {
  for (const QuantisedMatrix& matrix : layer.matrices) {
    if (signal == matrix.shape.name + ".spectrum") return matrix.spectrum;
    if (signal == matrix.shape.name + ".sum") return matrix.sum;
    if (signal == matrix.shape.name + ".product") return matrix.product;
  }
  const std::string kind = signal.substr(layer.name.size() + 1);
  if (kind == "preactivation" || kind == "cell_argument") return layer.preactivation;
  if (kind == "gate" || kind == "cell_tanh") return layer.gate;
  if (kind == "cell") return layer.cell;
  if (kind == "reset_hidden") return layer.reset_hidden;
  if (kind == "reset_argument") return layer.matrices[2].product;
  if (kind == "hidden") return layer.hidden;
  if (kind == "projected") return layer.projected;
  return layer.output;
}

}  // namespace

std::vector<TracedSignal> layer_signals(const LayerOptions& options, const std::string& layer,
                                        const std::vector<MatrixShape>& matrices) {
  std::vector<TracedSignal> signals;
  const auto add = [&](const std::string& name, int length, bool counted = true) {
    signals.push_back({name, length, counted, {}});
  };
  for (const MatrixShape& matrix : matrices) {
    if (matrix.block > 1) {
      add(matrix.name + ".spectrum", matrix.block_cols() * matrix.block);
      add(matrix.name + ".sum", matrix.block_rows() * matrix.block);
    }
    add(matrix.name + ".product", matrix.rows);
  }
  const int size = options.size;
  const int gates = gate_count(options.type) * size;
  const bool table = has_table(options.activation);
  if (options.type != LayerType::feedforward || table) add(layer + ".preactivation", gates);
  if (options.type == LayerType::feedforward) {
    add(layer + ".output", size, !table);
    return signals;
  }
  add(layer + ".gate", gates, false);
  if (options.type == LayerType::lstm) {
    add(layer + ".cell", size);
    add(layer + ".cell_argument", size);
    add(layer + ".cell_tanh", size, false);
  } else if (options.reset == GruReset::before) {
    add(layer + ".reset_hidden", size);
  } else {
    add(layer + ".reset_argument", size);
  }
  add(layer + ".hidden", size);
  if (options.type == LayerType::lstm && options.projection > 0)
    add(layer + ".projected", options.projection);
  return signals;
}

std::vector<std::string> format_names(const LayerOptions& options) {
  std::vector<std::string> names = {"bias"};
  if (options.type == LayerType::feedforward) {
    names.emplace_back("output");
    if (has_table(options.activation)) names.insert(names.end(), {"preactivation", "gate"});
    return names;
  }
  names.insert(names.end(), {"preactivation", "gate", "hidden"});
  if (options.type == LayerType::gru) {
    if (options.reset == GruReset::before) names.emplace_back("reset_hidden");
    return names;
  }
  names.emplace_back("cell");
  if (options.peepholes) names.emplace_back("peephole");
  if (options.projection > 0) names.emplace_back("projected");
  return names;
}

std::vector<TracedSignal> traced_signals(const QuantisedNetwork& network) {
  std::vector<TracedSignal> signals;
  for (const QuantisedLayer& layer : network.layers) {
    std::vector<MatrixShape> shapes;
    for (const QuantisedMatrix& matrix : layer.matrices) shapes.push_back(matrix.shape);
    for (TracedSignal& signal : layer_signals(layer.options, layer.name, shapes)) {
      signal.format = format_of(layer, signal.name);
      signals.push_back(signal);
    }
  }
  return signals;
}

}  // namespace ernn
