#include "tests/rtl/datapath_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>

#include "export/emulator.h"
#include "export/float_network.h"
#include "tests/rtl/bit_word.h"

namespace ernn::rtl {

namespace {

using Codes = Emulator::Codes;

int log2_ceiling(int value) {
  int n = 0;
  while ((1 << n) < value) ++n;
  return n;
}

/// "Layer0", "OutputLayer": the layer's structure in config.h.
std::string layer_type(const QuantisedNetwork& network, std::size_t l) {
  return l + 1 == network.layers.size() ? "OutputLayer" : fmt::format("Layer{}", l);
}

std::string matrix_type(const QuantisedNetwork& network, std::size_t l,
                        const QuantisedMatrix& matrix) {
  std::string kind = matrix.shape.name.substr(matrix.shape.name.rfind('.') + 1);
  kind.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(kind.front())));
  return layer_type(network, l) + kind;
}

/// Every signal of every frame. Frame -1 is the state before the first: zeros.
class Signals {
 public:
  Signals(const QuantisedNetwork& network, const std::vector<Codes>& frames) : inputs_(frames) {
    Emulator emulator(network);
    emulator.trace(
        [this](const std::string& name, const Codes& codes) { frames_.back()[name] = codes; });
    for (const Codes& frame : frames) {
      frames_.emplace_back();
      emulator.step(frame);
    }
  }
  int frames() const { return static_cast<int>(frames_.size()); }
  const Codes& input(int t) const { return inputs_[static_cast<std::size_t>(t)]; }
  Codes at(int t, const std::string& name) const {
    if (t < 0) return Codes(frames_.front().at(name).size(), 0);
    return frames_[static_cast<std::size_t>(t)].at(name);
  }

 private:
  std::vector<Codes> inputs_;
  std::vector<std::map<std::string, Codes>> frames_;
};

/// Collects the vectors of one case.
class CaseBuilder {
 public:
  CaseBuilder(std::string function, int k, std::map<std::string, int> widths,
              const std::string& wrapper, const std::string& type, std::size_t limit)
      : limit_(limit) {
    case_.name = fmt::format("{}{}", function, k > 1 ? fmt::format("_k{}", k) : "");
    for (const auto& [name, bits] : widths) case_.name += fmt::format("_{}", bits);
    case_.function = std::move(function);
    case_.k = k;
    case_.widths = std::move(widths);
    case_.type = fmt::format("{}<ernn::model::{}>", wrapper, type);
  }
  bool full() const { return case_.lines.size() >= limit_; }
  void add(const BitWord& in, const BitWord& out) {
    case_.input_bits = static_cast<int>(in.size());
    case_.output_bits = static_cast<int>(out.size());
    case_.lines.push_back(in.hex() + " " + out.hex());
  }
  DatapathCase take() { return std::move(case_); }

 private:
  std::size_t limit_;
  DatapathCase case_;
};

/// One layer's functions.
class LayerCases {
 public:
  LayerCases(const QuantisedNetwork& network, std::size_t index, const Signals& signals,
             std::size_t limit, std::vector<DatapathCase>& cases)
      : network_(network),
        layer_(network.layers[index]),
        index_(index),
        signals_(signals),
        limit_(limit),
        cases_(cases) {}

  void all() {
    for (std::size_t m = 0; m < layer_.matrices.size(); ++m) matrix(m);
    switch (layer_.options.type) {
      case LayerType::lstm:
        lstm_cell();
        if (layer_.options.projection > 0) projected();
        break;
      case LayerType::gru:
        gru_gates();
        gru_candidate();
        break;
      case LayerType::feedforward:
        output();
        break;
    }
  }

 private:
  std::string name(const char* signal) const { return layer_.name + "." + signal; }
  Codes own(int t, const char* signal) const { return signals_.at(t, name(signal)); }
  /// What the layer handed on.
  Codes handed_on(int t) const {
    if (layer_.options.type == LayerType::feedforward) return own(t, "output");
    return own(t, layer_.options.projection > 0 ? "projected" : "hidden");
  }
  Codes layer_input(int t) const {
    if (index_ == 0) return signals_.input(t);
    const QuantisedLayer& before = network_.layers[index_ - 1];
    const char* signal = before.options.type == LayerType::feedforward ? "output"
                         : before.options.projection > 0               ? "projected"
                                                                       : "hidden";
    return signals_.at(t, before.name + "." + signal);
  }
  Codes operand(std::size_t m, int t) const {
    if (m == 0) return layer_input(t);
    if (m == 1) return handed_on(t - 1);
    if (layer_.options.type == LayerType::lstm) return own(t, "hidden");
    return layer_.options.reset == GruReset::before ? own(t, "reset_hidden") : handed_on(t - 1);
  }
  const Format& operand_format(std::size_t m) const {
    if (m == 0) return layer_.input;
    if (m == 1) return layer_.output_format();
    if (layer_.options.type == LayerType::lstm) return layer_.hidden;
    return layer_.options.reset == GruReset::before ? layer_.reset_hidden : layer_.hidden;
  }

