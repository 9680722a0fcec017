// When each process of a kernel starts and ends each vector, by a recurrence over vectors.
#pragma once

#include <string>
#include <vector>

namespace ernn {

/// A stream of `capacity` words, or a buffer of two vectors.
struct FlowEdge {
  bool buffer = false;
  double capacity = 2;  ///< words
  int writer = -1, reader = -1;
};

/// `words` of an edge, read or written from beat `first` on: bursts of `burst` words, one a beat,
/// that begin every `period` beats.
struct FlowPort {
  int edge = -1;
  double words = 1, first = 0, period = 1, burst = 1;

  /// Words that are written one after the other and then wait for what the writer reads.
  double together = 1;

  double beat(double word) const;
  /// The last word of those read or written up to a beat; the beat must not be before the first.
  double word(double beat) const;
  double last() const { return beat(words - 1); }
};

/// A process. Those before it in FlowGraph::nodes come before it in the data's way.
struct FlowNode {
  std::string name;
  int loop = 0;
  double beats = 1, depth = 1;
  std::vector<FlowPort> reads, writes;
};

struct FlowGraph {
  std::vector<FlowNode> nodes;
  std::vector<FlowEdge> edges;
  std::vector<bool> recurrent;  ///< by loop: a frame starts when the one before has ended

  int add_edge(bool buffer, double capacity);
  /// Sets the edges' ends too.
  void add_node(FlowNode node);
};

struct VectorTimes {
  double first_latency = 0;  ///< last clock with work of the first vector in the last node
  double interval = 0;       ///< clocks a vector, once it is steady
};

/// `streams` vectors a frame; ends when the frames have become steady.
VectorTimes vector_times(const FlowGraph& graph, int streams);

/// Ends of the first vector in every node (last clock with work).
std::vector<double> first_vector_ends(const FlowGraph& graph);

}  // namespace ernn
