// The kernel of one network as hardware: which processes, how many beats each takes a frame, how
// deep its pipeline is (docs/hardware.md, How long a process takes).
//
// A process takes `beats + depth + 2` clocks a vector: one beat a clock, `depth` clocks from a read
// to its write, two of handshake. It takes the next vector only then.
#pragma once

#include <string>
#include <vector>

#include "explore/datapath.h"
#include "export/folding.h"
#include "models/options.h"

namespace ernn {

/// Clocks between a process's last write and the first clock of its next vector.
inline constexpr int kHandshakeClocks = 2;
/// Clocks between the end of a frame and the next turn of the loop over frames.
inline constexpr int kFrameLoopClocks = 2;

/// Words that the kernel's streams hold (hls/kernel/recurrent.h); 2 is what a stream without a
/// depth has.
struct StreamDepths {
  int sums = 2;      ///< from multiplication to inverse transform
  int product = 32;  ///< from the recurrent and the candidate's product to the units, which read a
                     ///< group's words in a burst
  int units = 2;     ///< from the units to the next product, and from there to the state
  int layer = 2;     ///< from a layer to the next one
  double input_frames = 1;  ///< input product, in vectors: it runs ahead
  /// GRU: h to the gates, and what those pass on to the candidate, in vectors.
  double gates_frames = 3;
};

template <class Visitor>
void describe(Visitor& field, StreamDepths& o) {
  field("sums", o.sums, "words from multiplication to inverse transform");
  field("product", o.product, "words from the recurrent product to the units");
  field("units", o.units, "words from the units to the next product or the state");
  field("layer", o.layer, "words from a layer to the next one");
  field("input_frames", o.input_frames, "vectors of the input product");
  field("gates_frames", o.gates_frames, "vectors that pass by a GRU's products");
}

/// One matrix product: transform, multiply, inverse.
struct MatrixPlan {
  MatrixShape shape;
  MatrixFolding fold;
  MatrixWidths widths;
  int p = 0, q = 0, k = 1;
  int in_elements = 1;  ///< of a word that the transform reads
  int transform_depth = 1, multiply_depth = 1, inverse_depth = 1;

  int step() const { return in_elements < k ? in_elements : k; }
  long long transform_beats() const { return static_cast<long long>(q) * k / step(); }
  int row_beats() const { return q / fold.cols_parallel; }  ///< of one group of block rows
  /// The last group may have rows beyond the matrix.
  int row_groups() const { return (p + fold.rows_parallel - 1) / fold.rows_parallel; }
  long long multiply_beats() const { return static_cast<long long>(row_groups()) * row_beats(); }
  /// Beats of the inverse for one group of block rows; for the last one perhaps fewer.
  int word_beats() const { return fold.rows_parallel / fold.inverses_parallel; }
  long long inverse_beats() const { return p / fold.inverses_parallel; }
  int out_elements() const { return fold.inverses_parallel * k; }
  long long block_products() const {
    return static_cast<long long>(fold.rows_parallel) * fold.cols_parallel;
  }
};

/// LSTM cells, GRU gates or GRU candidates: while the products of one group of units come in, the
/// group before is computed.
struct UnitsPlan {
  int groups = 0;
  int computing = 0;      ///< beats of a group's units
  int input_words = 0;    ///< of the input product, a group (0: candidates)
  int product_words = 0;  ///< of the recurrent or the candidate's product, a group
  int depth = 1;

  int slots() const;  ///< beats of a group
  long long beats() const { return static_cast<long long>(groups + 1) * slots(); }
};

struct LayerPlan {
  LayerOptions options;
  std::string name;
  LayerFolding fold;
  LayerWidths widths;
  std::vector<MatrixPlan> matrices;
  std::vector<UnitsPlan> units;  ///< LSTM: cells; GRU: gates, candidates; feed-forward: none
  long long read_beats = 0;      ///< recurrent: y(t-1) in blocks
  long long write_beats = 0;     ///< LSTM: y into the state; feed-forward: bias and activation
  int read_depth = 2, write_depth = 2;
  int out_elements = 1;  ///< of a word handed on

  bool recurrent() const { return options.type != LayerType::feedforward; }
  bool projects() const { return options.type == LayerType::lstm && matrices.size() == 3; }
  long long out_words() const;
};

struct KernelPlan {
  ModelOptions model;
  Folding folding;
  StreamDepths depths;
  std::vector<LayerPlan> layers;  ///< hidden layers, then the output layer
  int port_elements = 1;          ///< elements that the input and output port carry a clock
  int port_depth = 2;

  long long read_beats() const;   ///< of the input port
  long long write_beats() const;  ///< of the output port
};

/// `folding` must be resolved; `widths` has one entry a layer and the output. Throws UsageError for
/// a layer that joins frames.
KernelPlan plan_kernel(const ModelOptions& model, const Folding& folding,
                       const std::vector<LayerWidths>& widths, DatapathTable& table,
                       const StreamDepths& depths = {}, int port_elements = 1);

}  // namespace ernn
