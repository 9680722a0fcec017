// Starts the ernn program and keeps what it prints.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "compute/blas.h"
#include "tests/support/child_process.h"

namespace ernn {

constexpr double kPatience = 300;  // seconds; nothing is measured

/// Spares every program the second start that restart_with_vector_blas() costs, which is most of
/// what a short command takes.
inline std::map<std::string, std::string> with_vector_blas(
    std::map<std::string, std::string> environment) {
  const std::string core = vector_blas_core();
  if (!core.empty()) environment.emplace(kBlasCoreVariable, core);
  return environment;
}

/// A running `ernn` whose output goes to files in `folder`, which should be its own.
class Program {
 public:
  Program(std::vector<std::string> arguments, const std::filesystem::path& folder, int input = -1,
          const std::map<std::string, std::string>& environment = {})
      : folder_(folder) {
    make_folder(folder);
    arguments.insert(arguments.begin(), ERNN_PROGRAM);
    process_ = std::make_unique<ChildProcess>(arguments, with_vector_blas(environment),
                                              folder / "errors", folder / "output", input);
  }

  /// Waits for its end and returns the exit status.
  int status() { return process_->wait(kPatience); }
  std::string output() const { return read_file(folder_ / "output"); }
  std::string errors() const { return read_file(folder_ / "errors"); }
  ChildProcess& process() { return *process_; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace ernn
