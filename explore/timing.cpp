#include "explore/timing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "explore/vector_recurrence.h"

namespace ernn {

namespace {

/// `words` words, one each `beats` beats from the first beat on.
FlowPort each(int edge, double words, double beats) {
  return {edge, words, 0, beats, 1};
}
/// The same at the end of each turn of `beats` beats.
FlowPort each_end(int edge, double words, double beats) {
  return {edge, words, beats - 1, beats, 1};
}

/// Processes and streams of a kernel from the plan's formulas.
class GraphBuilder {
 public:
  explicit GraphBuilder(const KernelPlan& plan) : plan_(plan) {}

  FlowGraph network() {
    const MatrixPlan& first = plan_.layers.front().matrices.front();
    new_loop(false);
    int edge = graph_.add_edge(false, plan_.depths.layer);
    const auto beats = static_cast<double>(plan_.read_beats());
    add("input port", beats, plan_.port_depth, {}, {each_end(edge, first.q, beats / first.q)});
    for (const LayerPlan& layer : plan_.layers) edge = add_layer(layer, edge);
    new_loop(false);
    const LayerPlan& last = plan_.layers.back();
    const double word_beats =
        std::ceil(static_cast<double>(last.out_elements) / plan_.port_elements);
    add("output port", static_cast<double>(plan_.write_beats()), plan_.port_depth,
        {each(edge, static_cast<double>(last.out_words()), word_beats)}, {});
    return std::move(graph_);
  }

  /// One layer whose input is there at once; with `ahead` its input product, too.
  FlowGraph layer(const LayerPlan& layer, bool ahead) {
    ahead_ = ahead;
    add_layer(layer, -1);
    return std::move(graph_);
  }

 private:
  void new_loop(bool recurrent) { graph_.recurrent.push_back(recurrent); }
  int stream(double words) { return graph_.add_edge(false, words); }

  void add(const std::string& name, double beats, double depth, const std::vector<FlowPort>& reads,
           const std::vector<FlowPort>& writes) {
    FlowNode node;
    node.name = name;
    node.loop = static_cast<int>(graph_.recurrent.size()) - 1;
    node.beats = beats;
    node.depth = depth;
    for (const FlowPort& port : reads) {
      if (port.edge >= 0) node.reads.push_back(port);
    }
    for (const FlowPort& port : writes) {
      if (port.edge >= 0) node.writes.push_back(port);
    }
    graph_.add_node(std::move(node));
  }

  void add_product(const MatrixPlan& m, int in, int out) {
    const int spectra = graph_.add_edge(true, 2);
    const int sums = stream(plan_.depths.sums);
    const double in_words = std::ceil(static_cast<double>(m.shape.cols) / m.in_elements);
    add(m.shape.name + " transform", static_cast<double>(m.transform_beats()), m.transform_depth,
        {each(in, in_words, std::max(1, m.in_elements / m.step()))}, {each(spectra, 1, 1)});
    add(m.shape.name + " multiply", static_cast<double>(m.multiply_beats()), m.multiply_depth,
        {each(spectra, 1, 1)}, {each_end(sums, m.row_groups(), m.row_beats())});
    const auto beats = static_cast<double>(m.inverse_beats());
    FlowPort products = each(out, beats, 1);
    products.together = m.word_beats();
    add(m.shape.name + " inverse", beats, m.inverse_depth,
        {each(sums, m.row_groups(), m.word_beats())}, {products});
  }

  /// `words` of each group come on a product's stream.
  static FlowPort grouped(int edge, const UnitsPlan& units, int words) {
    return {edge, static_cast<double>(units.groups) * words, 0, static_cast<double>(units.slots()),
            static_cast<double>(words)};
  }
  static FlowPort group_writes(int edge, const UnitsPlan& units) {
    const double slots = units.slots();
    return {edge, static_cast<double>(units.groups), slots + units.computing - 1, slots, 1};
  }

  int add_layer(const LayerPlan& layer, int in) {
    const MatrixPlan& input = layer.matrices.front();
    int product = -1;
    if (!ahead_) {
      new_loop(false);
      product = stream(plan_.depths.input_frames * static_cast<double>(input.inverse_beats()));
      add_product(input, in, product);
    }
    const int out = stream(plan_.depths.layer);
    new_loop(layer.recurrent());
    const auto words = static_cast<double>(layer.write_beats);
    if (!layer.recurrent()) {
      add(layer.name + " bias", words, layer.write_depth, {each(product, words, 1)},
          {each(out, words, 1)});
    } else if (layer.options.type == LayerType::gru) {
      add_gru(layer, product, out);
    } else {
      add_lstm(layer, product, out);
    }
    return out;
  }

  void add_lstm(const LayerPlan& layer, int product, int out) {
    const UnitsPlan& cells = layer.units[0];
    const int blocks = stream(plan_.depths.units);
    const int sums = stream(plan_.depths.product);
    const int hidden = stream(plan_.depths.units);
    const auto blocks_read = static_cast<double>(layer.read_beats);
    add(layer.name + " read", blocks_read, layer.read_depth, {}, {each(blocks, blocks_read, 1)});
    add_product(layer.matrices[1], blocks, sums);
    add(layer.name + " cells", static_cast<double>(cells.beats()), cells.depth,
        {grouped(product, cells, cells.input_words), grouped(sums, cells, cells.product_words)},
        {group_writes(hidden, cells)});
    int last = hidden;
    if (layer.projects()) {
      last = stream(plan_.depths.units);
      add_product(layer.matrices[2], hidden, last);
    }
    const auto words = static_cast<double>(layer.write_beats);
    add(layer.name + " write", words, layer.write_depth, {each(last, words, 1)},
        {each(out, words, 1)});
  }

