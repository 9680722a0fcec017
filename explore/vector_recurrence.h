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

/// `words` of an edge, read or written evenly from `first` to `last`, in beats.
struct FlowPort {
  int edge = -1;
  double words = 1, first = 0, last = 0;

  double beat(double word) const {
    return words > 1 ? first + word * (last - first) / (words - 1) : last;
  }
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
