// What reader and writer of an artefact share.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "base/error.h"

namespace ernn {

inline constexpr const char* kArtefactKind = "ernn artefact";
inline constexpr const char* kManifestFile = "manifest.json";
inline constexpr const char* kSumsFile = "SHA256SUMS";

/// What a manifest says that its folder is, kArtefactKind or something else; null when it does not
/// say.
inline nlohmann::json kind_of(const nlohmann::json& manifest) {
  return manifest.is_object() ? manifest.value("kind", nlohmann::json()) : nlohmann::json();
}

/// Runs `action`; what the dependency-free readers and the JSON library throw becomes a DataError.
template <class Action>
auto as_data_errors(const std::string& place, Action action) {
  try {
    return action();
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: {}", place, error.what()));
  } catch (const Error&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw DataError(error.what());
  }
}

}  // namespace ernn
