#include "explore/vector_recurrence.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "explore/kernel_plan.h"

namespace ernn {

namespace {

constexpr int kMostFrames = 24;
constexpr int kFewestFrames = 2;
constexpr int kWordsLookedAt = 6;  ///< of a stream, for the places that a writer waits for
constexpr double kNever = -1e15;

/// When a beat can leave the pipeline at the earliest, because a place was not free before.
struct Hold {
  double beat = 0, time = 0;
};

/// One vector in one process.
struct Visit {
  /// Words that another process writes for this one.
  struct Arrival {
    const FlowPort* read = nullptr;
    const FlowPort* written = nullptr;
    const Visit* writer = nullptr;
  };

  double start = 0, depth = 0, beats = 0;
  std::vector<Arrival> arrivals;
  std::vector<Hold> holds;

  /// The clock in which a beat is issued.
  double issue(double beat) const;
  /// The clock in which it leaves the pipeline and writes.
  double leave(double beat) const {
    double time = issue(beat) + depth;
    for (const Hold& hold : holds) {
      if (beat >= hold.beat) time = std::max(time, hold.time + beat - hold.beat);
    }
    return time;
  }
  double last() const { return leave(beats - 1); }
  double end() const { return last() + kHandshakeClocks; }
};

double Visit::issue(double beat) const {
  double time = start + 1 + beat;
  for (const Arrival& arrival : arrivals) {
    const FlowPort& read = *arrival.read;
    if (beat < read.first) continue;
    // Bursts are read evenly, and what comes together comes evenly: the first or the present one
    // decides, or the one before.
    const double now = read.word(beat);
    const double burst_before = std::floor(now / read.burst) * read.burst - 1;
    const double together = std::floor(now / arrival.written->together) * arrival.written->together;
    double known = -1;
    for (const double word : {now, burst_before, together, std::min(read.burst - 1, now), 0.0}) {
      if (word < 0 || word == known) continue;
      known = word;
      time = std::max(
          time, arrival.writer->leave(arrival.written->beat(word)) + 1 + beat - read.beat(word));
    }
  }
  for (const Hold& hold : holds) {
    // While a beat waits to leave, the pipeline behind it is full.
    if (beat >= hold.beat + depth) time = std::max(time, hold.time + beat - hold.beat - depth);
  }
  return time;
}

class Recurrence {
 public:
  Recurrence(const FlowGraph& graph, int streams)
      : graph_(graph), streams_(streams), visits_(graph.nodes.size()) {
    loop_end_.assign(graph.recurrent.size(), kNever);
    frame_end_ = loop_end_;
  }

  /// All processes, one vector more.
  void next() {
    const int vector = done_++;
    if (vector % streams_ == 0) {
      for (std::size_t l = 0; l < loop_end_.size(); ++l) frame_end_[l] = loop_end_[l];
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) visits_[n].emplace_back();
    // What later processes hold up shows only once they are known.
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t n = 0; n < graph_.nodes.size(); ++n) forward(n, vector);
      for (std::size_t n = graph_.nodes.size(); n-- > 0;) hold_up(n, vector);
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      const auto loop = static_cast<std::size_t>(graph_.nodes[n].loop);
      loop_end_[loop] = std::max(loop_end_[loop], visits_[n].back().end());
    }
  }

  const Visit& visit(std::size_t node, int vector) const {
    return visits_[node][static_cast<std::size_t>(vector)];
  }

 private:
  const FlowEdge& edge(const FlowPort& port) const {
    return graph_.edges[static_cast<std::size_t>(port.edge)];
  }
  const Visit* visit_of(int node, int vector) const {
    return node >= 0 && vector >= 0 ? &visit(static_cast<std::size_t>(node), vector) : nullptr;
  }
  const FlowPort& port_of(int node, const FlowPort& same_edge, bool reads) const {
    const FlowNode& other = graph_.nodes[static_cast<std::size_t>(node)];
    for (const FlowPort& port : reads ? other.reads : other.writes) {
      if (port.edge == same_edge.edge) return port;
    }
    return same_edge;
  }

