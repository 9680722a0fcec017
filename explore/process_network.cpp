#include "explore/process_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace ernn {

namespace {

/// Puts processes and channels together, following the calls of the kernel's stages.
class Builder {
 public:
  explicit Builder(const KernelPlan& plan) : plan_(plan) {}

  ProcessNetwork build() {
    int words = read_port();
    for (std::size_t l = 0; l < plan_.layers.size(); ++l) {
      layer_ = static_cast<int>(l);
      words = add_layer(plan_.layers[l], words);
    }
    layer_ = -1;
    write_port(words);
    return std::move(network_);
  }

 private:
  int channel(const std::string& name, long long capacity, bool buffer = false) {
    Channel one;
    one.name = name;
    one.buffer = buffer;
    one.capacity = std::max(2LL, capacity);
    network_.channels.push_back(one);
    return static_cast<int>(network_.channels.size()) - 1;
  }
  void new_loop(bool recurrent) { network_.recurrent.push_back(recurrent); }
  Process& process(const std::string& name, int beats, int depth) {
    Process one;
    one.name = name;
    one.layer = layer_;
    one.loop = static_cast<int>(network_.recurrent.size()) - 1;
    one.beats = beats;
    one.depth = depth;
    network_.processes.push_back(one);
    return network_.processes.back();
  }
  static long long frames(double count, long long words) {
    return std::llround(count * static_cast<double>(words));
  }

  int read_port() {
    new_loop(false);
    const MatrixPlan& first = plan_.layers.front().matrices.front();
    const int source = channel("input", 0);
    network_.channels[static_cast<std::size_t>(source)].source = true;
    const int out = channel("input blocks", plan_.depths.layer);
    Port in{source, {}}, blocks{out, {}};
    int beat = 0, filled = 0;
    const int padded = first.q * first.k;
    for (int at = 0; at < padded; ++beat) {
      const int taken = std::min({plan_.port_elements, first.k - filled, padded - at});
      at += taken;
      filled += taken;
      in.beats.push_back(beat);
      if (filled == first.k) {
        blocks.beats.push_back(beat);
        filled = 0;
      }
    }
    Process& read = process("input port", beat, plan_.port_depth);
    read.reads = {in};
    read.writes = {blocks};
    return out;
  }

  void write_port(int in) {
    new_loop(false);
    const LayerPlan& last = plan_.layers.back();
    Port words{in, {}};
    int beat = 0;
    for (int at = 0; at < last.options.size; ++beat) {
      const int in_word = at % last.out_elements;
      if (in_word == 0) words.beats.push_back(beat);
      at += std::min({plan_.port_elements, last.out_elements - in_word, last.options.size - at});
    }
    process("output port", beat, plan_.port_depth).reads = {words};
  }

  /// transform_stage, multiply_stage and inverse_stage of hls/kernel/matrix_vector.h.
  void add_product(const MatrixPlan& m, int in, int out) {
    const std::string& name = m.shape.name;
    const int spectra = channel(name + " spectra", 2, true);
    const int sums = channel(name + " sums", plan_.depths.sums);
    Port words{in, {}};
    int beat = 0;
    for (int e = 0; e < m.q * m.k; e += m.step(), ++beat) {
      if (e % m.in_elements == 0 && e < m.shape.cols) words.beats.push_back(beat);
    }
    Process& transform = process(name + " transform", beat, m.transform_depth);
    transform.reads = {words};
    transform.writes = {Port{spectra, {}}};

    Port rows{sums, {}};
    beat = 0;
    for (int n = 0; n < m.p; n += m.fold.rows_parallel) {
      for (int j = 0; j < m.q; j += m.fold.cols_parallel, ++beat) {
        if (j + m.fold.cols_parallel == m.q) rows.beats.push_back(beat);
      }
    }
    Process& multiply = process(name + " multiply", beat, m.multiply_depth);
    multiply.reads = {Port{spectra, {}}};
    multiply.writes = {rows};

    Port sums_in{sums, {}}, products{out, {}};
    beat = 0;
    for (int n = 0, left = 0; n < m.p; n += m.fold.inverses_parallel, ++beat) {
      if (left == 0) {
        sums_in.beats.push_back(beat);
        left = m.fold.rows_parallel;
      }
      left -= m.fold.inverses_parallel;
      products.beats.push_back(beat);
    }
    Process& inverse = process(name + " inverse", beat, m.inverse_depth);
    inverse.reads = {sums_in};
    inverse.writes = {products};
  }

