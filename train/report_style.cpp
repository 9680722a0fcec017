#include "train/report_style.h"

#include <fmt/format.h>

#include "train/svg_plot.h"

namespace ernn {

const char* report_style() {
  return R"css(
:root { color-scheme: light dark; --page: #f5f6f8; --card: #ffffff; --line: #dde1e6;
  --ink: #1b1f24; --muted: #5b6570; --good: #00754f; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #131619; --card: #1c2025; --line: #31373e; --ink: #e8eaed; --muted: #a2abb5;
    --good: #3cc79c; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 "Inter", "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em;
  overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 0 0 4px; }
h3 { font-size: 15px; margin: 18px 0 2px; }
p { margin: 4px 0 12px; }
.lead, .note, figcaption, dt { color: var(--muted); }
.note { font-size: 13.5px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin: 16px 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
  margin: 18px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 12px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile > span { display: block; color: var(--muted); font-size: 13px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 8px 24px;
  margin: 8px 0 0; }
dl .wide { grid-column: 1 / -1; }
dt { font-size: 12.5px; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
table.heat { font-size: 12.5px; }
table.heat td, table.heat th { padding: 2px 5px; }
table.heat th.n { text-align: center; }
table.heat b { font-size: 11px; }
table.small { font-size: 13.5px; width: auto; min-width: 280px; }
th, td { padding: 6px 12px 6px 0; text-align: left; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--muted); font-weight: 600; font-size: 12.5px; }
td:last-child, th:last-child { padding-right: 2px; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.strong { font-weight: 650; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
  gap: 8px 28px; margin-top: 8px; }
.split { display: grid; grid-template-columns: minmax(0, 2.1fr) minmax(0, 1fr); gap: 8px 28px; }
@media (max-width: 860px) { .split { grid-template-columns: minmax(0, 1fr); } }
figure { margin: 10px 0 0; min-width: 0; }
figcaption { font-size: 13.5px; font-weight: 600; margin-bottom: 2px; }
pre { overflow-x: auto; font: 12.5px/1.45 ui-monospace, "DejaVu Sans Mono", monospace;
  background: var(--page); border-radius: 6px; padding: 12px; }
summary { cursor: pointer; color: var(--muted); }
@media (max-width: 640px) {
  main { padding: 18px 10px 32px; }
  section { padding: 14px 12px; }
}
@media print {
  :root { color-scheme: light; --page: #ffffff; --card: #ffffff; --line: #cccccc; --ink: #000000;
    --muted: #444444; --good: #00754f; --bad: #b3261e; }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  section, .tile { border: 0; padding: 6px 0; }
  figure, tr, .tile { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .pair { grid-template-columns: 1fr 1fr; }
  .scroll { overflow: visible; }
}
)css";
}

std::string html_page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n"
      "</html>\n",
      escape_html(title), plot_style(), report_style(), body);
}

std::string html_section(const std::string& title, const std::string& content) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", title, content);
}

std::string html_figure(const std::string& caption, const std::string& content) {
  return fmt::format("<figure><figcaption>{}</figcaption>\n{}</figure>\n", escape_html(caption),
                     content);
}

std::string html_note(const std::string& content) {
  return fmt::format("<p class=\"note\">{}</p>\n", content);
}

std::string html_tile(const std::string& value, const std::string& what) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", value,
                     escape_html(what));
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
