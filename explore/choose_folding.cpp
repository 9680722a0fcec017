#include "explore/choose_folding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>

#include "base/error.h"

namespace ernn {

namespace {

constexpr double kOthersWeight = 0.02;   ///< of what breaks ties beside the objective
constexpr long long kMostTried = 10000;  ///< foldings; pairs of steps are not tried beyond
constexpr int kLargestGroups = 8;        ///< unit groups tried: 1, 2, 4, 8 times the smallest

int ceil_divide(int a, int b) {
  return (a + b - 1) / b;
}

std::vector<int> divisor_list(int number) {
  std::vector<int> list;
  for (int d = 1; d <= number; ++d) {
    if (number % d == 0) list.push_back(d);
  }
  return list;
}

/// The divisor `steps` places after `value`; nothing beyond the ends.
std::optional<int> neighbour(int number, int value, int steps) {
  const std::vector<int> list = divisor_list(number);
  const auto at = std::find(list.begin(), list.end(), value) - list.begin() + steps;
  if (at < 0 || at >= static_cast<std::ptrdiff_t>(list.size())) return std::nullopt;
  return list[static_cast<std::size_t>(at)];
}

/// Rows at a time worth trying for `number` block rows when so many are transformed back at a time:
/// for each number of groups the fewest rows that make it. Ascending.
std::vector<int> row_choices(int number, int inverses) {
  std::vector<int> list;
  int groups = 0;
  for (int rows = inverses; rows <= number; rows += inverses) {
    const int these = ceil_divide(number, rows);
    if (these != groups) list.push_back(rows);
    groups = these;
  }
  return list;
}

/// One matrix of a folding, with what its folds must divide.
struct Place {
  std::size_t layer = 0, matrix = 0;
  MatrixShape shape;
  int gates = 0;  ///< 0: not in unit groups

  int rows() const { return shape.block_rows(); }
  int cols() const { return shape.block_cols(); }
  int beats(const MatrixFolding& fold) const {
    return ceil_divide(rows(), fold.rows_parallel) * (cols() / fold.cols_parallel);
  }
  /// Whether so many inverse transforms at a time suit, rows_parallel aside.
  bool suits(int inverses, int unit_group) const {
    const int group_rows = gates == 0 ? 0 : gates * unit_group / shape.block;
    return inverses > 0 && rows() % inverses == 0 && group_rows % inverses == 0;
  }
};

class Search {
 public:
  Search(const FoldingRequest& request, DatapathTable& table) : request_(request), table_(table) {
    const std::vector<MatrixShape> shapes = matrix_shapes(request.model);
    const Folding plain = unfolded(request.model);
    auto shape = shapes.begin();
    for (std::size_t l = 0; l < plain.layers.size(); ++l) {
      for (std::size_t m = 0; m < plain.layers[l].matrices.size(); ++m, ++shape) {
        const bool hidden = l < request.model.layers.size();
        const int index = static_cast<int>(m);
        const bool grouped = hidden && in_unit_groups(request.model.layers[l], index);
        places_.push_back({l, m, *shape, grouped ? gates_of(request.model.layers[l], index) : 0});
      }
    }
  }

  ChosenFolding run() {
    Folding plain = unfolded(request_.model);
    plain.streams = request_.streams;
    best_.folding = plain;
    best_.value = value(plain);
    if (!best_.value.fits) throw UsageError(why_not(best_.value));
    // Leaving room in several degrees: what is best to add depends on where one starts.
    std::vector<Folding> starts;
    if (const double fastest = fastest_balance(); fastest > 0) {
      for (const double slower : {1.0, 1.4, 2.0}) {
        if (const auto balanced = folds_within(slower * fastest)) starts.push_back(*balanced);
      }
    }
    if (starts.empty()) starts.push_back(plain);
    for (const Folding& start : starts) climb(start);
    refine();
    best_.tried = tried_;
    return best_;
  }

  ChosenFolding all() {
    Folding plain = unfolded(request_.model);
    plain.streams = request_.streams;
    try_groups(plain, 0);
    if (!best_.value.fits) throw UsageError(why_not(value(plain)));
    best_.tried = tried_;
    return best_;
  }

 private:
  FoldingValue value(const Folding& folding) {
    ++tried_;
    return value_folding(folding, request_, table_);
  }

