// Options structs in JSON files that an exploration keeps.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"

namespace ernn {

/// Nothing when the file is not there. Throws DataError naming it for what cannot be read.
template <class T>
std::optional<T> read_json_options(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    return read_options<T>(
        ConfigNode::from_json(nlohmann::json::parse(read_file(path)), path.string()));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: {}", path.string(), error.what()));
  } catch (const UsageError& error) {
    throw DataError(error.what());
  }
}

template <class T>
void write_json_options(const T& value, const std::filesystem::path& path) {
  write_file(path, write_options(value).to_json().dump(1) + "\n");
}

}  // namespace ernn
