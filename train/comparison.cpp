#include "train/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "train/disjoint_test_sets.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

constexpr double kTail = 0.025;

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::vector<UtteranceErrors> read_utterances(const fs::path& file) {
  std::vector<UtteranceErrors> result;
  try {
    const auto json = nlohmann::json::parse(read_file(file));
    for (const auto& entry : json.at("by_utterance"))
      result.push_back({entry.at(0).get<std::string>(), entry.at(1).get<std::int64_t>(),
                        entry.at(2).get<std::int64_t>()});
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: {}; expected by_utterance, a list of [id, tokens, errors]",
                                file.string(), error.what()));
  }
  if (result.empty())
    throw DataError(fmt::format("{}: by_utterance: found none, expected at least one utterance",
                                file.string()));
  return result;
}

std::int64_t tokens_of(const std::vector<UtteranceErrors>& utterances) {
  std::int64_t tokens = 0;
  for (const auto& utterance : utterances) tokens += utterance.tokens;
  return tokens;
}

double per_of(const std::vector<UtteranceErrors>& utterances) {
  const std::int64_t tokens = tokens_of(utterances);
  std::int64_t errors = 0;
  for (const auto& utterance : utterances) errors += utterance.errors;
  return tokens > 0 ? 100.0 * static_cast<double>(errors) / static_cast<double>(tokens) : 0;
}

std::string title_of(const SummaryRow& row) {
  return fmt::format("{} {}", row.cell, row.name);
}

/// `name`, which the option says, must be one of the finished stages.
void require_finished(const char* option, const std::string& name,
                      const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  throw UsageError(fmt::format("{}: no finished stage is named '{}'{}", option, name,
                               did_you_mean(name, names)));
}

/// A run's stages of one seed, as they are put together.
class Collector {
 public:
  /// `stages` are the names that count, all when empty.
  explicit Collector(std::vector<std::string> stages) : stages_(std::move(stages)) {}

  void add(const fs::path& run) {
    const auto rows = read_summary(run);
    if (rows.empty()) {
      throw DataError(fmt::format("{}: not there or empty; has ernn train finished a stage?",
                                  (run / "summary.json").string()));
    }
    for (const auto& row : rows) {
      if (row.stage == "emulator" || row.stage == "kernel") continue;
      names_.push_back(row.name);
      if (counts(row.name)) add(row, run);
    }
    ++runs_of_[rows.front().cell];
  }

  Comparison finish(std::vector<std::string>& left_out) {
    for (const auto& stage : stages_) require_finished("--stages", stage, names_);
    Comparison comparison;
    comparison.seeds = seeds_;
    const auto place = [&](const Entry& entry) {
      const auto found = std::find(stages_.begin(), stages_.end(), entry.system.row.name);
      return std::make_pair(entry.system.row.cell, found - stages_.begin());
    };
    std::stable_sort(entries_.begin(), entries_.end(),
                     [&](const Entry& a, const Entry& b) { return place(a) < place(b); });
    for (auto& entry : entries_) {
      const bool whole = entry.runs == runs_of_[entry.system.row.cell];
      if (!whole) {
        left_out.push_back(title_of(entry.system.row));
        continue;
      }
      for (auto& [seed, utterances] : entry.utterances) {
        sort_disjoint(utterances, title_of(entry.system.row), seed);
        entry.system.by_seed.push_back(std::move(utterances));
        entry.system.per.push_back(per_of(entry.system.by_seed.back()));
      }
      entry.system.row.tokens = tokens_of(entry.system.by_seed.front());
      entry.system.mean = mean_of(entry.system.per);
      entry.system.sd = deviation_of(entry.system.per);
      comparison.systems.push_back(std::move(entry.system));
    }
    return comparison;
  }

 private:
  bool counts(const std::string& name) const {
    return stages_.empty() || std::find(stages_.begin(), stages_.end(), name) != stages_.end();
  }

  struct Entry {
    ComparedSystem system;
    std::map<std::int64_t, std::vector<UtteranceErrors>> utterances;  // by seed
    int runs = 0;
  };

