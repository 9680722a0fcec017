// An activation table as a tree of selections between constants. As an array it would be a memory,
// with one read in a clock where a cell reads five times; 64 entries of a bit are one LUT.
#pragma once

#include "kernel/types.h"

namespace ernn {
namespace rtl {

template <class Entries, int First, int Count>
struct Selection {
  static int at(int segment) {
    ERNN_INLINE
    const int low = Selection<Entries, First, Count / 2>::at(segment);
    const int high = Selection<Entries, First + Count / 2, Count / 2>::at(segment);
    return (segment & (Count / 2)) != 0 ? high : low;
  }
};
template <class Entries, int First>
struct Selection<Entries, First, 1> {
  static int at(int /*segment*/) {
    ERNN_INLINE
    return Entries::at(First);
  }
};

/// The same functions as the generated table.
template <class Table>
struct TreeTable : Table {
  struct Bases {
    static int at(int segment) { return Table::base(segment); }
  };
  struct Slopes {
    static int at(int segment) { return Table::slope(segment); }
  };
  static int base(int segment) {
    ERNN_INLINE
    return Selection<Bases, 0, 1 << Table::segments_log2>::at(segment);
  }
  static int slope(int segment) {
    ERNN_INLINE
    return Selection<Slopes, 0, 1 << Table::segments_log2>::at(segment);
  }
};

}  // namespace rtl
}  // namespace ernn
