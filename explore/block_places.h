// Where in a network block sizes can be chosen, and which of them are worth it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/options.h"

namespace ernn {

/// What a choice of block sizes saves.
enum class Saving {
  multiplications,  ///< real ones of a frame (models/options.h)
  numbers           ///< stored weights
};
const std::vector<std::pair<Saving, const char*>>& enum_names(Saving);

/// A block size of its own: one matrix, or those that share it (a GRU's recurrent and candidate).
struct BlockPlace {
  std::string name;                   ///< of its first matrix
  std::vector<std::size_t> matrices;  ///< places in matrix_shapes()
  std::vector<int> sizes;             ///< that can be chosen, ascending from 1
};

/// The places of a network in network order. A size is among `sizes` when it suits the layer
/// (validate()) and every doubling up to it divides the place's multiplications by at least `gain`.
std::vector<BlockPlace> block_places(const ModelOptions& model, double gain);

/// The model with block size `blocks[i]` at place i.
ModelOptions with_place_blocks(ModelOptions model, const std::vector<int>& blocks);

/// At every place the largest size up to k.
std::vector<int> uniform_blocks(const std::vector<BlockPlace>& places, int k);

/// What the matrices of one place cost with block size k.
long long place_cost(const ModelOptions& model, const BlockPlace& place, int k, Saving saving);

}  // namespace ernn
