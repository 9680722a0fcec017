// What a run folder holds, read for the report. Everything is optional: a run may have no ADMM
// stage, no export, or still be training.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/config_tree.h"
#include "train/summary.h"

namespace ernn {

/// ADMM's state of one matrix after an epoch; primal, dual and distance relative to the norm of W.
struct MatrixProgress {
  std::string matrix;
  std::optional<double> rho, primal, dual, distance;
};

/// One line of metrics.jsonl.
struct EpochProgress {
  std::string stage;
  std::string type;  ///< dense, admm or circulant
  int epoch = 0;
  double step = 0;  ///< optimiser steps so far, those of earlier stages included
  /// Nats; a value that is not a number (JSON null) is missing.
  std::optional<double> train_loss, dev_loss;
  std::optional<double> dev_per, projected_dev_per;  ///< percent
  std::optional<double> seconds;
  std::vector<MatrixProgress> matrices;
};

/// A scores.json (train/scoring.h) and where it comes from.
struct ScoreFile {
  std::string stage;   ///< name of the training stage
  std::string source;  ///< test (float model), emulator or kernel
  std::string protocol;
  double per = 0;
  std::int64_t tokens = 0, substitutions = 0, deletions = 0, insertions = 0, forgiven = 0;
  std::int64_t utterances = 0;
  std::vector<std::string> symbols;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [symbols + 1, symbols + 1]
};

struct SignalSaturation {
  std::string name, format;
  std::int64_t saturations = 0, values = 0;
};

/// A simulation.json, written by `ernn simulate`.
struct SimulationFile {
  std::string stage;
  std::vector<SignalSaturation> signals;
  std::optional<std::int64_t> mismatches;          ///< of the kernel
  std::optional<std::int64_t> runtime_mismatches;  ///< of the streaming runtime
};

struct RunData {
  std::filesystem::path folder;
  ConfigNode config;        ///< a null node without config.yaml
  std::string config_text;  ///< config.yaml as it is
  std::vector<EpochProgress> epochs;
  std::vector<SummaryRow> summary;
  std::vector<ScoreFile> scores;
  std::vector<SimulationFile> simulations;
};

/// Reads a run folder. Throws UsageError when it is not one (none of config.yaml, metrics.jsonl,
/// summary.json is there), DataError naming file and place for a file that is broken.
RunData read_run(const std::filesystem::path& folder);

}  // namespace ernn