  void add(const SummaryRow& row, const fs::path& run) {
    if (entries_.empty()) {
      first_run_ = run;
    } else if (row.protocol != entries_.front().system.row.protocol) {
      throw DataError(fmt::format(
          "{}: {} was scored with protocol {}, expected {} as in {}; compare runs with the same "
          "scoring.protocol",
          (run / "summary.json").string(), title_of(row), row.protocol,
          entries_.front().system.row.protocol, (first_run_ / "summary.json").string()));
    }
    auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.system.row.name == row.name && entry.system.row.cell == row.cell;
    });
    if (found == entries_.end()) {
      entries_.emplace_back();
      found = entries_.end() - 1;
      found->system.row = row;
    }
    auto more = read_utterances(run / row.name / "test" / "scores.json");
    auto& all = found->utterances[row.seed];
    all.insert(all.end(), more.begin(), more.end());
    ++found->runs;
    if (std::find(seeds_.begin(), seeds_.end(), row.seed) == seeds_.end())
      seeds_.insert(std::upper_bound(seeds_.begin(), seeds_.end(), row.seed), row.seed);
  }

  std::vector<std::string> stages_;
  std::vector<std::string> names_;  // of all stages seen
  fs::path first_run_;              // whose protocol is that of all
  std::vector<Entry> entries_;
  std::vector<std::int64_t> seeds_;
  std::map<std::string, int> runs_of_;  // by cell
};

void require_same_utterances(const Comparison& comparison) {
  for (const auto& system : comparison.systems) {
    const auto& first =
        std::find_if(comparison.systems.begin(), comparison.systems.end(), [&](const auto& other) {
          return other.row.cell == system.row.cell;
        })->by_seed.front();
    for (const auto& utterances : system.by_seed) {
      const bool same = std::equal(utterances.begin(), utterances.end(), first.begin(), first.end(),
                                   [](const UtteranceErrors& a, const UtteranceErrors& b) {
                                     return a.id == b.id && a.tokens == b.tokens;
                                   });
      if (same) continue;
      throw DataError(fmt::format(
          "{}: seeds were not scored on the same utterances: found {} and {}, expected the same "
          "test sets for every seed",
          title_of(system.row), utterances.size(), first.size()));
    }
  }
}

/// Errors of every utterance, added up over seeds, `system` minus `base`.
std::vector<double> extra_errors(const ComparedSystem& system, const ComparedSystem& base) {
  std::vector<double> extra(system.by_seed.front().size());
  for (std::size_t s = 0; s < system.by_seed.size(); ++s) {
    for (std::size_t u = 0; u < extra.size(); ++u) {
      extra[u] += static_cast<double>(system.by_seed[s][u].errors - base.by_seed[s][u].errors);
    }
  }
  return extra;
}

void bootstrap(const Comparison& comparison, const ComparisonOptions& options,
               Difference& difference) {
  const ComparedSystem& system = comparison.systems[difference.system];
  const auto extra = extra_errors(system, comparison.systems[difference.base]);
  const auto& utterances = system.by_seed.front();
  const auto seeds = static_cast<double>(system.by_seed.size());
  std::mt19937_64 engine(options.seed);
  std::uniform_int_distribution<std::size_t> draw(0, utterances.size() - 1);
  std::vector<double> means;
  for (int i = 0; i < options.resamples; ++i) {
    double errors = 0, tokens = 0;
    for (std::size_t n = 0; n < utterances.size(); ++n) {
      const std::size_t u = draw(engine);
      errors += extra[u];
      tokens += static_cast<double>(utterances[u].tokens);
    }
    means.push_back(tokens > 0 ? 100 * errors / tokens / seeds : 0);
  }
  std::sort(means.begin(), means.end());
  const auto at = [&](double share) {
    return means[static_cast<std::size_t>(share * static_cast<double>(means.size() - 1))];
  };
  difference.low = at(kTail);
  difference.high = at(1 - kTail);
}

Difference make_difference(const Comparison& comparison, const ComparisonOptions& options,
                           std::size_t system, std::size_t base) {
  Difference difference;
  difference.system = system;
  difference.base = base;
  const auto& a = comparison.systems[system].per;
  const auto& b = comparison.systems[base].per;
  for (std::size_t s = 0; s < a.size(); ++s) difference.by_seed.push_back(a[s] - b[s]);
  difference.mean = mean_of(difference.by_seed);
  difference.sd = deviation_of(difference.by_seed);
  bootstrap(comparison, options, difference);
  return difference;
}

