#include "train/commands/arguments.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace ernn {

bool parse_arguments(cxxopts::Options& options, int argc, char** argv,
                     cxxopts::ParseResult& result) {
  options.add_options()("h,help", "print this help");
  std::vector<std::string> known;
  for (const auto& group : options.groups()) {
    for (const auto& option : options.group_help(group).options) {
      for (const auto& name : option.l) known.push_back("--" + name);
    }
  }
  const std::string command = fmt::format("ernn {}", argv[0]);
  for (int i = 1; i < argc; ++i) {
    const std::string name = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
    if (name.rfind("--", 0) != 0 || name == "--") continue;
    bool found = false;
    for (const auto& option : known) found = found || option == name;
    if (!found) {
      throw UsageError(fmt::format("{}: unknown option '{}'{}; {} --help lists them", command, name,
                                   did_you_mean(name, known), command));
    }
  }
  try {
    result = options.parse(argc, argv);
  } catch (const cxxopts::exceptions::exception& error) {
    throw UsageError(fmt::format("{}: {}; {} --help tells more", command, error.what(), command));
  }
  if (result.count("help") > 0) {
    fmt::print("{}\n", options.help());
    return false;
  }
  if (!result.unmatched().empty()) {
    throw UsageError(fmt::format("{}: stray argument '{}'", command, result.unmatched().front()));
  }
  return true;
}

}  // namespace ernn