  void add_gru(const LayerPlan& layer, int product, int out) {
    const UnitsPlan& gates = layer.units[0];
    const UnitsPlan& candidates = layer.units[1];
    const double groups = gates.groups;
    const int blocks = stream(plan_.depths.units);
    const int held = stream(plan_.depths.gates_frames * groups);
    const int sums = stream(plan_.depths.product);
    const int operand = stream(plan_.depths.units);
    const int passed = stream(plan_.depths.gates_frames * groups);
    const int candidate = stream(plan_.depths.product);
    const auto blocks_read = static_cast<double>(layer.read_beats);
    add(layer.name + " read", blocks_read, layer.read_depth, {},
        {each(blocks, blocks_read, 1), each_end(held, groups, blocks_read / groups)});
    add_product(layer.matrices[1], blocks, sums);
    add(layer.name + " gates", static_cast<double>(gates.beats()), gates.depth,
        {grouped(product, gates, gates.input_words), grouped(sums, gates, gates.product_words),
         grouped(held, gates, 1)},
        {group_writes(operand, gates), group_writes(passed, gates)});
    add_product(layer.matrices[2], operand, candidate);
    add(layer.name + " candidates", static_cast<double>(candidates.beats()), candidates.depth,
        {grouped(candidate, candidates, candidates.product_words), grouped(passed, candidates, 1)},
        {group_writes(out, candidates)});
  }

  const KernelPlan& plan_;
  FlowGraph graph_;
  bool ahead_ = false;
};

/// Without the latency.
LayerTiming time_layer(const KernelPlan& plan, const LayerPlan& layer) {
  LayerTiming timing;
  timing.name = layer.name;
  const FlowGraph whole = GraphBuilder(plan).layer(layer, false);
  if (layer.recurrent()) {
    const std::vector<double> ends = first_vector_ends(GraphBuilder(plan).layer(layer, true));
    timing.recurrence =
        *std::max_element(ends.begin(), ends.end()) + kHandshakeClocks + kFrameLoopClocks;
  }
  for (const FlowNode& node : whole.nodes) {
    const double interval = node.beats + node.depth + kHandshakeClocks;
    if (interval <= timing.interval) continue;
    timing.interval = interval;
    timing.slowest = node.name;
  }
  return timing;
}

/// What `interleaved` comes from: a process that never rests, the recurrence, or processes that
/// wait for each other.
std::string bottleneck_of(const NetworkTiming& timing) {
  constexpr double kBusy = 0.97;
  const StageTiming* slowest = &timing.stages.front();
  for (const StageTiming& stage : timing.stages) {
    if (stage.interval() > slowest->interval()) slowest = &stage;
  }
  if (static_cast<double>(slowest->interval()) >= kBusy * timing.interleaved) return slowest->name;
  const LayerTiming* longest = &timing.layers.front();
  for (const LayerTiming& layer : timing.layers) {
    if (layer.recurrence > longest->recurrence) longest = &layer;
  }
  const double filled =
      (longest->recurrence + (timing.streams - 1) * longest->interval) / timing.streams;
  if (filled >= kBusy * timing.interleaved) {
    return "the recurrence of " + longest->name +
           (timing.streams > 1
                ? ": filled and emptied each frame, with " + longest->slowest + " slowest"
                : "");
  }
  return longest->name + ": short streams make its processes wait for each other, with " +
         longest->slowest + " slowest";
}

}  // namespace

bool formulas_hold(const KernelPlan& plan) {
  for (const LayerPlan& layer : plan.layers) {
    for (const UnitsPlan& units : layer.units) {
      if (units.product_words > plan.depths.product) return false;
    }
  }
  return true;
}

double latency_clocks(const KernelPlan& plan) {
  return first_vector_ends(GraphBuilder(plan).network()).back();
}

IntervalBounds interval_bounds(const KernelPlan& plan, int streams) {
  IntervalBounds bounds;
  bounds.interleaved = static_cast<double>(std::max(plan.read_beats(), plan.write_beats())) +
                       plan.port_depth + kHandshakeClocks;
  for (const LayerPlan& layer : plan.layers) {
    const LayerTiming timing = time_layer(plan, layer);
    bounds.interleaved =
        std::max({bounds.interleaved, timing.interval,
                  (timing.recurrence + (streams - 1) * timing.interval) / streams});
    bounds.recurrence += timing.recurrence;
  }
  return bounds;
}

NetworkTiming time_kernel(const KernelPlan& plan, int streams) {
  NetworkTiming timing;
  timing.streams = streams;
  const FlowGraph graph = GraphBuilder(plan).network();
  for (const LayerPlan& layer : plan.layers) {
    timing.layers.push_back(time_layer(plan, layer));
    timing.layers.back().latency = first_vector_ends(GraphBuilder(plan).layer(layer, false)).back();
  }
  for (const FlowNode& node : graph.nodes) {
    // Ends of the chain have loops of their own, layers two each.
    const int layer = (node.loop + 1) / 2 - 1;
    const bool end = node.loop == 0 || layer >= static_cast<int>(plan.layers.size());
    timing.stages.push_back({node.name, end ? -1 : layer, static_cast<long long>(node.beats),
                             static_cast<int>(node.depth)});
  }
  const VectorTimes one = vector_times(graph, 1);
  timing.latency = one.first_latency;
  timing.single = one.interval;
  timing.interleaved = streams > 1 ? vector_times(graph, streams).interval : one.interval;
  timing.bottleneck = bottleneck_of(timing);
  return timing;
}

}  // namespace ernn