  static double rated(const FoldingValue& value) {
    return value.clocks + kOthersWeight * value.others;
  }

  void keep(const Folding& folding, const FoldingValue& value) {
    if (!value.fits) return;
    const FoldingValue& best = best_.value;
    const bool better = !best.fits || std::tie(value.clocks, value.others, value.share) <
                                          std::tie(best.clocks, best.others, best.share);
    if (!better) return;
    best_.folding = folding;
    best_.value = value;
  }

  std::string why_not(const FoldingValue& value) const {
    return fmt::format(
        "{}: the network does not fit even with one block at a time: {}; larger block sizes, fewer "
        "bits, fewer streams or a larger device would help",
        table_.platform().name, shortage(value.resources, table_.platform()));
  }

  /// Folds of one matrix a step away: about as many products at a time with other columns, and
  /// somewhat more and fewer, each with half, the same and twice the inverse transforms.
  static std::vector<MatrixFolding> steps(const Place& place, const MatrixFolding& old,
                                          int unit_group) {
    std::vector<MatrixFolding> list;
    const int beats = place.beats(old);
    for (const int inverses :
         {old.inverses_parallel / 2, old.inverses_parallel, 2 * old.inverses_parallel}) {
      if (!place.suits(inverses, unit_group)) continue;
      const std::vector<int> choices = row_choices(place.rows(), inverses);
      for (int step = -2; step <= 2; ++step) {
        const auto cols = neighbour(place.cols(), old.cols_parallel, step);
        if (!cols) continue;
        const auto fast_enough = [&](double most) {
          return std::find_if(choices.begin(), choices.end() - 1, [&](int rows) {
            return place.beats({rows, *cols, inverses}) <= most;
          });
        };
        const auto same = fast_enough(beats);
        std::set<int> rows = {*same};
        if (std::abs(step) < 2) {
          if (same != choices.begin()) rows.insert(*(same - 1));
          if (same + 1 != choices.end()) rows.insert(*(same + 1));
        }
        if (step == 0) rows.insert({*fast_enough(beats / 2.0), *fast_enough(beats * 2.0)});
        for (const int r : rows) list.push_back({r, *cols, inverses});
      }
    }
    return list;
  }

  /// Foldings one step away.
  std::vector<Folding> steps(const Folding& from) const {
    std::vector<Folding> list;
    for (const Place& place : places_) {
      const LayerFolding& layer = from.layers[place.layer];
      const MatrixFolding& old = layer.matrices[place.matrix];
      for (const MatrixFolding& fold : steps(place, old, layer.unit_group)) {
        if (fold.rows_parallel == old.rows_parallel && fold.cols_parallel == old.cols_parallel &&
            fold.inverses_parallel == old.inverses_parallel)
          continue;
        list.push_back(from);
        list.back().layers[place.layer].matrices[place.matrix] = fold;
      }
    }
    add_joint_steps(from, list);
    add_unit_steps(from, list);
    return list;
  }

  /// The input and the recurrent product of a layer work side by side: both at once.
  void add_joint_steps(const Folding& from, std::vector<Folding>& list) const {
    for (std::size_t i = 0; i + 1 < places_.size(); ++i) {
      if (places_[i].matrix != 0 || places_[i + 1].matrix != 1) continue;
      const LayerFolding& layer = from.layers[places_[i].layer];
      const int beats =
          std::max(places_[i].beats(layer.matrices[0]), places_[i + 1].beats(layer.matrices[1]));
      for (const double slower : {0.5, 0.7, 0.85, 0.95, 1.06, 1.2, 1.4, 2.0}) {
        const auto input = cheapest(places_[i], slower * beats, layer.unit_group);
        const auto recurrent = cheapest(places_[i + 1], slower * beats, layer.unit_group);
        if (!input || !recurrent) continue;
        list.push_back(from);
        std::vector<MatrixFolding>& folds = list.back().layers[places_[i].layer].matrices;
        folds[0] = *input;
        folds[1] = *recurrent;
      }
    }
  }

