// Weights in the order in which products read them (ProductPlan).
#pragma once

#include <cstddef>

#include "runtime/planes.h"
#include "runtime/program.h"

namespace ernn {

/// Calls put(place, bin, column, row) for each weight of a matrix: `place` counts groups of kGroup
/// output blocks in reading order, `row` is the first of these blocks.
template <class Put>
void for_packed(int bins, const Layout& rows, int columns, int tile, const Put& put) {
  const std::vector<int> tiles = tile_sizes(rows.groups(), tile);
  std::size_t place = 0;
  for (int bin = 0; bin < bins; ++bin) {
    int first = 0;
    for (const int groups : tiles) {
      for (int column = 0; column < columns; ++column) {
        for (int group = first; group < first + groups; ++group)
          put(place++, bin, column, group * kGroup);
      }
      first += groups;
    }
  }
}

}  // namespace ernn
