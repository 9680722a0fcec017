// The papers' design method from a configuration and platforms to designs (docs/explore.md).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "explore/exploration.h"
#include "explore/quantised_trial.h"
#include "explore/trials.h"

namespace ernn {

struct ExploreSetup {
  std::filesystem::path out;
  RunConfig config;
  ExploreOptions options;
  std::vector<DatapathTable> tables;  ///< one a platform
  std::vector<std::string> labels;    ///< what the platforms were asked for by; names of folders
  bool quiet = false;
  std::function<bool()> stop = [] { return false; };
  std::function<TrainingData()> load;  ///< called when a network has to be trained
  SpeechSource speech;                 ///< for fixed point
};

class Explorer {
 public:
  /// Throws UsageError for options and configurations that cannot be explored, before anything is
  /// trained.
  explicit Explorer(ExploreSetup setup);
  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;
  ~Explorer() = default;

  /// The dense networks, their sensitivities and the proposals; trains what is missing unless
  /// `train` is false: then UsageError when the configuration's own is not there, and other cells
  /// without theirs have no proposals. Throws UsageError when nothing can be built on any platform.
  Exploration propose(bool train = true);

  /// Trains trial `number`, from 1, of propose().
  void train(Exploration& exploration, int number);

  /// Everything after the trainings: which trials meet the budget, their widths, their kernels, the
  /// choice for each platform. Trials that are open are left out.
  void choose(Exploration& exploration);

  /// pareto.csv, explore.json, explore.html, and a folder for each platform with a design: a run of
  /// `ernn train` that holds the chosen trial's stages, with design.yaml and folds.yaml. A platform
  /// without one loses design.yaml, config.yaml and folds.yaml of an earlier call.
  void write(const Exploration& exploration) const;

 private:
  void add_cell(Exploration& exploration, LayerType cell, int trials, bool train);
  void add_bounds(ExploredCell& cell);
  std::vector<Proposal> proposals_for(const ExploredCell& cell, int count);
  /// Why there is no kernel to be designed for a trial, "" when there is: then its widths are set.
  std::string judge(ExploredTrial& trial, double limit);
  const QuantisedTrial& quantised(const ExploredTrial& trial);
  void design_kernels(const Exploration& exploration, ExploredPlatform& platform,
                      DatapathTable& table);
  void write_design(const ExploredPlatform& platform, const ExploredTrial& trial) const;
  int trials_of(std::size_t cell) const;

  ExploreSetup setup_;
  TrialStages stages_;
  std::vector<LayerType> cells_;
  TrialRunner runner_;
  std::map<std::string, QuantisedTrial> quantised_;  ///< by trial name
};

}  // namespace ernn
