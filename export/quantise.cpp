#include "export/quantise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"
#include "export/accumulators.h"
#include "export/activation_table.h"
#include "export/real_transform.h"
#include "export/signals.h"

namespace ernn {

namespace {

// Keeps alignments of sums small when a signal is next to nothing (a bias that is all but zero).
constexpr int kFewestIntegerBits = -8;

int width_of(const QuantisationOptions& options, const std::string& owner, const std::string& kind,
             int otherwise) {
  for (const std::string& name : {fmt::format("{}.{}", owner, kind), kind}) {
    const auto found = options.widths.find(name);
    if (found != options.widths.end()) return found->second;
  }
  return otherwise;
}

std::vector<std::string> matrix_kinds(const MatrixShape& shape) {
  if (shape.block == 1) return {"weight", "product"};
  return {"weight", "spectrum", "sum", "product"};
}

double largest_magnitude(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

std::vector<std::int32_t> codes_of(const std::vector<double>& values, const Format& format) {
  std::vector<std::int32_t> codes;
  codes.reserve(values.size());
  std::int64_t saturations = 0;
  for (const double value : values)
    codes.push_back(static_cast<std::int32_t>(quantise(value, format, saturations)));
  return codes;
}

/// The formats of one network: widths by option, integer bits by range.
class FormatChooser {
 public:
  FormatChooser(const RangeProfile& profile, const QuantisationOptions& options)
      : profile_(profile), options_(options) {}

  int stored(const std::string& owner, const std::string& kind) const {
    return stored_width(options_, owner, kind);
  }
  int guarded(const std::string& owner, const std::string& kind) const {
    return guarded_width(options_, owner, kind);
  }

  /// The magnitude that a signal's format has to hold.
  double range(const std::string& signal) const {
    const auto found = profile_.find(signal);
    if (found == profile_.end() || found->second.count() == 0) {
      throw DataError(fmt::format(
          "no range was measured for signal '{}'; the calibration set has no frames", signal));
    }
    const double range = options_.range == RangePolicy::max
                             ? found->second.largest()
                             : found->second.percentile(options_.percentile);
    return range * options_.headroom;
  }

  static Format format(int width, double range) {
    Format format = format_for(width, range);
    format.integer = std::max(format.integer, kFewestIntegerBits);
    return format;
  }

  Format weight(const FloatMatrix& matrix) const {
    return format(stored(matrix.shape.name, "weight"), largest_magnitude(stored_values(matrix)));
  }

  const QuantisationOptions& options() const { return options_; }

 private:
  const RangeProfile& profile_;
  const QuantisationOptions& options_;
};

QuantisedMatrix choose_matrix_formats(const FloatMatrix& matrix, const FormatChooser& formats) {
  QuantisedMatrix result;
  result.shape = matrix.shape;
  const std::string& name = matrix.shape.name;
  if (matrix.shape.block > 1) {
    result.spectrum =
        FormatChooser::format(formats.guarded(name, "spectrum"), formats.range(name + ".spectrum"));
    result.sum = FormatChooser::format(formats.guarded(name, "sum"), formats.range(name + ".sum"));
  }
  result.weight = formats.weight(matrix);
  result.product =
      FormatChooser::format(formats.guarded(name, "product"), formats.range(name + ".product"));
  return result;
}

/// Codes of everything that is stored, in the formats that `layer` has.
void fill_codes(QuantisedLayer& layer, const FloatLayer& source) {
  for (std::size_t i = 0; i < layer.matrices.size(); ++i)
    layer.matrices[i].codes = codes_of(stored_values(source.matrices[i]), layer.matrices[i].weight);
  layer.bias_codes = codes_of(source.bias, layer.bias);
  layer.candidate_bias_codes = codes_of(source.candidate_bias, layer.bias);
  layer.peephole_codes = codes_of(source.peephole, layer.peephole);
}

/// Gates, cell and outputs of an LSTM or GRU.
void choose_recurrent_formats(QuantisedLayer& layer, const FormatChooser& formats) {
  const std::string& name = layer.name;
  layer.hidden = {formats.stored(name, "hidden"), 1};
  if (layer.options.type == LayerType::gru) {
    if (layer.options.reset == GruReset::before) {
      layer.reset_hidden = {formats.stored(name, "reset_hidden"), 1};
      return;
    }
    const double range = std::max(formats.range(layer.matrices[2].shape.name + ".product"),
                                  formats.range(name + ".reset_argument"));
    layer.matrices[2].product = FormatChooser::format(layer.matrices[2].product.width, range);
    return;
  }
  layer.cell = FormatChooser::format(formats.guarded(name, "cell"), formats.range(name + ".cell"));
  if (layer.options.projection > 0) {
    layer.projected = FormatChooser::format(formats.stored(name, "projected"),
                                            formats.range(name + ".projected"));
  }
  if (layer.options.cell_clip > 0) {
    const double code =
        std::floor(std::ldexp(layer.options.cell_clip, layer.cell.fraction()) + 0.5);
    if (code < 1) {
      throw UsageError(fmt::format("{}.cell_clip: {} is below the last bit of the cell's format {}",
                                   name, layer.options.cell_clip, layer.cell.text()));
    }
    // A limit at or beyond the format's own never acts.
    layer.cell_clip_code =
        code > static_cast<double>(layer.cell.largest()) ? 0 : static_cast<std::int64_t>(code);
  }
}

/// The arguments of the tables. The cell's tanh shares the gates' format, so that format holds the
/// cell too, as far as tanh is not flat.
Format choose_preactivation(const QuantisedLayer& layer, const FormatChooser& formats) {
  double range = formats.range(layer.name + ".preactivation");
  if (layer.options.type == LayerType::lstm) {
    const double flat = std::ldexp(1.0, default_table_range(Activation::tanh) + 1);
    range = std::max(range, std::min(formats.range(layer.name + ".cell_argument"), flat));
  }
  Format format = FormatChooser::format(formats.guarded(layer.name, "preactivation"), range);
  format.integer = std::max(format.integer, 1);
  return format;
}

void make_tables(QuantisedLayer& layer, const FormatChooser& formats) {
  const bool recurrent = layer.options.type != LayerType::feedforward;
  const auto make = [&](Activation kind) {
    return make_table(kind, layer.preactivation, layer.gate, formats.options().table_segments);
  };
  if (recurrent || layer.options.activation == Activation::sigmoid)
    layer.sigmoid = make(Activation::sigmoid);
  if (recurrent || layer.options.activation == Activation::tanh)
    layer.tanh = make(Activation::tanh);
}

QuantisedLayer choose_formats(const FloatLayer& source, const Format& input,
                              const FormatChooser& formats) {
  QuantisedLayer layer;
  layer.options = source.options;
  layer.name = source.name;
  layer.inputs = source.inputs;
  layer.input = input;
  for (const FloatMatrix& matrix : source.matrices)
    layer.matrices.push_back(choose_matrix_formats(matrix, formats));
  layer.bias = FormatChooser::format(
      formats.stored(layer.name, "bias"),
      std::max(largest_magnitude(source.bias), largest_magnitude(source.candidate_bias)));
  if (!source.peephole.empty()) {
    layer.peephole = FormatChooser::format(formats.stored(layer.name, "peephole"),
                                           largest_magnitude(source.peephole));
  }
  if (layer.options.type == LayerType::feedforward && !has_table(layer.options.activation)) {
    layer.output = FormatChooser::format(formats.stored(layer.name, "output"),
                                         formats.range(layer.name + ".output"));
    return layer;
  }
  layer.gate = {formats.stored(layer.name, "gate"), 1};
  layer.preactivation = choose_preactivation(layer, formats);
  if (layer.options.type == LayerType::feedforward) {
    layer.output = layer.gate;
  } else {
    choose_recurrent_formats(layer, formats);
  }
  make_tables(layer, formats);
  return layer;
}

}  // namespace

int stored_width(const QuantisationOptions& options, const std::string& owner,
                 const std::string& kind) {
  return width_of(options, owner, kind, options.bits);
}

int guarded_width(const QuantisationOptions& options, const std::string& owner,
                  const std::string& kind) {
  return width_of(options, owner, kind, options.bits + options.guard_bits);
}

std::vector<std::string> width_names(const FloatNetwork& network) {
  std::vector<std::string> names = {"input"};
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const FloatLayer& layer : network.layers) {
    for (const FloatMatrix& matrix : layer.matrices) {
      for (const std::string& kind : matrix_kinds(matrix.shape)) {
        add(kind);
        add(matrix.shape.name + "." + kind);
      }
    }
    for (const std::string& kind : format_names(layer.options)) {
      // The output of a table has the format of its gate.
      if (kind == "output" && has_table(layer.options.activation)) continue;
      add(kind);
      add(layer.name + "." + kind);
    }
  }
  return names;
}

void check_width_names(const FloatNetwork& network, const QuantisationOptions& options) {
  const std::vector<std::string> known = width_names(network);
  for (const auto& [name, width] : options.widths) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw UsageError(fmt::format("export.widths: the network has no signal '{}'{}", name,
                                 did_you_mean(name, known)));
  }
}

