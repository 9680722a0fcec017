#include "explore/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

TrialSetup trial_setup(const ExploreSetup& setup) {
  TrialSetup trials;
  trials.out = setup.out;
  trials.config = setup.config;
  trials.quiet = setup.quiet;
  trials.stop = setup.stop;
  trials.load = setup.load;
  trials.sensitivity.batches = setup.options.curvature_batches;
  trials.sensitivity.batch = setup.config.training.batch;
  trials.sensitivity.seed = static_cast<std::uint64_t>(setup.config.seed);
  return trials;
}

/// The configuration's kind of cell first.
std::vector<LayerType> cells_of(const ExploreSetup& setup) {
  const LayerType own = cell_of(setup.config.model);
  std::vector<LayerType> cells = {own};
  for (const LayerType cell : setup.options.cells) {
    if (cell == LayerType::feedforward)
      throw UsageError("--cells: found feedforward, expected lstm or gru");
    if (std::find(cells.begin(), cells.end(), cell) == cells.end()) cells.push_back(cell);
  }
  return cells;
}

/// What an earlier call has chosen is no design of this one.
void remove_design(const fs::path& folder) {
  for (const char* file : {"design.yaml", "config.yaml", "folds.yaml"}) {
    std::error_code error;
    fs::remove(folder / file, error);
    if (error) {
      throw DataError(fmt::format("{}: cannot remove the design of an earlier call: {}",
                                  (folder / file).string(), error.message()));
    }
  }
}

}  // namespace

Explorer::Explorer(ExploreSetup setup)
    : setup_(std::move(setup)),
      stages_(find_trial_stages(setup_.config)),
      cells_(cells_of(setup_)),
      runner_(trial_setup(setup_)) {
  validate(setup_.options);
  const int least = 2 * static_cast<int>(cells_.size());
  if (setup_.options.max_trials < least) {
    throw UsageError(fmt::format(
        "--max-trials: found {}, expected at least {}: a dense and a circulant network for each of "
        "{} kinds of cells",
        setup_.options.max_trials, least, cells_.size()));
  }
}

int Explorer::trials_of(std::size_t cell) const {
  if (cell > 0) return 1;
  return setup_.options.max_trials - 2 * static_cast<int>(cells_.size()) + 1;
}

Exploration Explorer::propose(bool train) {
  Exploration exploration;
  exploration.name = setup_.config.name;
  exploration.options = setup_.options;
  for (std::size_t p = 0; p < setup_.tables.size(); ++p)
    exploration.platforms.push_back({setup_.labels[p], setup_.tables[p].platform(), {}, "", 0, 0});
  for (std::size_t c = 0; c < cells_.size(); ++c)
    add_cell(exploration, cells_[c], trials_of(c), train);
  exploration.limit = exploration.cells.front().dense.dev_per + setup_.options.per_budget;
  return exploration;
}

void Explorer::add_cell(Exploration& exploration, LayerType type, int trials, bool train) {
  ExploredCell cell;
  cell.cell = type;
  RunConfig config = setup_.config;
  config.model = with_cells(with_blocks(config.model, BlockSizes{}, 1), type);
  cell.model = complete_model(config);
  cell.places = block_places(cell.model, setup_.options.gain);
  add_bounds(cell);
  const auto known = runner_.find_dense(cell.model);
  if (!train && !known) {
    if (!exploration.cells.empty()) return;
    throw UsageError(
        fmt::format("{}: the dense network is not there; train it first with --trial 0",
                    runner_.dense_folder(cell.model).string()));
  }
  cell.dense = train ? runner_.train_dense(cell.model) : *known;
  cell.sensitivity = runner_.sensitivity(cell.model);
  for (const Proposal& proposal : proposals_for(cell, trials)) {
    ExploredTrial trial;
    trial.proposal = proposal;
    trial.model = with_place_blocks(cell.model, proposal.assignment.blocks);
    trial.record = runner_.find(trial.model);
    exploration.trials.push_back(trial);
  }
  exploration.cells.push_back(std::move(cell));
}

void Explorer::add_bounds(ExploredCell& cell) {
  for (DatapathTable& table : setup_.tables) {
    cell.bounds.push_back(block_bounds(cell.model, cell.places, setup_.options.gain,
                                       setup_.config.export_options, setup_.options.streams,
                                       table));
  }
  const auto has_room = [](const BlockBounds& bounds) {
    return bounds.lower > 0 && bounds.upper > 0;
  };
  // A platform without room is a result as long as another one has some.
  if (std::none_of(cell.bounds.begin(), cell.bounds.end(), has_room))
    require_room(cell.bounds.front());
}

std::vector<Proposal> Explorer::proposals_for(const ExploredCell& cell, int count) {
  ProposalRequest request;
  request.model = cell.model;
  request.places = cell.places;
  request.losses = place_losses(cell.sensitivity, cell.model, cell.places);
  request.saving = setup_.options.saving;
  request.lower = 64;
  request.upper = 2;
  request.count = count;
  for (const BlockBounds& bounds : cell.bounds) {
    if (bounds.lower == 0 || bounds.upper == 0) continue;
    request.lower = std::min(request.lower, bounds.lower);
    request.upper = std::max(request.upper, bounds.upper);
  }
  request.refuse = [&](const ModelOptions& model) {
    std::string first;
    for (DatapathTable& table : setup_.tables) {
      const FoldingValue least =
          smallest_kernel(model, setup_.config.export_options, setup_.options.streams, table);
      if (least.fits) return std::string();
      if (first.empty()) {
        first = fmt::format("{}: {}", table.platform().name,
                            shortage(least.resources, table.platform()));
      }
    }
    return first;
  };
  return propose_blocks(request);
}