  /// Of the functions with the same widths the one with the most vectors stays.
  void keep(CaseBuilder& builder) {
    DatapathCase made = builder.take();
    const auto known = std::find_if(cases_.begin(), cases_.end(), [&](const DatapathCase& other) {
      return other.name == made.name;
    });
    if (known == cases_.end()) {
      cases_.push_back(std::move(made));
    } else if (known->lines.size() < made.lines.size()) {
      *known = std::move(made);
    }
  }

  void matrix(std::size_t m) {
    const QuantisedMatrix& matrix = layer_.matrices[m];
    if (matrix.shape.block == 1) return;
    forward(m, matrix);
    product(matrix);
    inverse(matrix);
  }

  void forward(std::size_t m, const QuantisedMatrix& matrix) {
    const auto k = static_cast<std::size_t>(matrix.shape.block);
    const int from = operand_format(m).width;
    const int to = matrix.spectrum.width;
    CaseBuilder builder("forward_fft", matrix.shape.block, {{"input", from}, {"spectrum", to}},
                        "ForwardTransform", matrix_type(network_, index_, matrix), limit_);
    for (int t = 0; t < signals_.frames(); ++t) {
      const Codes x = operand(m, t);
      const Codes spectrum = signals_.at(t, matrix.shape.name + ".spectrum");
      for (std::size_t first = 0; first < spectrum.size() && !builder.full(); first += k) {
        BitWord in, out;
        for (std::size_t i = first; i < first + k; ++i) {
          in.put(i < x.size() ? x[i] : 0, from);
          out.put(spectrum[i], to);
        }
        builder.add(in, out);
      }
    }
    keep(builder);
  }

  /// Products and their narrowed sums. The sums before narrowing are no signal: they are computed
  /// here with the plain complex product, and must narrow to what the emulator has.
  void product(const QuantisedMatrix& matrix) {
    const int k = matrix.shape.block;
    const int terms = matrix.shape.block_cols();
    const int wide = matrix.weight.width + matrix.spectrum.width + 1 + log2_ceiling(terms);
    const std::string type = matrix_type(network_, index_, matrix);
    CaseBuilder products(
        "block_product", k,
        {{"weight", matrix.weight.width}, {"spectrum", matrix.spectrum.width}, {"terms", terms}},
        "BlockProduct", type, limit_);
    CaseBuilder narrowings("narrowing", k, {{"from", wide}, {"to", matrix.sum.width}},
                           "SumNarrowing", type, limit_);
    // Few rows of many frames for the products, a row's sums of every row for the narrowings.
    const int rows = matrix.shape.block_rows();
    for (int t = 0; t < signals_.frames(); ++t) {
      for (int row = t % rows; row < rows && !narrowings.full(); row += products.full() ? 1 : 7)
        block_row(matrix, t, row, wide, products, narrowings);
    }
    keep(products);
    keep(narrowings);
  }

  void block_row(const QuantisedMatrix& matrix, int t, int row, int wide, CaseBuilder& products,
                 CaseBuilder& narrowings) const {
    const auto k = static_cast<std::size_t>(matrix.shape.block);
    const auto terms = static_cast<std::size_t>(matrix.shape.block_cols());
    const Codes spectrum = signals_.at(t, matrix.shape.name + ".spectrum");
    const Codes sums = signals_.at(t, matrix.shape.name + ".sum");
    std::vector<std::int64_t> sum(k, 0);
    for (std::size_t j = 0; j < terms; ++j) {
      const std::int32_t* w = &matrix.codes[(static_cast<std::size_t>(row) * terms + j) * k];
      const std::int32_t* x = &spectrum[j * k];
      BitWord in, out;
      for (std::size_t i = 0; i < k; ++i) in.put(w[i], matrix.weight.width);
      for (std::size_t i = 0; i < k; ++i) in.put(x[i], matrix.spectrum.width);
      for (std::size_t i = 0; i < k; ++i) in.put(sum[i], wide);
      sum[0] += std::int64_t{w[0]} * x[0];
      sum[1] += std::int64_t{w[1]} * x[1];
      for (std::size_t i = 2; i < k; i += 2) {
        sum[i] += std::int64_t{w[i]} * x[i] - std::int64_t{w[i + 1]} * x[i + 1];
        sum[i + 1] += std::int64_t{w[i]} * x[i + 1] + std::int64_t{w[i + 1]} * x[i];
      }
      for (std::size_t i = 0; i < k; ++i) out.put(sum[i], wide);
      if (!products.full()) products.add(in, out);
    }
    BitWord in, out;
    std::int64_t saturations = 0;
    for (std::size_t i = 0; i < k; ++i) {
      const std::int32_t expected = sums[static_cast<std::size_t>(row) * k + i];
      if (narrow(sum[i], matrix.weight.fraction() + matrix.spectrum.fraction(), matrix.sum,
                 saturations) != expected) {
        throw std::logic_error(fmt::format("{}: frame {}, block row {}: the emulator's sum differs",
                                           matrix.shape.name, t, row));
      }
      in.put(sum[i], wide);
      out.put(expected, matrix.sum.width);
    }
    narrowings.add(in, out);
  }

