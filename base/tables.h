// Tables of text for terminals and documents.
#pragma once

#include <string>
#include <vector>

namespace ernn {

/// Rows of text, the first with the names of the columns. All rows have as many cells.
using Table = std::vector<std::vector<std::string>>;

/// Columns are padded, so that it reads well at a terminal too; those of numbers are set to the
/// right.
std::string markdown(const Table& table);

}  // namespace ernn