void Explorer::train(Exploration& exploration, int number) {
  const int trials = static_cast<int>(exploration.trials.size());
  if (number < 1 || number > trials) {
    throw UsageError(fmt::format("--trial: found {}, expected 0 for the dense networks or 1 to {}",
                                 number, trials));
  }
  StopRule rule;
  rule.after = setup_.options.stop_after;
  rule.margin = setup_.options.stop_margin;
  rule.limit = exploration.limit;
  std::vector<TrialRecord> others;
  for (const ExploredTrial& trial : exploration.trials) others.push_back(trial.record);
  ExploredTrial& trial = exploration.trials[static_cast<std::size_t>(number - 1)];
  trial.record = runner_.train(trial.model, rule, others);
}

const QuantisedTrial& Explorer::quantised(const ExploredTrial& trial) {
  const auto found = quantised_.find(trial.record.name);
  if (found != quantised_.end()) return found->second;
  const fs::path model = runner_.trial_folder(trial.model) / kCirculantStage / "model.safetensors";
  return quantised_.emplace(trial.record.name, QuantisedTrial(model, setup_.speech)).first->second;
}

std::string Explorer::judge(ExploredTrial& trial, double limit) {
  const TrialRecord& record = trial.record;
  if (record.state == TrialState::open) return "not trained";
  if (record.state == TrialState::stopped) return "given up: " + record.reason;
  trial.meets = record.dev_per <= limit;
  if (!trial.meets) {
    return fmt::format("dev PER {:.2f} % is {:.2f} points above the budget's {:.2f} %",
                       record.dev_per, record.dev_per - limit, limit);
  }
  WidthRequest request;
  request.options = setup_.config.export_options;
  request.options.folding = {};
  request.budget = setup_.options.width_budget;
  trial.widths = quantised(trial).choose_widths(request, record,
                                                runner_.trial_folder(trial.model) / "widths.json");
  if (trial.widths.met) return "";
  const WidthTrial& widest = trial.widths.trials.front();
  return fmt::format("{} bits cost {:.2f} points of dev PER, more than the budget of {:.2f}",
                     widest.value, widest.per - record.dev_per, request.budget);
}

void Explorer::choose(Exploration& exploration) {
  for (ExploredTrial& trial : exploration.trials) trial.dropped = judge(trial, exploration.limit);
  for (std::size_t p = 0; p < exploration.platforms.size(); ++p)
    design_kernels(exploration, exploration.platforms[p], setup_.tables[p]);
}

void Explorer::design_kernels(const Exploration& exploration, ExploredPlatform& platform,
                              DatapathTable& table) {
  const HardwareRequest request{setup_.options.objective, setup_.options.streams};
  std::vector<HardwareCandidate> candidates;
  for (const ExploredTrial& trial : exploration.trials) {
    if (!trial.dropped.empty()) continue;
    candidates.push_back({trial.record.name, trial.model,
                          quantised(trial).widths(trial.widths.options), trial.widths.per});
    platform.designs.push_back(design_hardware(candidates.back(), request, table));
  }
  const int best = best_design(candidates, platform.designs);
  if (best < 0) return;
  platform.chosen = platform.designs[static_cast<std::size_t>(best)].name;
  const ExploredTrial& trial = *find_trial(exploration, platform.chosen);
  const ScoreSheet scores = quantised(trial).score(trial.widths.options, Split::test);
  platform.test_per = scores.total.per();
  platform.test_tokens = scores.total.tokens;
}

void Explorer::write_design(const ExploredPlatform& platform, const ExploredTrial& trial) const {
  const fs::path from = runner_.trial_folder(trial.model);
  const fs::path folder = setup_.out / platform.label;
  RunConfig design = trial_config(setup_.config, stages_, trial.model);
  design.export_options = trial.widths.options;
  design.export_options.folding = find_design(platform, platform.chosen)->folding;
  for (const char* stage : {kDenseStage, kAdmmStage, kCirculantStage}) {
    make_folder(folder / stage);
    for (const char* file : {"checkpoint.safetensors", "model.safetensors"})
      write_file(folder / stage / file, read_file(from / stage / file));
  }
  for (const char* file : {"metrics.jsonl", "summary.json"})
    write_file(folder / file, read_file(from / file));
  ConfigNode folds = ConfigNode::map();
  folds["folding"] = write_options(design.export_options.folding);
  write_file(folder / "folds.yaml", folds.to_yaml());
  // The same twice: design.yaml to look at and to train anew, config.yaml because this is a run.
  save(design, folder / "config.yaml");
  save(design, folder / "design.yaml");
}

void Explorer::write(const Exploration& exploration) const {
  make_folder(setup_.out);
  write_file(setup_.out / "explore.json", exploration_json(exploration).dump(1) + "\n");
  write_file(setup_.out / "pareto.csv", exploration_csv(exploration));
  write_file(setup_.out / "explore.md", exploration_text(exploration));
  write_file(setup_.out / "explore.html", exploration_page(exploration));
  for (const ExploredPlatform& platform : exploration.platforms) {
    if (platform.chosen.empty()) {
      remove_design(setup_.out / platform.label);
    } else {
      write_design(platform, *find_trial(exploration, platform.chosen));
    }
  }
}

}  // namespace ernn