  void inverse(const QuantisedMatrix& matrix) {
    const auto k = static_cast<std::size_t>(matrix.shape.block);
    CaseBuilder builder("inverse_fft", matrix.shape.block,
                        {{"sum", matrix.sum.width}, {"product", matrix.product.width}},
                        "InverseTransform", matrix_type(network_, index_, matrix), limit_);
    for (int t = 0; t < signals_.frames(); ++t) {
      const Codes sum = signals_.at(t, matrix.shape.name + ".sum");
      const Codes product = signals_.at(t, matrix.shape.name + ".product");
      for (std::size_t first = 0; first + k <= product.size() && !builder.full(); first += k) {
        BitWord in, out;
        for (std::size_t i = first; i < first + k; ++i) {
          in.put(sum[i], matrix.sum.width);
          out.put(product[i], matrix.product.width);
        }
        builder.add(in, out);
      }
    }
    keep(builder);
  }

  Codes product_of(std::size_t m, int t) const {
    return signals_.at(t, layer_.matrices[m].shape.name + ".product");
  }
  int product_width(std::size_t m) const { return layer_.matrices[m].product.width; }
  std::int64_t bias(std::size_t i) const { return layer_.bias_codes[i]; }

  /// `unit` is called for every unit of every frame until the case is full.
  void units(CaseBuilder& builder,
             const std::function<void(std::size_t unit, int t, BitWord& in, BitWord& out)>& unit) {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    // Units first, so that the biases of all and every frame have their turn.
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t stride =
          std::max<std::size_t>(1, size * static_cast<std::size_t>(signals_.frames()) / limit_);
      for (int t = static_cast<int>(i % stride); t < signals_.frames() && !builder.full();
           t += static_cast<int>(stride)) {
        BitWord in, out;
        unit(i, t, in, out);
        builder.add(in, out);
      }
    }
    keep(builder);
  }

  void lstm_cell() {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    const bool peepholes = !layer_.peephole_codes.empty();
    CaseBuilder builder("lstm_cell", 1,
                        {{"product", product_width(0)},
                         {"cell", layer_.cell.width},
                         {"preactivation", layer_.preactivation.width},
                         {"gate", layer_.gate.width},
                         {"peephole", peepholes ? layer_.bias.width : 0}},
                        "LstmCell", layer_type(network_, index_), limit_);
    units(builder, [&](std::size_t i, int t, BitWord& in, BitWord& out) {
      const Codes a = product_of(0, t), r = product_of(1, t);
      for (std::size_t g = 0; g < 4; ++g) in.put(a[g * size + i], product_width(0));
      for (std::size_t g = 0; g < 4; ++g) in.put(r[g * size + i], product_width(1));
      for (std::size_t g = 0; g < 4; ++g) in.put(bias(g * size + i), layer_.bias.width);
      for (std::size_t g = 0; peepholes && g < 3; ++g)
        in.put(layer_.peephole_codes[g * size + i], layer_.peephole.width);
      in.put(own(t - 1, "cell")[i], layer_.cell.width);
      out.put(own(t, "cell")[i], layer_.cell.width);
      out.put(own(t, "hidden")[i], layer_.hidden.width);
    });
  }

  void projected() {
    constexpr std::size_t kProjection = 2;
    CaseBuilder builder(
        "narrowing", 1,
        {{"from", product_width(kProjection)}, {"to", layer_.output_format().width}},
        "ProjectedNarrowing", layer_type(network_, index_), limit_);
    for (int t = 0; t < signals_.frames(); ++t) {
      const Codes product = product_of(kProjection, t), projected = own(t, "projected");
      for (std::size_t i = 0; i < projected.size() && !builder.full(); ++i) {
        BitWord in, out;
        in.put(product[i], product_width(kProjection));
        out.put(projected[i], layer_.output_format().width);
        builder.add(in, out);
      }
    }
    keep(builder);
  }

  void gru_gates() {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    const bool resets = layer_.options.reset == GruReset::before;
    CaseBuilder builder("gru_gates", 1,
                        {{"product", product_width(0)},
                         {"preactivation", layer_.preactivation.width},
                         {"gate", layer_.gate.width},
                         {"reset", resets ? layer_.hidden.width : 0}},
                        "GruGates", layer_type(network_, index_), limit_);
    units(builder, [&](std::size_t i, int t, BitWord& in, BitWord& out) {
      const Codes a = product_of(0, t), u = product_of(1, t);
      const Codes gate = own(t, "gate"), h = own(t - 1, "hidden");
      for (std::size_t g = 0; g < 2; ++g) in.put(a[g * size + i], product_width(0));
      for (std::size_t g = 0; g < 2; ++g) in.put(u[g * size + i], product_width(1));
      for (std::size_t g = 0; g < 2; ++g) in.put(bias(g * size + i), layer_.bias.width);
      in.put(h[i], layer_.hidden.width);
      for (std::size_t g = 0; g < 2; ++g) out.put(gate[g * size + i], layer_.gate.width);
      if (resets) {
        out.put(own(t, "reset_hidden")[i], layer_.reset_hidden.width);
      } else {
        out.put(h[i], layer_.hidden.width);
      }
    });
  }

  void gru_candidate() {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    const bool resets = layer_.options.reset == GruReset::after;
    CaseBuilder builder("gru_candidate", 1,
                        {{"product", product_width(0)},
                         {"preactivation", layer_.preactivation.width},
                         {"gate", layer_.gate.width},
                         {"reset", resets ? layer_.gate.width : 0}},
                        "GruCandidate", layer_type(network_, index_), limit_);
    units(builder, [&](std::size_t i, int t, BitWord& in, BitWord& out) {
      const Codes gate = own(t, "gate");
      in.put(product_of(0, t)[2 * size + i], product_width(0));
      in.put(product_of(2, t)[i], product_width(2));
      in.put(bias(2 * size + i), layer_.bias.width);
      if (resets) in.put(layer_.candidate_bias_codes[i], layer_.bias.width);
      for (std::size_t g = 0; g < 2; ++g) in.put(gate[g * size + i], layer_.gate.width);
      in.put(own(t - 1, "hidden")[i], layer_.hidden.width);
      out.put(own(t, "hidden")[i], layer_.hidden.width);
    });
  }

  void output() {
    const Activation activation = layer_.options.activation;
    const bool table = has_table(activation);
    CaseBuilder builder(
        "output", 1,
        {{"product", product_width(0)}, {"output", layer_.output.width}, {"table", table ? 1 : 0}},
        "Output", layer_type(network_, index_), limit_);
    units(builder, [&](std::size_t i, int t, BitWord& in, BitWord& out) {
      in.put(product_of(0, t)[i], product_width(0));
      in.put(bias(i), layer_.bias.width);
      out.put(own(t, "output")[i], layer_.output.width);
    });
  }

  const QuantisedNetwork& network_;
  const QuantisedLayer& layer_;
  std::size_t index_;
  const Signals& signals_;
  std::size_t limit_;
  std::vector<DatapathCase>& cases_;
};

}  // namespace

std::vector<Codes> proof_frames(const QuantisedNetwork& network, int frames, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const Format format = network.input_format();
  std::uniform_int_distribution<std::int32_t> any(static_cast<std::int32_t>(format.smallest()),
                                                  static_cast<std::int32_t>(format.largest()));
  const auto inputs = static_cast<std::size_t>(network.inputs());
  std::vector<double> smooth(inputs, 0);
  std::vector<Codes> result;
  for (int t = 0; t < frames; ++t) {
    Codes frame(inputs);
    std::int64_t saturations = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      smooth[i] = 0.8 * smooth[i] + 0.6 * normal(random);
      frame[i] = t < frames / 2
                     ? static_cast<std::int32_t>(quantise(smooth[i], format, saturations))
                     : any(random);
    }
    result.push_back(std::move(frame));
  }
  return result;
}

std::vector<DatapathCase> datapath_cases(const QuantisedNetwork& network,
                                         const std::vector<Codes>& frames, std::size_t limit) {
  const Signals signals(network, frames);
  std::vector<DatapathCase> cases;
  for (std::size_t l = 0; l < network.layers.size(); ++l)
    LayerCases(network, l, signals, limit, cases).all();
  return cases;
}

}  // namespace ernn::rtl