  void add_unit_steps(const Folding& from, std::vector<Folding>& list) const {
    for (std::size_t l = 0; l < request_.model.layers.size(); ++l) {
      const LayerFolding& old = from.layers[l];
      if (old.unit_group == 0) continue;
      for (const int step : {-1, 1}) {
        const auto units = neighbour(old.unit_group, old.units_parallel, step);
        if (!units) continue;
        list.push_back(from);
        list.back().layers[l].units_parallel = *units;
      }
      for (const int group : groups_of(l)) {
        if (group == old.unit_group) continue;
        list.push_back(from);
        set_group(list.back(), l, group);
      }
    }
  }

  std::vector<int> groups_of(std::size_t layer) const {
    const LayerOptions& options = request_.model.layers[layer];
    const int smallest = smallest_unit_group(options);
    std::vector<int> groups;
    for (int factor = 1; factor <= kLargestGroups; factor *= 2) {
      if (options.size % (factor * smallest) == 0) groups.push_back(factor * smallest);
    }
    return groups;
  }

  /// Another unit group; folds that no longer suit become the largest that do.
  void set_group(Folding& folding, std::size_t layer, int group) const {
    LayerFolding& one = folding.layers[layer];
    one.unit_group = group;
    while (group % one.units_parallel != 0) --one.units_parallel;
    for (const Place& place : places_) {
      if (place.layer != layer) continue;
      MatrixFolding& fold = one.matrices[place.matrix];
      while (!place.suits(fold.inverses_parallel, group)) fold.inverses_parallel /= 2;
    }
  }

  /// The step that gains most for what it takes; false when none gains.
  bool best_step(Folding& folding, FoldingValue& now) {
    double best_gain = 0;
    Folding chosen;
    FoldingValue chosen_value;
    for (Folding& step : steps(folding)) {
      const FoldingValue next = value(step);
      if (!next.fits) continue;
      const double gain = rated(now) - rated(next);
      if (gain <= 1e-9) continue;
      const double rate = gain / std::max(1e-6, next.share - now.share);
      if (rate <= best_gain) continue;
      best_gain = rate;
      chosen = std::move(step);
      chosen_value = next;
    }
    if (best_gain <= 0) return false;
    folding = std::move(chosen);
    now = chosen_value;
    return true;
  }

  /// Two steps at once: what is given back in one place may be worth more in another, and places
  /// that work side by side gain only together. The first may take more than there is.
  bool best_pair(Folding& folding, FoldingValue& now) {
    for (const Folding& first : steps(folding)) {
      for (Folding& second : steps(first)) {
        if (tried_ > kMostTried) return false;
        const FoldingValue after = value(second);
        if (!after.fits || rated(after) >= rated(now) - 1e-9) continue;
        folding = std::move(second);
        now = after;
        return true;
      }
    }
    return false;
  }

  /// Single steps from `folding` until none gains.
  void climb(Folding folding) {
    FoldingValue now = value(folding);
    keep(folding, now);
    while (best_step(folding, now)) {
    }
    keep(folding, now);
  }

  /// Pairs of steps from the best so far.
  void refine() {
    Folding folding = best_.folding;
    FoldingValue now = best_.value;
    while (best_pair(folding, now)) {
      while (best_step(folding, now)) {
      }
      keep(folding, now);
    }
  }

  /// The cheapest folds of a matrix whose processes take at most `clocks`; nothing when there are
  /// none.
  static std::optional<MatrixFolding> cheapest(const Place& place, double clocks, int unit_group) {
    std::optional<MatrixFolding> chosen;
    long long fewest = 0;
    for (int inverses = 1; place.suits(inverses, unit_group); inverses *= 2) {
      const int inverse_beats = place.rows() / inverses;
      if (inverse_beats > clocks) continue;
      const std::vector<int> choices = row_choices(place.rows(), inverses);
      for (const int cols : divisor_list(place.cols())) {
        const auto rows = std::find_if(choices.begin(), choices.end(), [&](int r) {
          return place.beats({r, cols, inverses}) <= clocks;
        });
        if (rows == choices.end()) continue;
        const long long cost =
            (static_cast<long long>(*rows) * cols + 4LL * inverses) * place.shape.block;
        if (chosen && cost >= fewest) continue;
        fewest = cost;
        chosen = {*rows, cols, inverses};
      }
    }
    return chosen;
  }

