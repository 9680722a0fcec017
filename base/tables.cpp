#include "base/tables.h"

#include <algorithm>
#include <cctype>

namespace ernn {

namespace {

/// Characters of UTF-8 text.
std::size_t length_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

struct Column {
  std::size_t width = 3;  ///< characters; Markdown's rule needs three
  bool numbers = true;    ///< set to the right
};

/// Figures, also several with signs, brackets and commas; an empty cell and a dash, which stand for
/// none.
bool is_number(const std::string& cell) {
  if (cell.empty() || cell == "–") return true;
  const bool letters = std::any_of(cell.begin(), cell.end(), [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
  });
  return !letters && cell.find_first_of("0123456789") != std::string::npos;
}

std::vector<Column> columns_of(const Table& table) {
  std::vector<Column> columns(table.front().size());
  for (std::size_t r = 0; r < table.size(); ++r) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& cell = table[r].at(c);
      columns[c].width = std::max(columns[c].width, length_of(cell));
      if (r > 0 && !is_number(cell)) columns[c].numbers = false;
    }
  }
  return columns;
}

}  // namespace

std::string markdown(const Table& table) {
  const std::vector<Column> columns = columns_of(table);
  std::string text;
  for (std::size_t r = 0; r < table.size(); ++r) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& cell = table[r][c];
      const std::string space(columns[c].width - length_of(cell), ' ');
      text += "| " + (columns[c].numbers ? space + cell : cell + space) + " ";
    }
    text += "|\n";
    if (r > 0) continue;
    for (const Column& column : columns) {
      text += column.numbers ? "| " + std::string(column.width - 1, '-') + ": "
                             : "| " + std::string(column.width, '-') + " ";
    }
    text += "|\n";
  }
  return text;
}

}  // namespace ernn
