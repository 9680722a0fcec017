// Between which block sizes a network is worth training for a device (docs/explore.md, "Bounds").
#pragma once

#include <string>
#include <vector>

#include "explore/block_places.h"
#include "explore/choose_folding.h"

namespace ernn {

/// The network with one block size wherever it suits, everything one block at a time.
struct UniformCost {
  int k = 1;
  long long multiplications = 0;  ///< of a frame
  long long numbers = 0;          ///< stored, biases and peepholes included
  Resources resources;            ///< of the smallest kernel
  std::string shortage;           ///< what the device lacks for it; "" when it fits
};

struct BlockBounds {
  std::string platform;
  std::vector<UniformCost> costs;  ///< k = 1, 2, ..., 64
  int lower = 0;       ///< the smallest k from 2 on with which the smallest kernel fits; 0: none
  int arithmetic = 0;  ///< the largest k whose doublings all divide the multiplications by the gain
  int upper = 0;       ///< the largest k up to `arithmetic` whose smallest kernel fits; 0: none
};

/// What a network's kernel takes when it is exported with `options` and everything is computed one
/// block at a time: no other folds take less memory.
FoldingValue smallest_kernel(const ModelOptions& model, const QuantisationOptions& options,
                             int streams, DatapathTable& table);

/// `model` without regard to its own block sizes; `gain` above 1 as for block_places().
BlockBounds block_bounds(const ModelOptions& model, const std::vector<BlockPlace>& places,
                         double gain, const QuantisationOptions& options, int streams,
                         DatapathTable& table);

/// Throws UsageError naming the platform and the resource when no block size fits it.
void require_room(const BlockBounds& bounds);

}  // namespace ernn