/// Index of the first system of the cell that `fits`, or the number of systems.
template <class Fits>
std::size_t find_system(const Comparison& comparison, const std::string& cell, const Fits& fits) {
  std::size_t i = 0;
  for (; i < comparison.systems.size(); ++i) {
    const SummaryRow& row = comparison.systems[i].row;
    if (row.cell == cell && fits(row)) break;
  }
  return i;
}

/// The dense system of a cell: the one of that name, else the first of that type.
std::size_t find_dense(const Comparison& comparison, const std::string& cell) {
  const auto is_dense = [](const SummaryRow& row) { return row.stage == "dense"; };
  const std::size_t named = find_system(comparison, cell, [&](const SummaryRow& row) {
    return is_dense(row) && row.name == "dense";
  });
  return named < comparison.systems.size() ? named : find_system(comparison, cell, is_dense);
}

void add_pairs(Comparison& comparison, const ComparisonOptions& options) {
  std::vector<std::string> names, cells;
  for (const auto& system : comparison.systems) {
    names.push_back(system.row.name);
    if (cells.empty() || cells.back() != system.row.cell) cells.push_back(system.row.cell);
  }
  for (const auto& [system, base] : options.pairs) {
    for (const auto& name : {system, base}) require_finished("--pair", name, names);
    for (const auto& cell : cells) {
      const auto index = [&, &cell = cell](const std::string& name) {
        return find_system(comparison, cell,
                           [&](const SummaryRow& row) { return row.name == name; });
      };
      const std::size_t a = index(system), b = index(base);
      if (std::max(a, b) < comparison.systems.size())
        comparison.pairs.push_back(make_difference(comparison, options, a, b));
    }
  }
}

nlohmann::ordered_json to_json(const Comparison& comparison, const Difference& difference) {
  return {{"cell", comparison.systems[difference.system].row.cell},
          {"system", comparison.systems[difference.system].row.name},
          {"base", comparison.systems[difference.base].row.name},
          {"by_seed", difference.by_seed},
          {"mean", difference.mean},
          {"sd", difference.sd},
          {"low", difference.low},
          {"high", difference.high},
          {"beyond_chance", difference.is_beyond_chance()}};
}

}  // namespace

bool Difference::is_beyond_chance() const {
  return by_seed.size() > 1 && (low > 0 || high < 0) && std::abs(mean) > sd;
}

Comparison compare_runs(const std::vector<fs::path>& runs, const ComparisonOptions& options,
                        std::vector<std::string>& left_out) {
  Collector collector(options.stages);
  for (const auto& run : runs) collector.add(run);
  Comparison comparison = collector.finish(left_out);
  require_same_utterances(comparison);
  for (std::size_t i = 0; i < comparison.systems.size(); ++i) {
    const SummaryRow& row = comparison.systems[i].row;
    const std::size_t dense = find_dense(comparison, row.cell);
    if (dense < comparison.systems.size() && dense != i)
      comparison.to_dense.push_back(make_difference(comparison, options, i, dense));
  }
  add_pairs(comparison, options);
  return comparison;
}

std::string comparison_json(const Comparison& comparison) {
  nlohmann::ordered_json json;
  json["seeds"] = comparison.seeds;
  json["systems"] = nlohmann::ordered_json::array();
  for (const auto& system : comparison.systems) {
    json["systems"].push_back({{"cell", system.row.cell},
                               {"name", system.row.name},
                               {"stage", system.row.stage},
                               {"block_size", system.row.block_size},
                               {"bits", system.row.bits},
                               {"parameters", system.row.parameters},
                               {"stored_bits", system.row.stored_bits},
                               {"multiplications", system.row.multiplications},
                               {"tokens", system.row.tokens},
                               {"utterances", system.by_seed.front().size()},
                               {"per", system.per},
                               {"mean", system.mean},
                               {"sd", system.sd}});
  }
  for (const auto& [key, differences] :
       {std::make_pair("to_dense", &comparison.to_dense), {"pairs", &comparison.pairs}}) {
    json[key] = nlohmann::ordered_json::array();
    for (const auto& difference : *differences)
      json[key].push_back(to_json(comparison, difference));
  }
  return json.dump(1) + "\n";
}

}  // namespace ernn