  void forward(std::size_t n, int vector) {
    const FlowNode& node = graph_.nodes[n];
    Visit& visit = visits_[n].back();
    visit.beats = node.beats;
    visit.depth = node.depth;
    visit.start = 0;
    visit.arrivals.clear();
    if (vector > 0) visit.start = this->visit(n, vector - 1).end();
    const auto loop = static_cast<std::size_t>(node.loop);
    if (graph_.recurrent[loop])
      visit.start = std::max(visit.start, frame_end_[loop] + kFrameLoopClocks);
    for (const FlowPort& port : node.reads) {
      const FlowEdge& from = edge(port);
      const Visit* const writer = visit_of(from.writer, vector);
      if (writer == nullptr) continue;
      if (from.buffer) {
        visit.start = std::max(visit.start, writer->end());
        continue;
      }
      visit.arrivals.push_back({&port, &port_of(from.writer, port, false), writer});
    }
    for (const FlowPort& port : node.writes) {
      if (!edge(port).buffer) continue;
      const Visit* const reader = visit_of(edge(port).reader, vector - 2);
      if (reader != nullptr) visit.start = std::max(visit.start, reader->end());
    }
  }

  /// Looks for places that are free only later than a word could be written.
  void hold_up(std::size_t n, int vector) {
    const FlowNode& node = graph_.nodes[n];
    Visit& visit = visits_[n].back();
    visit.holds.clear();
    for (const FlowPort& port : node.writes) {
      const FlowEdge& to = edge(port);
      if (to.buffer || to.reader < 0) continue;
      const FlowPort& read = port_of(to.reader, port, true);
      const double step = std::max(1.0, std::floor((port.words - 1) / kWordsLookedAt));
      for (double word = 0; word < port.words; word += step) {
        consider(visit, port, read, to, vector, word);
        if (word < to.capacity && word + step > to.capacity)
          consider(visit, port, read, to, vector, to.capacity);
      }
      consider(visit, port, read, to, vector, port.words - 1);
    }
  }

  void consider(Visit& visit, const FlowPort& port, const FlowPort& read, const FlowEdge& to,
                int vector, double word) const {
    if (word >= port.words) return;
    // The word whose place this one takes, counted from the first vector on.
    const double before = vector * port.words + word - to.capacity;
    if (before < 0) return;
    const int earlier = static_cast<int>(before / port.words);
    const Visit* const reader = visit_of(to.reader, earlier);
    if (reader == nullptr) return;
    const double free = reader->issue(read.beat(before - earlier * port.words)) + 1;
    const double beat = port.beat(word);
    if (free > visit.leave(beat)) visit.holds.push_back({beat, free});
  }

  const FlowGraph& graph_;
  int streams_;
  int done_ = 0;
  std::vector<std::deque<Visit>> visits_;  ///< by node and vector
  std::vector<double> loop_end_, frame_end_;
};

}  // namespace

double FlowPort::beat(double word) const {
  const double bursts = std::floor(word / burst);
  return first + bursts * period + word - bursts * burst;
}

double FlowPort::word(double beat) const {
  const double bursts = std::floor((beat - first) / period);
  return std::min(words - 1, bursts * burst + std::min(beat - first - bursts * period, burst - 1));
}

int FlowGraph::add_edge(bool buffer, double capacity) {
  FlowEdge edge;
  edge.buffer = buffer;
  edge.capacity = std::max(2.0, capacity);
  edges.push_back(edge);
  return static_cast<int>(edges.size()) - 1;
}

void FlowGraph::add_node(FlowNode node) {
  const int number = static_cast<int>(nodes.size());
  for (const FlowPort& port : node.reads)
    edges[static_cast<std::size_t>(port.edge)].reader = number;
  for (const FlowPort& port : node.writes)
    edges[static_cast<std::size_t>(port.edge)].writer = number;
  nodes.push_back(std::move(node));
}

VectorTimes vector_times(const FlowGraph& graph, int streams) {
  Recurrence recurrence(graph, streams);
  const std::size_t last = graph.nodes.size() - 1;
  VectorTimes times;
  double before = 0, period = 0;
  for (int frame = 0; frame < kMostFrames; ++frame) {
    for (int s = 0; s < streams; ++s) recurrence.next();
    const double end = recurrence.visit(last, (frame + 1) * streams - 1).last();
    const bool steady = frame >= kFewestFrames && std::abs(end - before - period) < 0.5;
    period = end - before;
    before = end;
    if (steady) break;
  }
  times.first_latency = recurrence.visit(last, 0).last();
  times.interval = period / streams;
  return times;
}

std::vector<double> first_vector_ends(const FlowGraph& graph) {
  Recurrence recurrence(graph, 1);
  recurrence.next();
  std::vector<double> ends;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    ends.push_back(recurrence.visit(n, 0).last());
  return ends;
}

}  // namespace ernn
