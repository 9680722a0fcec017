#include "train/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/options.h"
#include "base/tables.h"
#include "base/text.h"

namespace ernn {

namespace {

std::filesystem::path file_of(const std::filesystem::path& folder) {
  return folder / "summary.json";
}

nlohmann::ordered_json to_json(const SummaryRow& row) {
  return {{"stage", row.stage},
          {"name", row.name},
          {"cell", row.cell},
          {"block_size", row.block_size},
          {"bits", row.bits},
          {"per", row.per},
          {"tokens", row.tokens},
          {"parameters", row.parameters},
          {"stored_bits", row.stored_bits},
          {"multiplications", row.multiplications},
          {"mismatches", row.mismatches},
          {"protocol", row.protocol},
          {"seed", row.seed}};
}

SummaryRow from_json(const nlohmann::json& json) {
  SummaryRow row;
  json.at("stage").get_to(row.stage);
  json.at("name").get_to(row.name);
  json.at("cell").get_to(row.cell);
  json.at("block_size").get_to(row.block_size);
  json.at("bits").get_to(row.bits);
  json.at("per").get_to(row.per);
  json.at("tokens").get_to(row.tokens);
  json.at("parameters").get_to(row.parameters);
  json.at("stored_bits").get_to(row.stored_bits);
  // Summaries of earlier versions do not have it.
  row.multiplications = json.value("multiplications", std::int64_t{0});
  json.at("mismatches").get_to(row.mismatches);
  json.at("protocol").get_to(row.protocol);
  json.at("seed").get_to(row.seed);
  return row;
}

/// Puts a row in the place of the first of those that it replaces, or behind all.
template <class Replaces>
void put_row(const std::filesystem::path& folder, const SummaryRow& row, const Replaces& replaces) {
  if (!std::isfinite(row.per)) {
    throw DataError(fmt::format("{}: PER of {} {} is not a number", file_of(folder).string(),
                                row.stage, row.name));
  }
  FileLock lock(folder / ".summary.lock");
  lock.take();
  auto rows = read_summary(folder);
  const auto first = std::find_if(rows.begin(), rows.end(), replaces);
  const auto place = first - rows.begin();
  rows.erase(std::remove_if(first, rows.end(), replaces), rows.end());
  rows.insert(rows.begin() + place, row);
  // One row a line, so that a diff of two summaries reads well.
  std::string text = "[\n";
  for (std::size_t i = 0; i < rows.size(); ++i)
    text += "  " + to_json(rows[i]).dump() + (i + 1 < rows.size() ? ",\n" : "\n");
  write_file(file_of(folder), text + "]\n");
}

}  // namespace

std::string cell_name(const ModelOptions& model) {
  std::vector<std::string> names;
  for (const auto& layer : model.layers) {
    const std::string name = name_of(layer.type);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return join(names, "+");
}

std::vector<SummaryRow> read_summary(const std::filesystem::path& folder) {
  const auto path = file_of(folder);
  if (!std::filesystem::exists(path)) return {};
  std::vector<SummaryRow> rows;
  try {
    const auto json = nlohmann::json::parse(read_file(path));
    if (!json.is_array()) {
      throw DataError(
          fmt::format("{}: found {}, expected an array of rows", path.string(), json.type_name()));
    }
    for (const auto& row : json) rows.push_back(from_json(row));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: row {}: {}", path.string(), rows.size() + 1, error.what()));
  }
  return rows;
}

void put_summary_row(const std::filesystem::path& folder, const SummaryRow& row) {
  put_row(folder, row, [&row](const SummaryRow& known) {
    return known.stage == row.stage && known.name == row.name && known.bits == row.bits;
  });
}

void put_trained_row(const std::filesystem::path& folder, const SummaryRow& row) {
  put_row(folder, row, [&row](const SummaryRow& known) { return known.name == row.name; });
}

std::string summary_table(const std::vector<SummaryRow>& rows) {
  Table table = {
      {"stage", "name", "cell", "k", "bits", "PER %", "tokens", "parameters", "kB", "mismatches"}};
  for (const auto& row : rows) {
    table.push_back({row.stage, row.name, row.cell, std::to_string(row.block_size),
                     std::to_string(row.bits), fmt::format("{:.2f}", row.per),
                     std::to_string(row.tokens), std::to_string(row.parameters),
                     fmt::format("{:.1f}", static_cast<double>(row.stored_bits) / 8000.0),
                     row.stage == "kernel" ? std::to_string(row.mismatches) : "–"});
  }
  std::string text = markdown(table);
  std::set<std::string> protocols, seeds;
  for (const auto& row : rows) {
    protocols.insert(row.protocol);
    seeds.insert(std::to_string(row.seed));
  }
  if (!rows.empty()) {
    text += fmt::format("\nprotocol {}, seed {}; kB: 1000 bytes of stored weights\n",
                        fmt::join(protocols, " and "), fmt::join(seeds, " and "));
  }
  return text;
}

}  // namespace ernn
