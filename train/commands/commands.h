// The subcommands of `ernn`. Each parses its own arguments (argv[0] is the subcommand) and returns
// an exit status; errors are thrown (base/error.h) and printed by main as one line.
#pragma once

namespace ernn {

int arithmetic_command(int argc, char** argv);
int compare_command(int argc, char** argv);
int corpus_command(int argc, char** argv);
int features_command(int argc, char** argv);
int train_command(int argc, char** argv);
int eval_command(int argc, char** argv);
int widths_command(int argc, char** argv);
int export_command(int argc, char** argv);
int simulate_command(int argc, char** argv);
int estimate_command(int argc, char** argv);
int explore_command(int argc, char** argv);
int synthesis_command(int argc, char** argv);
int run_command(int argc, char** argv);
int report_command(int argc, char** argv);
int info_command(int argc, char** argv);

}  // namespace ernn
