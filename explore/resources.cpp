#include "explore/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "export/float_network.h"
#include "models/options.h"

namespace ernn {

namespace {

int ceil_divide(long long a, long long b) {
  return static_cast<int>((a + b - 1) / b);
}

class Counter {
 public:
  Counter(const KernelPlan& plan, DatapathTable& table, int streams)
      : plan_(plan), table_(table), streams_(streams) {}

  std::vector<StageResources> run() {
    const LayerPlan& first = plan_.layers.front();
    const MatrixPlan& input = first.matrices.front();
    layer_ = -1;
    stage("input port", plan_.read_beats());
    stream("input blocks", static_cast<long long>(input.k) * input.widths.input,
           plan_.depths.layer);
    for (std::size_t l = 0; l < plan_.layers.size(); ++l) {
      layer_ = static_cast<int>(l);
      add_layer(plan_.layers[l]);
    }
    layer_ = -1;
    stage("output port", plan_.write_beats());
    return std::move(stages_);
  }

 private:
  StageResources& now() { return stages_.back(); }

  void stage(const std::string& name, long long beats) {
    StageResources& one = stages_.emplace_back();
    one.name = name;
    one.layer = layer_;
    one.beats = beats;
    one.total.lut = table_.platform().logic.lut_per_stage;
    one.total.ff = table_.platform().logic.ff_per_stage;
  }
  void datapath(const DatapathCost& cost, double count) {
    Resources part;
    part.dsp = cost.dsp;
    part.lut = cost.lut;
    part.ff = cost.ff;
    now().total += count * part;
  }
  void add_memory(const std::string& name, long long width, long long depth, double copies,
                  const Resources& one) {
    MemoryUse memory{name, std::llround(copies * static_cast<double>(width)), depth, copies * one};
    now().total += memory.cost;
    now().memories.push_back(memory);
  }
  void memory(const std::string& name, long long width, long long depth, double copies = 1) {
    add_memory(name, width, depth, copies, memory_cost(width, depth));
  }
  void stream(const std::string& name, long long width, long long depth) {
    add_memory(name, width, std::max(2LL, depth), 1, stream_cost(width, std::max(2LL, depth)));
  }
  void weights(const std::string& name, long long width, long long depth) {
    memory(name, width, depth);
    now().weight_bits += width * depth;
    now().weight_bandwidth += width;
  }

  void add_product(const MatrixPlan& m, long long product_depth) {
    const MatrixWidths& bits = m.widths;
    const std::string& name = m.shape.name;
    const double rows = m.fold.rows_parallel, cols = m.fold.cols_parallel,
                 inverses = m.fold.inverses_parallel;
    stage(name + " transform", m.transform_beats());
    if (m.k > 1) datapath(table_.forward_fft(m.k, bits), 1);
    now().multiplications = transform_multiplications(m.k);
    // Banks for cols_parallel blocks a clock, two vectors deep.
    memory("spectra", static_cast<long long>(m.k) * bits.spectrum, 2LL * m.row_beats(), cols);

    stage(name + " multiply", m.multiply_beats());
    datapath(table_.block_product(m.k, bits, m.q), rows * cols);
    const int wide = bits.weight + bits.spectrum + 1 + static_cast<int>(std::ceil(std::log2(m.q)));
    if (m.k > 1) datapath(table_.narrowing(m.k, wide, bits.sum), rows);
    now().multiplications = static_cast<int>(m.block_products()) * block_multiplications(m.k);
    weights("weights", m.block_products() * m.k * bits.weight, m.multiply_beats());
    stream("sums", static_cast<long long>(rows) * m.k * bits.sum, plan_.depths.sums);

    stage(name + " inverse", m.inverse_beats());
    if (m.k > 1) {
      datapath(table_.inverse_fft(m.k, bits), inverses);
    } else {
      datapath(table_.narrowing(1, bits.sum, bits.product), inverses);
    }
    now().multiplications = static_cast<int>(inverses) * transform_multiplications(m.k);
    stream("product", static_cast<long long>(m.out_elements()) * bits.product, product_depth);
  }

  /// Registers of two groups of products.
  void group_registers(const LayerPlan& layer, int gates, int bits) {
    now().total.ff += 2.0 * gates * layer.fold.unit_group * bits;
  }

  void add_cells(const LayerPlan& layer) {
    const LayerWidths& bits = layer.widths;
    const int units = layer.fold.units_parallel, size = layer.options.size;
    stage(layer.name + " cells", layer.units[0].beats());
    datapath(table_.lstm_cell(bits, layer.options.peepholes), units);
    now().multiplications = units * (8 + (layer.options.peepholes ? 3 : 0));
    group_registers(layer, 4, layer.matrices[0].widths.product);
    group_registers(layer, 4, layer.matrices[1].widths.product);
    memory("cells", static_cast<long long>(units) * bits.cell,
           static_cast<long long>(streams_) * size / units);
    weights("biases", 4LL * units * bits.bias, size / units);
    if (layer.options.peepholes) weights("peepholes", 3LL * units * bits.bias, size / units);
    stream("hidden", static_cast<long long>(layer.fold.unit_group) * bits.output,
           plan_.depths.units);
  }

