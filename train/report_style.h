// The look of report pages.
#pragma once

#include <cstddef>
#include <string>

#include "base/tables.h"

namespace ernn {

/// CSS of the page; train/svg_plot.h adds that of the drawings.
const char* report_style();

/// A whole page around `body`, with all it needs inside; `title` is text, `body` HTML.
std::string html_page(const std::string& title, const std::string& body);
/// A framed part of a page; both are HTML.
std::string html_section(const std::string& title, const std::string& content);
/// A drawing or table with its caption, which is text.
std::string html_figure(const std::string& caption, const std::string& content);
/// A paragraph in small print; HTML.
std::string html_note(const std::string& content);
/// A number, which is HTML, in large print above what it is, which is text.
std::string html_tile(const std::string& value, const std::string& what);
/// Columns from `first_number` on are set as numbers, to the right.
std::string html_table(const Table& table, std::size_t first_number);

}  // namespace ernn
