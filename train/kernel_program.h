// The testbench program of an artefact: built with a C++ compiler, run on golden signals and on
// whole utterances.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "export/artefact.h"
#include "export/quantised_network.h"

namespace ernn {

/// Runs a program found on PATH, in `folder` (empty: here), with its output in the file `log`.
/// Returns its exit status; 127 when there is no such program. Throws DataError when it was killed
/// by a signal or could not be started.
int run_program(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                const std::filesystem::path& log);

/// What the kernel computed of some utterances.
struct KernelRun {
  std::vector<CodeFrames> logits;                   ///< by utterance, [frames, outputs]
  std::map<std::string, std::int64_t> saturations;  ///< by signal that is narrowed
};

class KernelProgram {
 public:
  /// Builds the testbench in the artefact's hls/ folder with `make` and `compiler`. Messages of the
  /// build go to `work`/build.log. Throws DataError naming what is missing (the folder, make, the
  /// compiler) or the first line of a compiler's error.
  KernelProgram(const std::filesystem::path& artefact, const std::filesystem::path& work,
                const std::string& compiler);

  /// Compares every golden signal. Returns the tables that the testbench printed; `equal` says
  /// whether all agreed.
  std::string prove(bool& equal) const;

  /// Runs utterances of input codes [frames, inputs], each from the initial state. Throws DataError
  /// when the testbench fails.
  KernelRun run(const std::vector<CodeFrames>& utterances, const QuantisedNetwork& network) const;

 private:
  std::filesystem::path artefact_, work_;
};

}  // namespace ernn
