#include "export/emulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/error.h"
#include "export/accumulators.h"
#include "export/activation_table.h"
#include "export/delay_line.h"
#include "export/float_network.h"
#include "export/integer_transform.h"
#include "export/signals.h"

namespace ernn {

namespace {

using Codes = Emulator::Codes;

/// An exact number: value / 2^fraction. Sums align to the larger fraction, by multiplication
/// because shifting negative numbers left is undefined.
struct Exact {
  std::int64_t value;
  int fraction;
};

Exact operator+(Exact a, Exact b) {
  const int fraction = std::max(a.fraction, b.fraction);
  return {a.value * (std::int64_t{1} << (fraction - a.fraction)) +
              b.value * (std::int64_t{1} << (fraction - b.fraction)),
          fraction};
}

Exact operator*(Exact a, Exact b) {
  return {a.value * b.value, a.fraction + b.fraction};
}

Exact exact(std::int32_t code, const Format& format) {
  return {code, format.fraction()};
}

/// One traced signal: its codes in the current frame and its counter.
struct Signal {
  std::string name;
  Format format;
  bool counted = false;
  Codes codes;
  std::int64_t saturations = 0;
  std::int64_t frames = 0;

  void store(std::size_t i, Exact value) {
    codes[i] = static_cast<std::int32_t>(narrow(value.value, value.fraction, format, saturations));
  }
  Exact at(std::size_t i) const { return exact(codes[i], format); }
};

}  // namespace

class Emulator::Layer {
 public:
  explicit Layer(QuantisedLayer layer)
      : layer_(std::move(layer)), line_(layer_.options, layer_.inputs) {
    QuantisedNetwork alone;
    alone.layers.push_back(layer_);
    for (const TracedSignal& signal : traced_signals(alone)) {
      Signal state;
      state.name = signal.name;
      state.format = signal.format;
      state.counted = signal.counted;
      state.codes.assign(static_cast<std::size_t>(signal.length), 0);
      signals_.push_back(std::move(state));
    }
    reset();
  }

  void reset() {
    for (Signal& signal : signals_) std::fill(signal.codes.begin(), signal.codes.end(), 0);
    state_.assign(static_cast<std::size_t>(layer_.outputs()), 0);
    line_.reset();
  }

  const Codes& step(const Codes& input, const Trace& trace) {
    switch (layer_.options.type) {
      case LayerType::lstm:
        lstm(input);
        break;
      case LayerType::gru:
        gru(input);
        break;
      case LayerType::feedforward:
        feedforward(input);
        break;
    }
    for (Signal& signal : signals_) {
      ++signal.frames;
      if (trace) trace(signal.name, signal.codes);
    }
    return state_;
  }

  void collect(std::vector<SaturationCount>& counts) const {
    for (const Signal& signal : signals_) {
      if (!signal.counted) continue;
      counts.push_back({signal.name, signal.saturations,
                        signal.frames * static_cast<std::int64_t>(signal.codes.size())});
    }
  }

 private:
  Signal& find(const std::string& name) {
    const auto found = std::find_if(signals_.begin(), signals_.end(),
                                    [&](const Signal& signal) { return signal.name == name; });
    return *found;
  }
  Signal& own(const char* kind) { return find(layer_.name + "." + kind); }

  Exact bias(std::size_t i) const { return exact(layer_.bias_codes[i], layer_.bias); }

  /// W times codes with `fraction` fraction bits.
  const Signal& multiply(std::size_t index, const Codes& input, int fraction) {
    const QuantisedMatrix& matrix = layer_.matrices[index];
    Signal& product = find(matrix.shape.name + ".product");
    if (matrix.shape.block > 1) {
      multiply_spectra(matrix, input, fraction, product);
    } else {
      multiply_plain(matrix, input, fraction, product);
    }
    return product;
  }

  static void multiply_plain(const QuantisedMatrix& matrix, const Codes& input, int fraction,
                             Signal& product) {
    const std::int32_t* weight = matrix.codes.data();
    for (std::size_t row = 0; row < product.codes.size(); ++row, weight += input.size()) {
      std::int64_t sum = 0;
      for (std::size_t col = 0; col < input.size(); ++col)
        sum += static_cast<std::int64_t>(weight[col]) * input[col];
      product.store(row, {sum, matrix.weight.fraction() + fraction});
    }
  }

