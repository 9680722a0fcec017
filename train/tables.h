// Tables of text for documents and pages.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ernn {

/// Rows of text, the first with the names of the columns.
using Table = std::vector<std::vector<std::string>>;

std::string markdown(const Table& table);
/// Columns from `first_number` on are set as numbers, to the right.
std::string html_table(const Table& table, std::size_t first_number);

}  // namespace ernn
