#include "explore/exploration.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/options.h"
#include "explore/estimate.h"

namespace ernn {

namespace {

template <class T>
void require(bool good, const char* option, const T& found, const char* expected) {
  if (good) return;
  throw UsageError(fmt::format("--{}: found {}, expected {}", option, found, expected));
}

nlohmann::ordered_json to_json(const BlockBounds& bounds) {
  nlohmann::ordered_json json = {{"platform", bounds.platform},
                                 {"lower", bounds.lower},
                                 {"arithmetic", bounds.arithmetic},
                                 {"upper", bounds.upper}};
  for (const UniformCost& cost : bounds.costs) {
    json["uniform"].push_back({{"k", cost.k},
                               {"multiplications", cost.multiplications},
                               {"numbers", cost.numbers},
                               {"smallest_kernel", to_json(cost.resources)},
                               {"shortage", cost.shortage}});
  }
  return json;
}

nlohmann::ordered_json to_json(const ExploredCell& cell) {
  nlohmann::ordered_json json;
  json["cell"] = name_of(cell.cell);
  json["dense"] = write_options(cell.dense).to_json();
  json["sensitivity"] = write_options(cell.sensitivity).to_json();
  for (const BlockPlace& place : cell.places)
    json["places"].push_back({{"name", place.name}, {"sizes", place.sizes}});
  for (const BlockBounds& bounds : cell.bounds) json["bounds"].push_back(to_json(bounds));
  return json;
}

nlohmann::ordered_json to_json(const ExploredTrial& trial) {
  nlohmann::ordered_json json = write_options(trial.record).to_json();
  if (trial.record.state == TrialState::open) json["dev_per"] = nullptr;
  json["blocks"] = trial.proposal.assignment.blocks;
  json["predicted_loss"] = trial.proposal.assignment.loss;
  json["cost_budget"] = trial.proposal.budget;
  json["uniform_blocks"] = trial.proposal.uniform;
  json["uniform_predicted_loss"] = trial.proposal.uniform_loss;
  json["refused"] = trial.proposal.refused;
  json["refusal"] = trial.proposal.refusal;
  json["meets_budget"] = trial.meets;
  json["dropped"] = trial.dropped;
  if (!trial.widths.trials.empty()) json["widths"] = write_options(trial.widths).to_json();
  return json;
}

nlohmann::ordered_json to_json(const HardwareDesign& design) {
  if (!design.fits()) return {{"trial", design.name}, {"refusal", design.refusal}};
  return {{"trial", design.name},
          {"latency_us", design.latency_us},
          {"single_stream_frames_per_s", design.single_fps},
          {"interleaved_frames_per_s", design.interleaved_fps},
          {"energy_uj_a_frame", design.energy_uj},
          {"resources", to_json(design.resources)},
          {"folding", write_options(design.folding).to_json()}};
}

nlohmann::ordered_json to_json(const ExploredPlatform& platform) {
  nlohmann::ordered_json json;
  json["name"] = platform.label;
  json["platform"] = write_options(platform.platform).to_json();
  json["chosen"] = platform.chosen;
  if (!platform.chosen.empty()) {
    json["test_per"] = platform.test_per;
    json["test_tokens"] = platform.test_tokens;
  }
  json["designs"] = nlohmann::ordered_json::array();
  for (const HardwareDesign& design : platform.designs) json["designs"].push_back(to_json(design));
  return json;
}

/// The columns of a network.
std::string csv_network(const TrialRecord& record, double predicted, bool meets, bool pareto) {
  const bool trained = record.state != TrialState::open;
  return fmt::format(
      "{},{},{},{},{},{},{},{},{:.6g},{},{}", record.name, record.cell, name_of(record.state),
      trained ? fmt::format("{:.4f}", record.dev_per) : "",
      trained ? fmt::format("{:.4f}", record.dev_error) : "",
      record.state == TrialState::finished ? fmt::format("{:.4f}", record.test_per) : std::string(),
      record.numbers, record.multiplications, predicted, meets ? 1 : 0, pareto ? 1 : 0);
}

/// The columns of its kernel on one platform.
std::string csv_kernel(const ExploredTrial& trial, const ExploredPlatform& platform) {
  const HardwareDesign* const design = find_design(platform, trial.record.name);
  if (design == nullptr || !design->fits()) return fmt::format(",{},,,,,,,,,,,", platform.label);
  return fmt::format(
      ",{},{},{:.4f},{:.4f},{:.1f},{:.1f},{:.4f},{:.0f},{:.1f},{:.0f},{:.0f},{}", platform.label,
      trial.widths.options.bits, trial.widths.per, design->latency_us, design->single_fps,
      design->interleaved_fps, design->energy_uj, design->resources.dsp, design->resources.bram36,
      design->resources.lut, design->resources.ff, platform.chosen == trial.record.name ? 1 : 0);
}

}  // namespace

void validate(const ExploreOptions& o) {
  require(o.per_budget >= 0, "per-budget", o.per_budget, "points of PER, 0 or more");
  require(o.width_budget >= 0, "width-budget", o.width_budget, "points of PER, 0 or more");
  require(o.streams >= 1 && o.streams <= 32, "streams", o.streams, "1 to 32");
  require(o.gain > 1, "gain", o.gain, "a factor above 1");
  require(o.stop_after > 0 && o.stop_after <= 1, "stop-after", o.stop_after,
          "a share of the epochs, above 0 and at most 1");
  require(o.stop_margin >= 0, "stop-margin", o.stop_margin, "points of PER, 0 or more");
  require(o.curvature_batches > 0, "curvature-batches", o.curvature_batches, "a positive number");
}

const HardwareDesign* find_design(const ExploredPlatform& platform, const std::string& trial) {
  for (const HardwareDesign& design : platform.designs) {
    if (design.name == trial) return &design;
  }
  return nullptr;
}

const ExploredTrial* find_trial(const Exploration& exploration, const std::string& name) {
  for (const ExploredTrial& trial : exploration.trials) {
    if (trial.record.name == name) return &trial;
  }
  return nullptr;
}

std::vector<std::string> pareto_of(const Exploration& exploration) {
  std::vector<const TrialRecord*> finished;
  for (const ExploredTrial& trial : exploration.trials) {
    if (trial.record.state == TrialState::finished) finished.push_back(&trial.record);
  }
  std::vector<std::string> names;
  for (const TrialRecord* one : finished) {
    const bool beaten = std::any_of(finished.begin(), finished.end(), [&](const TrialRecord* o) {
      const bool as_good = o->dev_per <= one->dev_per && o->numbers <= one->numbers;
      return as_good && (o->dev_per < one->dev_per || o->numbers < one->numbers);
    });
    if (!beaten) names.push_back(one->name);
  }
  return names;
}

nlohmann::ordered_json exploration_json(const Exploration& exploration) {
  nlohmann::ordered_json json;
  json["name"] = exploration.name;
  json["options"] = write_options(exploration.options).to_json();
  json["dev_per_limit"] = exploration.limit;
  for (const ExploredCell& cell : exploration.cells) json["cells"].push_back(to_json(cell));
  json["trials"] = nlohmann::ordered_json::array();
  for (const ExploredTrial& trial : exploration.trials) json["trials"].push_back(to_json(trial));
  for (const ExploredPlatform& one : exploration.platforms)
    json["platforms"].push_back(to_json(one));
  json["pareto"] = pareto_of(exploration);
  return json;
}

std::string exploration_csv(const Exploration& exploration) {
  std::string text =
      "name,cell,state,dev_per,dev_error,test_per,numbers,multiplications,predicted_loss,meets_"
      "budget,pareto,platform,bits,dev_per_fixed,latency_us,single_fps,interleaved_fps,energy_uj,"
      "dsp,bram36,lut,ff,chosen\n";
  for (const ExploredCell& cell : exploration.cells)
    text += csv_network(cell.dense, 0, true, false) + ",,,,,,,,,,,,\n";
  const std::vector<std::string> pareto = pareto_of(exploration);
  for (const ExploredTrial& trial : exploration.trials) {
    const bool good = std::find(pareto.begin(), pareto.end(), trial.record.name) != pareto.end();
    for (const ExploredPlatform& platform : exploration.platforms) {
      text += csv_network(trial.record, trial.proposal.assignment.loss, trial.meets, good) +
              csv_kernel(trial, platform) + "\n";
    }
  }
  return text;
}

}  // namespace ernn