  void multiply_spectra(const QuantisedMatrix& matrix, const Codes& input, int fraction,
                        Signal& product) {
    const auto k = static_cast<std::size_t>(matrix.shape.block);
    Signal& spectrum = find(matrix.shape.name + ".spectrum");
    Signal& sum = find(matrix.shape.name + ".sum");
    std::vector<std::int64_t> from(k);
    std::vector<std::int64_t> to(k);
    constexpr std::int64_t guard = std::int64_t{1} << kTransformGuardBits;
    for (std::size_t col = 0; col < spectrum.codes.size(); col += k) {
      for (std::size_t i = 0; i < k; ++i)
        from[i] = col + i < input.size() ? input[col + i] * guard : 0;
      integer_rfft(matrix.shape.block, from.data(), to.data());
      for (std::size_t i = 0; i < k; ++i)
        spectrum.store(col + i, {to[i], fraction + kTransformGuardBits});
    }
    const std::int32_t* weight = matrix.codes.data();
    const int sum_fraction = matrix.weight.fraction() + matrix.spectrum.fraction();
    for (std::size_t row = 0; row < sum.codes.size(); row += k) {
      std::fill(to.begin(), to.end(), 0);
      for (std::size_t col = 0; col < spectrum.codes.size(); col += k, weight += k)
        add_block_product(matrix.shape.block, weight, &spectrum.codes[col], to.data());
      for (std::size_t i = 0; i < k; ++i) sum.store(row + i, {to[i], sum_fraction});
      for (std::size_t i = 0; i < k; ++i) from[i] = sum.codes[row + i] * guard;
      integer_irfft(matrix.shape.block, from.data(), to.data());
      for (std::size_t i = 0; i < k && row + i < product.codes.size(); ++i)
        product.store(row + i, {to[i], matrix.sum.fraction() + kTransformGuardBits});
    }
  }

  std::int32_t look_up(const ActivationTable& table, std::int32_t argument) const {
    return static_cast<std::int32_t>(
        table_lookup(table, argument, layer_.preactivation, layer_.gate));
  }

  /// `sum` + p (.) c of the gate with number `gate` among i, f, o. Without peepholes nothing is
  /// added: a sum is aligned to a zero too, for which no accumulator is proved to have room.
  Exact with_peephole(Exact sum, std::size_t gate, std::size_t i, const Signal& cell) const {
    if (layer_.peephole_codes.empty()) return sum;
    const auto size = static_cast<std::size_t>(layer_.options.size);
    return sum + exact(layer_.peephole_codes[gate * size + i], layer_.peephole) * cell.at(i);
  }

  void lstm(const Codes& input) {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    const Signal& a = multiply(0, input, layer_.input.fraction());
    const Signal& r = multiply(1, state_, layer_.output_format().fraction());
    Signal& pre = own("preactivation");
    Signal& gate = own("gate");
    Signal& cell = own("cell");
    Signal& argument = own("cell_argument");
    Signal& cell_tanh = own("cell_tanh");
    Signal& hidden = own("hidden");
    const auto sum = [&](std::size_t at) { return a.at(at) + r.at(at) + bias(at); };
    const std::int64_t clip = layer_.cell_clip_code;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t f = size + i;
      const std::size_t g = 2 * size + i;
      const std::size_t o = 3 * size + i;
      pre.store(i, with_peephole(sum(i), 0, i, cell));
      pre.store(f, with_peephole(sum(f), 1, i, cell));
      pre.store(g, sum(g));
      gate.codes[i] = look_up(layer_.sigmoid, pre.codes[i]);
      gate.codes[f] = look_up(layer_.sigmoid, pre.codes[f]);
      gate.codes[g] = look_up(layer_.tanh, pre.codes[g]);
      cell.store(i, gate.at(f) * cell.at(i) + gate.at(i) * gate.at(g));
      if (clip > 0)
        cell.codes[i] =
            static_cast<std::int32_t>(std::clamp<std::int64_t>(cell.codes[i], -clip, clip));
      pre.store(o, with_peephole(sum(o), 2, i, cell));
      gate.codes[o] = look_up(layer_.sigmoid, pre.codes[o]);
      argument.store(i, cell.at(i));
      cell_tanh.codes[i] = look_up(layer_.tanh, argument.codes[i]);
      hidden.store(i, gate.at(o) * cell_tanh.at(i));
    }
    state_ = hidden.codes;
    if (layer_.options.projection == 0) return;
    const Signal& product = multiply(2, hidden.codes, layer_.hidden.fraction());
    Signal& projected = own("projected");
    for (std::size_t i = 0; i < projected.codes.size(); ++i) projected.store(i, product.at(i));
    state_ = projected.codes;
  }

