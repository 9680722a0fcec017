// What a network looks like, free of LibTorch: shared by training, export and the tools.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ernn {

enum class LayerType { lstm, gru, feedforward };
/// Where the GRU's reset gate acts: on the state before the recurrent product (the papers' form) or
/// on the product's result (PyTorch's form).
enum class GruReset { before, after };
enum class Activation { none, sigmoid, tanh, relu };

const std::vector<std::pair<LayerType, const char*>>& enum_names(LayerType);
const std::vector<std::pair<GruReset, const char*>>& enum_names(GruReset);
const std::vector<std::pair<Activation, const char*>>& enum_names(Activation);

/// Block size k of each kind of matrix: 1 (dense), 2, 4, 8, 16, 32 or 64.
struct BlockSizes {
  int input = 1;
  int recurrent = 1;
  int projection = 1;
};

/// One layer. `size` counts cells (LSTM), units (GRU) or outputs (feed-forward).
struct LayerOptions {
  LayerType type = LayerType::lstm;
  int size = 128;
  int projection = 0;     ///< LSTM: outputs of the recurrent projection; 0 for none
  bool peepholes = true;  ///< LSTM: diagonal connections from the cell to the gates
  double cell_clip = 0;   ///< LSTM: the cell is limited to +-cell_clip; 0 for no limit
  GruReset reset = GruReset::before;
  Activation activation = Activation::none;  ///< feed-forward only
  /// Feed-forward only: which frames of the layer below are joined to one input, relative to the
  /// current one; ascending, 0 or negative. Frames before the first one are zeros. A layer that
  /// shall see later frames looks back from a later one (label delay).
  std::vector<int> offsets = {0};
  BlockSizes block;

  /// Width of what the layer hands on.
  int outputs() const { return type == LayerType::lstm && projection > 0 ? projection : size; }
  /// Frames that the layer looks back through its offsets.
  int reach() const { return -offsets.front(); }
  /// True when the layer joins frames, and so needs a delay line.
  bool joins_frames() const { return offsets.size() > 1 || reach() > 0; }
};

/// A whole acoustic model: hidden layers, then a linear output layer.
struct ModelOptions {
  int inputs = 0;   ///< feature dimension; 0 = taken from the data
  int outputs = 0;  ///< classes; 0 = taken from the phone set
  std::vector<LayerOptions> layers;
  int output_block = 1;  ///< block size of the output layer's matrix
  double dropout = 0;    ///< probability of dropping an activation between layers, in training
};

/// Throws UsageError naming the layer and what would suit: sizes must be positive and at most
/// 65536, block sizes powers of two up to 64, and a layer's size a multiple of the block size of
/// its input and recurrent matrices (gate rows must not share a block); columns and projection rows
/// are padded with zeros as needed. Offsets must be ascending, none above 0 or below
/// -kLongestReach. What only layers of another type have must be as it is by default.
void validate(const ModelOptions& options);

/// Whether k is 1, 2, 4, 8, 16, 32 or 64.
bool is_block_size(long long k);

/// Frames that a layer may look back: ten seconds at 10 ms a frame.
inline constexpr int kLongestReach = 1000;

/// Sets every matrix of the model to the same block size, or each kind to its own.
ModelOptions with_blocks(ModelOptions options, const BlockSizes& block, int output_block);

template <class Visitor>
void describe(Visitor& field, BlockSizes& o) {
  field("input", o.input, "block size of input matrices");
  field("recurrent", o.recurrent, "block size of recurrent matrices");
  field("projection", o.projection, "block size of projection matrices");
}

template <class Visitor>
void describe(Visitor& field, LayerOptions& o) {
  field("type", o.type, "lstm, gru or feedforward");
  field("size", o.size, "cells, units or outputs");
  field("projection", o.projection, "LSTM: width of the recurrent projection, 0 = none");
  field("peepholes", o.peepholes, "LSTM: diagonal peephole connections");
  field("cell_clip", o.cell_clip, "LSTM: limit of the cell, 0 = none");
  field("reset", o.reset, "GRU: reset before or after the recurrent product");
  field("activation", o.activation, "feed-forward: none, sigmoid, tanh or relu");
  field("offsets", o.offsets, "feed-forward: frames joined to one input, 0 or negative, ascending");
  field("block", o.block, "block sizes k, 1 = dense");
}

template <class Visitor>
void describe(Visitor& field, ModelOptions& o) {
  field("inputs", o.inputs, "feature dimension, 0 = from the data");
  field("outputs", o.outputs, "classes, 0 = from the phone set");
  field("layers", o.layers, "hidden layers, first to last");
  field("output_block", o.output_block, "block size of the output layer, 1 = dense");
  field("dropout", o.dropout, "probability, between layers");
}

/// Shape of one weight matrix and how it is stored.
struct MatrixShape {
  std::string name;  ///< "layers.0.input", "layers.0.recurrent", "layers.0.candidate",
                     ///< "layers.0.projection", "output.input"
  int rows = 0;
  int cols = 0;
  int block = 1;

  int block_rows() const { return (rows + block - 1) / block; }
  int block_cols() const { return (cols + block - 1) / block; }
  /// Numbers stored: rows x cols when dense, block_rows x block_cols x block otherwise.
  long long stored() const;
};

/// Every weight matrix in network order, which is also the order in files and reports.
///
/// LSTM: input [4 size, in] and recurrent [4 size, outputs()], gates i, f, g, o; projection
/// [projection, size]. GRU: input [3 size, in], gates z, r, candidate; recurrent [2 size, size],
/// gates z, r; candidate [size, size]. Feed-forward: input [size, offsets in], the columns of the
/// first offset, of the second, ... The output layer is a feed-forward layer named "output".
std::vector<MatrixShape> matrix_shapes(const ModelOptions& options);

/// Numbers in all matrices, biases and peepholes.
long long parameter_count(const ModelOptions& options);

/// Real multiplications of a k x k circulant block times a spectrum, three for a complex product;
/// and of a real transform of k numbers.
int block_multiplications(int k);
int transform_multiplications(int k);
/// Real multiplications of a matrix times a vector: rows x cols when dense, otherwise one transform
/// for each block column and block row and the block products between.
long long multiplications(const MatrixShape& shape);
/// The same of all matrices: what a frame costs but for the few of gates and cells.
long long multiplications(const ModelOptions& options);

}  // namespace ernn