std::vector<double> stored_values(const FloatMatrix& matrix) {
  std::vector<double> values = matrix.weights;
  if (matrix.shape.block == 1) return values;
  const auto k = static_cast<std::size_t>(matrix.shape.block);
  RealTransform transform(matrix.shape.block);
  for (std::size_t at = 0; at < values.size(); at += k) {
    transform.forward(&values[at], &values[at]);
    // k is a power of two: dividing afterwards changes nothing but the exponent.
    for (std::size_t i = 0; i < k; ++i) values[at + i] /= matrix.shape.block;
  }
  return values;
}

QuantisedNetwork quantise(const FloatNetwork& network, const RangeProfile& profile,
                          const QuantisationOptions& options) {
  validate(options, "export");
  check_width_names(network, options);
  const FormatChooser formats(profile, options);
  QuantisedNetwork result;
  Format input = FormatChooser::format(stored_width(options, "", "input"), formats.range("input"));
  for (const FloatLayer& layer : network.layers) {
    result.layers.push_back(choose_formats(layer, input, formats));
    fill_codes(result.layers.back(), layer);
    input = result.layers.back().output_format();
  }
  check_accumulators(result);
  return result;
}

Format weight_format(const FloatMatrix& matrix, const QuantisationOptions& options) {
  return FormatChooser({}, options).weight(matrix);
}

