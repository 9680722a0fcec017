#include "explore/synthesis_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"

namespace ernn {

namespace {

struct Number {
  const char* key;
  std::optional<double> value;
};

std::vector<Number> resources(const SynthesisResult& result) {
  return {{"lut", result.lut},
          {"ff", result.ff},
          {"dsp", result.dsp},
          {"bram", result.bram},
          {"uram", result.uram}};
}

void check(const SynthesisResult& result, const std::string& place) {
  if (result.name.empty()) throw DataError(place + ": found no name, expected one");
  if (result.k < 1)
    throw DataError(fmt::format("{}: k: found {}, expected 1 or more", place, result.k));
  std::vector<Number> numbers = resources(result);
  numbers.insert(numbers.end(), {{"mismatches", result.mismatches},
                                 {"vectors", result.vectors},
                                 {"cycles_per_frame", result.cycles_per_frame},
                                 {"interval", result.interval},
                                 {"depth", result.depth},
                                 {"period_ns", result.period_ns},
                                 {"reached_ns", result.reached_ns}});
  for (const Number& number : numbers) {
    if (number.value && *number.value < 0) {
      throw DataError(
          fmt::format("{}: {}: found {}, expected 0 or more", place, number.key, *number.value));
    }
  }
}

SynthesisResult result_from(const ConfigNode& node, const std::string& place,
                            const std::string& index) {
  SynthesisResult result;
  try {
    result = read_options<SynthesisResult>(node, index);
  } catch (const UsageError& error) {
    throw DataError(error.what());  // a mistake in a file, not in the command
  }
  check(result, fmt::format("{}: entry {}", place, index));
  return result;
}

std::string cell(const std::optional<double>& value) {
  if (!value) return "-";
  std::string text = fmt::format("{:.2f}", *value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string shares(const SynthesisResult& result) {
  std::vector<std::string> parts;
  for (const Number& used : resources(result)) {
    const auto has = result.available.find(used.key);
    if (!used.value || has == result.available.end() || has->second <= 0) continue;
    const std::string unit = used.key == std::string("bram") ? "BRAM36" : to_upper(used.key);
    parts.push_back(
        fmt::format("{:.1f} % of {} {}", 100 * *used.value / has->second, cell(has->second), unit));
  }
  return join(parts, ", ");
}

}  // namespace

const std::vector<std::pair<ResultSource, const char*>>& enum_names(ResultSource) {
  static const std::vector<std::pair<ResultSource, const char*>> names = {
      {ResultSource::measured, "measured"}, {ResultSource::vendor_report, "vendor report"}};
  return names;
}

std::vector<SynthesisResult> read_synthesis_results(const std::filesystem::path& path) {
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(read_file(path));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: no JSON: {}", path.string(), error.what()));
  }
  if (json.is_object()) json = nlohmann::json::array({json});
  if (!json.is_array()) {
    throw DataError(fmt::format("{}: found {}, expected an array of results or one result",
                                path.string(), json.type_name()));
  }
  const ConfigNode tree = ConfigNode::from_json(json, path.string());
  std::vector<SynthesisResult> results;
  for (const ConfigNode& node : tree.items()) {
    if (node.kind() != ConfigNode::Kind::map) {
      throw DataError(fmt::format("{}: entry {}: expected an object with the fields of a result",
                                  path.string(), results.size()));
    }
    results.push_back(result_from(node, path.string(), std::to_string(results.size())));
  }
  refuse_repeated_names(results, path.string());
  return results;
}

void write_synthesis_results(const std::filesystem::path& path,
                             const std::vector<SynthesisResult>& results) {
  std::string text = "[\n";
  for (std::size_t i = 0; i < results.size(); ++i) {
    text +=
        "  " + write_options(results[i]).to_json().dump() + (i + 1 < results.size() ? ",\n" : "\n");
  }
  write_file(path, text + "]\n");
}

void refuse_repeated_names(const std::vector<SynthesisResult>& results, const std::string& place) {
  std::set<std::string> names;
  for (const SynthesisResult& result : results) {
    if (!names.insert(result.name).second)
      throw DataError(fmt::format("{}: two results are named '{}'", place, result.name));
  }
}

std::string synthesis_table(const std::vector<SynthesisResult>& results) {
  std::size_t name = 4, tool = 4;
  for (const SynthesisResult& result : results) {
    name = std::max(name, result.name.size());
    tool = std::max(tool, result.tool.size());
  }
  const auto row = [&](const std::vector<std::string>& cells) {
    return fmt::format(
        "{:<{}}  {:<13} {:>10} {:>8} {:>12} {:>8} {:>8} {:>8} {:>8} {:>6} {:>6} {:>5} {:>6} {:>7}  "
        "{:<{}}  {}\n",
        cells[0], name, cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7],
        cells[8], cells[9], cells[10], cells[11], cells[12], cells[13], cells[14], tool, cells[15]);
  };
  std::string text =
      row({"name", "function", "mismatches", "vectors", "cycles/frame", "interval", "depth", "LUT",
           "FF", "DSP", "BRAM36", "URAM", "ns", "reached", "tool", "source"});
  std::string below;
  std::size_t different = 0;
  for (const SynthesisResult& result : results) {
    text +=
        row({result.name, result.function.empty() ? "-" : result.function, cell(result.mismatches),
             cell(result.vectors), cell(result.cycles_per_frame), cell(result.interval),
             cell(result.depth), cell(result.lut), cell(result.ff), cell(result.dsp),
             cell(result.bram), cell(result.uram), cell(result.period_ns), cell(result.reached_ns),
             result.tool.empty() ? "-" : result.tool, name_of(result.source)});
    const std::string share = shares(result);
    if (!share.empty()) below += fmt::format("{}: {}\n", result.name, share);
    if (result.mismatches.value_or(0) > 0) ++different;
  }
  if (different > 0)
    below += fmt::format("{} of {} differ from the emulator\n", different, results.size());
  return text + below;
}

}  // namespace ernn