  void gru(const Codes& input) {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    const Signal& a = multiply(0, input, layer_.input.fraction());
    const Signal& u = multiply(1, state_, layer_.hidden.fraction());
    Signal& pre = own("preactivation");
    Signal& gate = own("gate");
    for (std::size_t i = 0; i < 2 * size; ++i) {
      pre.store(i, a.at(i) + u.at(i) + bias(i));
      gate.codes[i] = look_up(layer_.sigmoid, pre.codes[i]);
    }
    const bool before = layer_.options.reset == GruReset::before;
    const Signal& v = before ? reset_before(gate) : reset_after();
    Signal& hidden = own("hidden");
    const Exact one = {std::int64_t{1} << layer_.gate.fraction(), layer_.gate.fraction()};
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t c = 2 * size + i;
      const Exact candidate = before ? v.at(i) : gate.at(size + i) * v.at(i);
      pre.store(c, a.at(c) + candidate + bias(c));
      gate.codes[c] = look_up(layer_.tanh, pre.codes[c]);
      const Exact z = gate.at(i);
      const Exact rest = {one.value - z.value, z.fraction};
      hidden.store(i, rest * exact(state_[i], layer_.hidden) + z * gate.at(c));
    }
    state_ = hidden.codes;
  }

  /// U_c narrow(r (.) h(t-1))
  const Signal& reset_before(const Signal& gate) {
    Signal& reset_hidden = own("reset_hidden");
    const std::size_t size = reset_hidden.codes.size();
    for (std::size_t i = 0; i < size; ++i)
      reset_hidden.store(i, gate.at(size + i) * exact(state_[i], layer_.hidden));
    return multiply(2, reset_hidden.codes, layer_.reset_hidden.fraction());
  }

  /// U_c h(t-1) + b_v
  const Signal& reset_after() {
    const Signal& product = multiply(2, state_, layer_.hidden.fraction());
    Signal& argument = own("reset_argument");
    for (std::size_t i = 0; i < argument.codes.size(); ++i)
      argument.store(i, product.at(i) + exact(layer_.candidate_bias_codes[i], layer_.bias));
    return argument;
  }

  void feedforward(const Codes& input) {
    const Signal& product = multiply(0, line_.join(input), layer_.input.fraction());
    Signal& output = own("output");
    const Activation activation = layer_.options.activation;
    const bool table = has_table(activation);
    Signal& narrowed = table ? own("preactivation") : output;
    for (std::size_t i = 0; i < output.codes.size(); ++i) {
      Exact sum = product.at(i) + bias(i);
      if (activation == Activation::relu) sum.value = std::max<std::int64_t>(sum.value, 0);
      narrowed.store(i, sum);
      if (!table) continue;
      output.codes[i] =
          look_up(activation == Activation::tanh ? layer_.tanh : layer_.sigmoid, narrowed.codes[i]);
    }
    state_ = output.codes;
  }

  QuantisedLayer layer_;
  DelayLine<std::int32_t> line_;  ///< feed-forward
  std::vector<Signal> signals_;
  Codes state_;  ///< what the layer handed on last: y(t-1) of the LSTM, h(t-1) of the GRU
};

Emulator::Emulator(const QuantisedNetwork& network)
    : input_format_(network.input_format()), inputs_(network.inputs()) {
  check_accumulators(network);
  for (const QuantisedLayer& layer : network.layers)
    layers_.push_back(std::make_unique<Layer>(layer));
}
Emulator::~Emulator() = default;
Emulator::Emulator(Emulator&&) noexcept = default;
Emulator& Emulator::operator=(Emulator&&) noexcept = default;

void Emulator::reset() {
  for (auto& layer : layers_) layer->reset();
}

void Emulator::trace(Trace sink) {
  trace_ = std::move(sink);
}

Emulator::Codes Emulator::step(const Codes& frame) {
  if (frame.size() != static_cast<std::size_t>(inputs_)) {
    throw DataError(fmt::format("a frame of {} codes, expected {}", frame.size(), inputs_));
  }
  for (const std::int32_t code : frame) {
    if (code < input_format_.smallest() || code > input_format_.largest()) {
      throw DataError(
          fmt::format("input code {} does not fit its format {}", code, input_format_.text()));
    }
  }
  const Codes* codes = &frame;
  for (auto& layer : layers_) codes = &layer->step(*codes, trace_);
  return *codes;
}

std::vector<SaturationCount> Emulator::saturations() const {
  std::vector<SaturationCount> counts;
  for (const auto& layer : layers_) layer->collect(counts);
  return counts;
}

}  // namespace ernn
