// Command-line parsing shared by the subcommands.
#pragma once

// Repeated options such as --set must keep their commas: `--set data.test_speakers=[dr5,dr6]`.
// cxxopts would split there, so every command includes it from here.
#define CXXOPTS_VECTOR_DELIMITER '\n'
#include <cxxopts.hpp>

namespace ernn {

/// Parses with cxxopts; prints the help text and returns false for --help. Throws UsageError for an
/// unknown option (with the nearest known one), a missing value or a stray argument.
bool parse_arguments(cxxopts::Options& options, int argc, char** argv,
                     cxxopts::ParseResult& result);

}  // namespace ernn
