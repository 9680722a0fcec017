#include "train/tables.h"

#include <fmt/format.h>

#include "base/text.h"
#include "train/svg_plot.h"

namespace ernn {

std::string markdown(const Table& table) {
  std::string text;
  for (std::size_t r = 0; r < table.size(); ++r) {
    text += "| " + join(table[r], " | ") + " |\n";
    if (r > 0) continue;
    text += "|";
    for (std::size_t c = 0; c < table[r].size(); ++c) text += " --- |";
    text += "\n";
  }
  return text;
}

std::string html_table(const Table& table, std::size_t first_number) {
  std::string text = "<div class=\"scroll\"><table>\n";
  for (std::size_t r = 0; r < table.size(); ++r) {
    text += "<tr>";
    for (std::size_t c = 0; c < table[r].size(); ++c) {
      text += fmt::format("<{0}{1}>{2}</{0}>", r == 0 ? "th" : "td",
                          c >= first_number ? " class=\"n\"" : "", escape_html(table[r][c]));
    }
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

}  // namespace ernn
