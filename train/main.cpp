// The `ernn` program: picks a subcommand and turns errors into one line and an exit status.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "compute/blas.h"
#include "train/commands/commands.h"

namespace {

struct Command {
  const char* name;
  int (*run)(int argc, char** argv);
  const char* help;
};

const std::vector<Command>& commands() {
  static const std::vector<Command> list = {
      {"corpus", ernn::corpus_command, "make a synthetic speech corpus in TIMIT's layout"},
      {"features", ernn::features_command, "write Kaldi features of a corpus, look into archives"},
      {"train", ernn::train_command, "train the stages of a configuration"},
      {"eval", ernn::eval_command, "decode and score a split with a trained model"},
      {"compare", ernn::compare_command, "put runs side by side, over seeds, with intervals"},
      {"widths", ernn::widths_command,
       "quantise a trained model at several widths, compare and score"},
      {"export", ernn::export_command, "quantise a trained model into an artefact"},
      {"simulate", ernn::simulate_command, "run an artefact's kernel, compare and score it"},
      {"estimate", ernn::estimate_command, "what a network costs on an FPGA, and its folds"},
      {"explore", ernn::explore_command, "choose block sizes, widths and folds for an FPGA"},
      {"synthesis", ernn::synthesis_command, "what synthesis tools made of the kernel, as a table"},
      {"arithmetic", ernn::arithmetic_command, "what choices of the deployed arithmetic are worth"},
      {"run", ernn::run_command, "speech to phones, frame by frame, as it comes in"},
      {"report", ernn::report_command, "write a run's report.html"},
      {"info", ernn::info_command, "describe a model file or all models of a run"},
  };
  return list;
}

int usage(std::FILE* out) {
  fmt::print(out, "usage: ernn COMMAND [options]   (ernn COMMAND --help tells more)\n\n");
  for (const Command& command : commands())
    fmt::print(out, "  {:10} {}\n", command.name, command.help);
  return out == stdout ? 0 : 2;
}

int run(int argc, char** argv) {
  if (argc < 2) return usage(stderr);
  const std::string name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") return usage(stdout);
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    if (name == command.name) return command.run(argc - 1, argv + 1);
    known.emplace_back(command.name);
  }
  throw ernn::UsageError(fmt::format("unknown command '{}'{}; ernn --help lists the commands", name,
                                     ernn::did_you_mean(name, known)));
}

}  // namespace

int main(int argc, char** argv) {
  ernn::restart_with_vector_blas(argv);
  try {
    const int status = run(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw ernn::DataError("standard output: cannot be written (disk full?)");
    return status;
  } catch (const ernn::Error& error) {
    fmt::print(stderr, "ernn: {}\n", error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    // LibTorch's messages go on with a stack trace.
    const std::string message = error.what();
    fmt::print(stderr, "ernn: internal error: {}\n", message.substr(0, message.find('\n')));
    return 1;
  }
}
