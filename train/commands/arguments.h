// Command-line parsing shared by the subcommands.
#pragma once

// Repeated options such as --set must keep their commas: `--set data.test_speakers=[dr5,dr6]`.
// cxxopts would split there, so every command includes it from here.
#define CXXOPTS_VECTOR_DELIMITER '\n'
#include <fmt/format.h>

#include <cxxopts.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace ernn {

/// Parses with cxxopts; prints the help text and returns false for --help. Throws UsageError for an
/// unknown option (with the nearest known one), a missing value or a stray argument.
bool parse_arguments(cxxopts::Options& options, int argc, char** argv,
                     cxxopts::ParseResult& result);

/// The enum value called `text`. Throws UsageError naming `option` and the known names.
template <class T>
T choice_of(const std::string& text, const char* option) {
  std::vector<std::string> names;
  for (const auto& [value, name] : enum_names(T{})) {
    if (text == name) return value;
    names.emplace_back(name);
  }
  throw UsageError(fmt::format("{}: found '{}', expected {}", option, text, join(names, " or ")));
}

}  // namespace ernn