  /// The loops of lstm_cells, gru_gates and gru_candidates. `products` are streams with the words
  /// of a group that come from each, `groups` streams with one word a group.
  Process& add_units(const std::string& name, const UnitsPlan& units,
                     const std::vector<std::pair<int, int>>& products,
                     const std::vector<int>& groups_in, const std::vector<int>& groups_out) {
    const int slots = units.slots();
    std::vector<Port> reads(products.size() + groups_in.size()), writes(groups_out.size());
    for (std::size_t i = 0; i < products.size(); ++i) reads[i].channel = products[i].first;
    for (std::size_t i = 0; i < groups_in.size(); ++i)
      reads[products.size() + i].channel = groups_in[i];
    for (std::size_t i = 0; i < groups_out.size(); ++i) writes[i].channel = groups_out[i];
    int at = 0;
    for (int group = 0; group <= units.groups; ++group) {
      for (int beat = 0; beat < slots; ++beat, ++at) {
        if (group < units.groups) {
          for (std::size_t i = 0; i < products.size(); ++i) {
            if (beat < products[i].second) reads[i].beats.push_back(at);
          }
          for (std::size_t i = products.size(); i < reads.size(); ++i) {
            if (beat == 0) reads[i].beats.push_back(at);
          }
        }
        if (group > 0 && beat == units.computing - 1) {
          for (Port& port : writes) port.beats.push_back(at);
        }
      }
    }
    Process& process_of_units = process(name, at, units.depth);
    process_of_units.reads = std::move(reads);
    process_of_units.writes = std::move(writes);
    return process_of_units;
  }

  /// One word in and one word out a beat.
  Process& add_copy(const std::string& name, long long beats, int depth, int in, int out) {
    Port port;
    for (int i = 0; i < beats; ++i) port.beats.push_back(i);
    Process& copy = process(name, static_cast<int>(beats), depth);
    if (in >= 0) {
      port.channel = in;
      copy.reads = {port};
    }
    port.channel = out;
    copy.writes = {port};
    return copy;
  }

  int add_layer(const LayerPlan& layer, int in) {
    new_loop(false);
    const MatrixPlan& input = layer.matrices.front();
    const long long words = input.inverse_beats();
    const int product =
        channel(layer.name + " input product", frames(plan_.depths.input_frames, words));
    add_product(input, in, product);
    const int out = channel(layer.name + " output", plan_.depths.layer);
    new_loop(layer.recurrent());
    switch (layer.options.type) {
      case LayerType::lstm:
        add_lstm(layer, product, out);
        break;
      case LayerType::gru:
        add_gru(layer, product, out);
        break;
      case LayerType::feedforward:
        add_copy(layer.name + " bias", layer.write_beats, layer.write_depth, product, out);
        break;
    }
    network_.processes.back().layer_output = true;
    return out;
  }

  void add_lstm(const LayerPlan& layer, int product, int out) {
    const std::string& name = layer.name;
    const MatrixPlan& recurrent = layer.matrices[1];
    const int blocks = channel(name + " y", plan_.depths.units);
    const int sums = channel(name + " recurrent product", plan_.depths.product);
    const int hidden = channel(name + " hidden", plan_.depths.units);
    add_copy(name + " read", layer.read_beats, layer.read_depth, -1, blocks);
    add_product(recurrent, blocks, sums);
    const UnitsPlan& cells = layer.units.front();
    add_units(name + " cells", cells, {{product, cells.input_words}, {sums, cells.product_words}},
              {}, {hidden});
    int last = hidden;
    if (layer.projects()) {
      last = channel(name + " projection", plan_.depths.units);
      add_product(layer.matrices[2], hidden, last);
    }
    add_copy(name + " write", layer.write_beats, layer.write_depth, last, out);
  }

  void add_gru(const LayerPlan& layer, int product, int out) {
    const std::string& name = layer.name;
    const UnitsPlan& gates = layer.units[0];
    const UnitsPlan& candidates = layer.units[1];
    const int blocks = channel(name + " h", plan_.depths.units);
    const int held = channel(name + " h of gates", frames(plan_.depths.gates_frames, gates.groups));
    const int sums = channel(name + " recurrent product", plan_.depths.product);
    const int operand = channel(name + " operand", plan_.depths.units);
    const int passed = channel(name + " gates", frames(plan_.depths.gates_frames, gates.groups));
    const int candidate = channel(name + " candidate product", plan_.depths.product);
    Process& read = add_copy(name + " read", layer.read_beats, layer.read_depth, -1, blocks);
    Port groups{held, {}};
    const int block = layer.matrices[1].k;
    for (int first = 0, beat = 0; first < layer.options.size; first += block, ++beat) {
      if ((first + block) % layer.fold.unit_group == 0) groups.beats.push_back(beat);
    }
    read.writes.push_back(groups);
    add_product(layer.matrices[1], blocks, sums);
    add_units(name + " gates", gates, {{product, gates.input_words}, {sums, gates.product_words}},
              {held}, {operand, passed});
    add_product(layer.matrices[2], operand, candidate);
    add_units(name + " candidates", candidates, {{candidate, candidates.product_words}}, {passed},
              {out});
  }

  const KernelPlan& plan_;
  ProcessNetwork network_;
  int layer_ = -1;
};

}  // namespace

ProcessNetwork process_network(const KernelPlan& plan) {
  return Builder(plan).build();
}

}  // namespace ernn
