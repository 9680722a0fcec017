// ernn corpus: makes the synthetic speech corpus.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/options.h"
#include "base/progress.h"
#include "features/synthetic_corpus.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"

namespace ernn {

namespace {

std::string flag_of(std::string field) {
  std::replace(field.begin(), field.end(), '_', '-');
  return field;
}

/// Adds one command-line option for every field of an options struct.
class FlagAdder {
 public:
  explicit FlagAdder(cxxopts::Options& options) : options_(options) {}

  template <class T>
  void operator()(const char* name, T& value, const char* help) {
    options_.add_options("corpus")(flag_of(name), fmt::format("{} (default {})", help, value),
                                   cxxopts::value<std::string>());
    names.emplace_back(name);
  }

  std::vector<std::string> names;

 private:
  cxxopts::Options& options_;
};

}  // namespace

int corpus_command(int argc, char** argv) {
  cxxopts::Options parser("ernn corpus",
                          "Makes a speech corpus with flite's voices, in TIMIT's layout.");
  auto general = parser.add_options();
  general("out", "folder of the corpus (required)", cxxopts::value<std::string>());
  general("force", "replace a corpus made with other options");
  general("quiet", "print errors only");
  SyntheticCorpusOptions options;
  FlagAdder adder(parser);
  describe(adder, options);
  cxxopts::ParseResult arguments;
  if (!parse_arguments(parser, argc, argv, arguments)) return 0;
  if (arguments.count("out") == 0)
    throw UsageError("ernn corpus: --out is missing; it names the folder of the corpus");

  ConfigNode given = ConfigNode::map();
  for (const std::string& name : adder.names) {
    const std::string flag = flag_of(name);
    if (arguments.count(flag) > 0)
      given[name] = ConfigNode::scalar(arguments[flag].as<std::string>(), "--" + flag);
  }
  options = read_options<SyntheticCorpusOptions>(given);
  const std::string folder = arguments["out"].as<std::string>();
  const bool quiet = arguments.count("quiet") > 0;
  const CorpusSummary summary =
      make_synthetic_corpus(folder, options, arguments.count("force") > 0, quiet);
  if (quiet) return 0;
  fmt::print("{}: {}\n", folder, summary.made ? "corpus made" : "corpus is already there, whole");
  for (const CorpusSplitSize& size : summary.splits) {
    fmt::print("  {:5} {:3} speakers {:5} utterances {:>7} min:s {:6} phones\n", size.split,
               size.speakers, size.utterances, format_duration(size.seconds), size.phones);
  }
  return 0;
}

}  // namespace ernn