QuantisedNetwork quantise(const FloatNetwork& network, const QuantisedNetwork& formats) {
  QuantisedNetwork result = formats;
  for (std::size_t i = 0; i < result.layers.size(); ++i)
    fill_codes(result.layers[i], network.layers[i]);
  return result;
}

std::vector<std::vector<std::int32_t>> quantise_frames(const FrameMatrix& frames,
                                                       const Format& format,
                                                       std::int64_t& saturations) {
  std::vector<std::vector<std::int32_t>> codes;
  for (int t = 0; t < frames.rows; ++t) {
    std::vector<std::int32_t> row;
    row.reserve(static_cast<std::size_t>(frames.cols));
    for (int i = 0; i < frames.cols; ++i)
      row.push_back(static_cast<std::int32_t>(quantise(frames.at(t, i), format, saturations)));
    codes.push_back(std::move(row));
  }
  return codes;
}

std::int64_t stored_bits(const QuantisedNetwork& network) {
  std::int64_t bits = 0;
  const auto add = [&](const std::vector<std::int32_t>& codes, const Format& format) {
    bits += static_cast<std::int64_t>(codes.size()) * format.width;
  };
  for (const QuantisedLayer& layer : network.layers) {
    for (const QuantisedMatrix& matrix : layer.matrices) add(matrix.codes, matrix.weight);
    add(layer.bias_codes, layer.bias);
    add(layer.candidate_bias_codes, layer.bias);
    add(layer.peephole_codes, layer.peephole);
  }
  return bits;
}

}  // namespace ernn