  /// The cheapest folds whose stages all take at most `clocks`; nothing when some stage cannot.
  std::optional<Folding> folds_within(double clocks) const {
    Folding folding = unfolded(request_.model);
    folding.streams = request_.streams;
    for (std::size_t l = 0; l < request_.model.layers.size(); ++l) {
      if (folding.layers[l].unit_group > 0) set_group(folding, l, groups_of(l).back());
    }
    for (const Place& place : places_) {
      LayerFolding& layer = folding.layers[place.layer];
      const auto fold = cheapest(place, clocks, layer.unit_group);
      if (!fold) return std::nullopt;
      layer.matrices[place.matrix] = *fold;
    }
    for (std::size_t l = 0; l < request_.model.layers.size(); ++l) {
      LayerFolding& layer = folding.layers[l];
      if (layer.unit_group == 0) continue;
      const int size = request_.model.layers[l].size;
      for (const int units : divisor_list(layer.unit_group)) {
        layer.units_parallel = units;
        const int unit_beats = size / units;
        if (unit_beats <= clocks) break;
      }
    }
    return folding;
  }

  /// Clocks of the fastest balanced folding that fits; 0 when there is none.
  double fastest_balance() {
    for (double clocks = 8; clocks < 1e7; clocks *= 1.05) {
      const auto folding = folds_within(clocks);
      if (folding && value(*folding).fits) return clocks;
    }
    return 0;
  }

  void try_groups(Folding& folding, std::size_t layer) {
    if (layer == request_.model.layers.size()) return try_matrices(folding, 0);
    if (folding.layers[layer].unit_group == 0) return try_groups(folding, layer + 1);
    for (const int group : groups_of(layer)) {
      for (const int units : divisor_list(group)) {
        folding.layers[layer].unit_group = group;
        folding.layers[layer].units_parallel = units;
        try_groups(folding, layer + 1);
      }
    }
  }

  void try_matrices(Folding& folding, std::size_t place) {
    if (place == places_.size()) return keep(folding, value(folding));
    const Place& at = places_[place];
    MatrixFolding& fold = folding.layers[at.layer].matrices[at.matrix];
    const int group = folding.layers[at.layer].unit_group;
    for (int inverses = 1; at.suits(inverses, group); inverses *= 2) {
      for (int rows = inverses; rows <= at.rows(); rows += inverses) {
        for (const int cols : divisor_list(at.cols())) {
          fold = {rows, cols, inverses};
          try_matrices(folding, place + 1);
        }
      }
    }
    fold = {};
  }

  const FoldingRequest& request_;
  DatapathTable& table_;
  std::vector<Place> places_;
  ChosenFolding best_;
  long long tried_ = 0;
};

}  // namespace

const std::vector<std::pair<FoldingObjective, const char*>>& enum_names(FoldingObjective) {
  static const std::vector<std::pair<FoldingObjective, const char*>> names = {
      {FoldingObjective::latency, "latency"}, {FoldingObjective::throughput, "throughput"}};
  return names;
}

FoldingValue value_folding(const Folding& folding, const FoldingRequest& request,
                           DatapathTable& table) {
  const KernelPlan plan = plan_kernel(request.model, folding, request.widths, table, request.depths,
                                      request.port_elements);
  FoldingValue value;
  const std::vector<StageResources> stages = kernel_resources(plan, table, request.streams);
  for (const StageResources& stage : stages) value.others += static_cast<double>(stage.beats);
  value.others /= static_cast<double>(stages.size());
  value.resources = total_of(stages);
  const Resources limits = table.platform().limits();
  const Resources& used = value.resources;
  value.fits = used.dsp <= limits.dsp && used.bram36 <= limits.bram36 && used.lut <= limits.lut &&
               used.ff <= limits.ff;
  value.share = used.dsp / limits.dsp + used.bram36 / limits.bram36 + used.lut / limits.lut +
                used.ff / limits.ff;
  if (!value.fits) return value;
  if (request.objective == FoldingObjective::latency) {
    value.clocks = latency_clocks(plan);
  } else {
    const IntervalBounds bounds = interval_bounds(plan, request.streams);
    value.clocks = bounds.interleaved;
    value.others += bounds.recurrence;
  }
  return value;
}

ChosenFolding choose_folding(const FoldingRequest& request, DatapathTable& table) {
  return Search(request, table).run();
}

ChosenFolding search_all_foldings(const FoldingRequest& request, DatapathTable& table) {
  return Search(request, table).all();
}

}  // namespace ernn