  void add_gates(const LayerPlan& layer) {
    const LayerWidths& bits = layer.widths;
    const int units = layer.fold.units_parallel, size = layer.options.size;
    const bool before = layer.options.reset == GruReset::before;
    const int group = layer.fold.unit_group;
    stage(layer.name + " gates", layer.units[0].beats());
    datapath(table_.gru_gates(bits, before), units);
    now().multiplications = units * (2 + (before ? 1 : 0));
    group_registers(layer, 3, layer.matrices[0].widths.product);
    group_registers(layer, 2, layer.matrices[1].widths.product);
    weights("biases", 2LL * units * bits.bias, size / units);
    stream("operand", static_cast<long long>(group) * bits.output, plan_.depths.units);
    const long long passed = layer.matrices[0].widths.product + 2LL * bits.gate + bits.output;
    stream("gates", group * passed,
           std::llround(plan_.depths.gates_frames * layer.units[0].groups));
  }

  void add_candidates(const LayerPlan& layer) {
    const LayerWidths& bits = layer.widths;
    const int units = layer.fold.units_parallel, size = layer.options.size;
    const bool after = layer.options.reset == GruReset::after;
    stage(layer.name + " candidates", layer.units[1].beats());
    datapath(table_.gru_candidate(bits, after), units);
    now().multiplications = units * (3 + (after ? 1 : 0));
    group_registers(layer, 1, layer.matrices[2].widths.product);
    weights("biases", (after ? 2LL : 1LL) * units * bits.bias, size / units);
    stream("output", static_cast<long long>(layer.fold.unit_group) * bits.output,
           plan_.depths.layer);
  }

  /// y of every stream, of this frame and the one before.
  void add_state(const LayerPlan& layer) {
    const int block = layer.matrices[1].k;
    stage(layer.name + " read", layer.read_beats);
    const long long width =
        static_cast<long long>(std::max(block, layer.out_elements)) * layer.widths.output;
    const long long words =
        ceil_divide(layer.options.outputs(), std::max(block, layer.out_elements));
    memory("y", width, 2LL * streams_ * words);
    if (layer.options.type == LayerType::gru) {
      stream("h", static_cast<long long>(layer.fold.unit_group) * layer.widths.output,
             std::llround(plan_.depths.gates_frames * layer.units[0].groups));
    }
  }

  void add_layer(const LayerPlan& layer) {
    const MatrixPlan& input = layer.matrices.front();
    add_product(input, std::llround(plan_.depths.input_frames *
                                    static_cast<double>(input.inverse_beats())));
    const LayerWidths& bits = layer.widths;
    const int product = input.widths.product;
    if (!layer.recurrent()) {
      stage(layer.name + " bias", layer.write_beats);
      const Activation activation = layer.options.activation;
      const bool lookup = has_table(activation);
      datapath(table_.output(bits, lookup), layer.out_elements);
      now().multiplications = lookup ? layer.out_elements : 0;
      weights("biases", static_cast<long long>(layer.out_elements) * bits.bias, layer.write_beats);
      stream("output", static_cast<long long>(layer.out_elements) * bits.output,
             plan_.depths.layer);
      return;
    }
    add_state(layer);
    add_product(layer.matrices[1], plan_.depths.product);
    if (layer.options.type == LayerType::gru) {
      add_gates(layer);
      add_product(layer.matrices[2], plan_.depths.product);
      add_candidates(layer);
      return;
    }
    add_cells(layer);
    if (layer.projects()) add_product(layer.matrices[2], plan_.depths.units);
    stage(layer.name + " write", layer.write_beats);
    if (layer.projects()) datapath(table_.narrowing(1, product, bits.output), layer.out_elements);
    stream("output", static_cast<long long>(layer.out_elements) * bits.output, plan_.depths.layer);
  }

  const KernelPlan& plan_;
  DatapathTable& table_;
  int streams_;
  int layer_ = -1;
  std::vector<StageResources> stages_;
};

constexpr double kPico = 1e-12;

}  // namespace

std::vector<StageResources> kernel_resources(const KernelPlan& plan, DatapathTable& table,
                                             int streams) {
  return Counter(plan, table, streams).run();
}

Resources total_of(const std::vector<StageResources>& stages) {
  Resources total;
  for (const StageResources& stage : stages) total += stage.total;
  return total;
}

Energy frame_energy(const std::vector<StageResources>& stages, double interval,
                    const Platform& platform) {
  const EnergyAssumptions& assumed = platform.energy;
  Energy energy;
  energy.rest = assumed.static_w * interval / (platform.clock_mhz * 1e6);
  for (const StageResources& stage : stages) {
    const auto beats = static_cast<double>(stage.beats);
    energy.multiply += beats * stage.total.dsp * assumed.multiply_pj * kPico;
    energy.memory += beats * stage.total.bram36 * assumed.bram36_read_pj * kPico;
    energy.logic += beats * stage.total.lut * assumed.lut_pj * kPico;
    energy.clock += interval * stage.total.ff * assumed.ff_pj * kPico;
  }
  return energy;
}

}  // namespace ernn
