// A whole test set through an artefact: the emulator, the kernel and the streaming runtime, which
// must agree in every code, and the phone error rates.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "compute/isa.h"
#include "export/artefact.h"
#include "export/format.h"
#include "features/utterance_set.h"
#include "train/kernel_program.h"
#include "train/model_context.h"
#include "train/scoring.h"
#include "train/summary.h"

namespace ernn {

/// One narrowed signal over a whole test set.
struct SimulatedSignal {
  std::string name;
  Format format;
  std::int64_t values = 0;
  std::int64_t saturations = 0;         ///< in the emulator
  std::int64_t kernel_saturations = 0;  ///< in the kernel; the same number when they agree
};

struct Simulation {
  ScoreSheet emulator, kernel;
  /// Differing logit codes, and differing saturation counters, kernel against emulator.
  std::int64_t mismatches = 0;
  /// Differing logit codes, runtime against emulator, over all `runtime_isas`.
  std::int64_t runtime_mismatches = 0;
  std::vector<Isa> runtime_isas;  ///< what this processor has
  std::int64_t frames = 0;
  std::int64_t utterances = 0;
  /// Features beyond the network's input format.
  std::int64_t input_saturations = 0;
  std::vector<SimulatedSignal> signals;
};

/// Runs utterances (features not normalised, as load_split() gives them) through all of them,
/// compares all logit codes and the kernel's counters, decodes and scores. Throws DataError when
/// the artefact's context does not fit its network.
Simulation simulate(const Artefact& artefact, const ModelContext& context,
                    const KernelProgram& kernel, const UtteranceSet& utterances,
                    bool quiet = false);

/// Everything equal: what the exit status of `ernn simulate` says.
bool agrees(const Simulation& simulation);

/// Signals with their saturations, mismatches, both phone error rates, as text.
std::string simulation_text(const Simulation& simulation);

/// simulation.json, and the score files of both in emulator/ and kernel/, into `folder`.
void write_simulation(const Simulation& simulation, const std::filesystem::path& folder);

/// The rows "emulator" and "kernel" of a run's table; `stage` names the training stage.
std::vector<SummaryRow> simulation_rows(const Simulation& simulation, const Artefact& artefact,
                                        const ModelContext& context, const std::string& stage);

}  // namespace ernn
