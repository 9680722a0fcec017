#include "explore/choose_folding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"

namespace ernn {

namespace {

constexpr double kOthersWeight = 0.02;   ///< of the mean interval beside the objective
constexpr long long kMostTried = 15000;  ///< foldings; pairs of steps are not tried beyond
constexpr int kLargestGroups = 8;        ///< unit groups tried: 1, 2, 4, 8 times the smallest

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

int largest_inverses(const MatrixFolding& fold, int group_rows) {
  int largest = 1;
  while (fold.rows_parallel % (2 * largest) == 0 &&
         (group_rows == 0 || group_rows % (2 * largest) == 0)) {
    largest *= 2;
  }
  return largest;
}

/// One matrix of a folding, with what its folds must divide.
struct Place {
  std::size_t layer = 0, matrix = 0;
  MatrixShape shape;
  int gates = 0;  ///< 0: not in unit groups

  int group_rows(const Folding& folding) const {
    return gates == 0 ? 0 : gates * folding.layers[layer].unit_group / shape.block;
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
    std::vector<Folding> starts = {plain};
    // Leaving room in several degrees: what is best to add depends on where one starts.
    if (const double fastest = fastest_balance(); fastest > 0) {
      for (const double slower : {1.0, 1.4, 2.0, 4.0}) {
        if (const auto balanced = folds_within(slower * fastest)) starts.push_back(*balanced);
      }
    }
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
    const bool better = !best_.value.fits || value.clocks < best_.value.clocks ||
                        (value.clocks == best_.value.clocks && value.share < best_.value.share);
    if (!better) return;
    best_.folding = folding;
    best_.value = value;
  }

  std::string why_not(const FoldingValue& value) const {
    const Resources limits = table_.platform().limits();
    std::string text;
    const auto check = [&](const char* name, double needs, double has) {
      if (needs <= has || !text.empty()) return;
      text = fmt::format("{:.0f} {} are needed and {:.0f} may be used", needs, name, has);
    };
    check("DSP blocks", value.resources.dsp, limits.dsp);
    check("BRAM36", value.resources.bram36, limits.bram36);
    check("LUTs", value.resources.lut, limits.lut);
    check("flip-flops", value.resources.ff, limits.ff);
    return fmt::format(
        "{}: the network does not fit even with one block at a time: {}; larger block sizes, fewer "
        "bits, fewer streams or a larger device would help",
        table_.platform().name, text);
  }

  /// Inverse transforms that keep up with the products: a power of two.
  static int inverses_for(const MatrixShape& shape, int rows, int cols) {
    int inverses = 1;
    while (inverses * (shape.block_cols() / cols) < rows) inverses *= 2;
    return inverses;
  }

  /// Foldings one step away.
  std::vector<Folding> steps(const Folding& from) const {
    std::vector<Folding> list;
    const auto offer = [&](const Place& place, MatrixFolding fold) {
      const MatrixFolding& old = from.layers[place.layer].matrices[place.matrix];
      fold.inverses_parallel =
          std::clamp(fold.inverses_parallel, 1, largest_inverses(fold, place.group_rows(from)));
      if (fold.rows_parallel == old.rows_parallel && fold.cols_parallel == old.cols_parallel &&
          fold.inverses_parallel == old.inverses_parallel)
        return;
      list.push_back(from);
      list.back().layers[place.layer].matrices[place.matrix] = fold;
    };
    for (const Place& place : places_) {
      const MatrixFolding& old = from.layers[place.layer].matrices[place.matrix];
      for (const int inverses : {old.inverses_parallel / 2, 2 * old.inverses_parallel})
        offer(place, {old.rows_parallel, old.cols_parallel, inverses});
      for (int rows = -2; rows <= 2; ++rows) {
        for (int cols = std::abs(rows) - 2; cols <= 2 - std::abs(rows); ++cols) {
          const auto r = neighbour(place.shape.block_rows(), old.rows_parallel, rows);
          const auto c = neighbour(place.shape.block_cols(), old.cols_parallel, cols);
          if (!r || !c) continue;
          offer(place, {*r, *c, old.inverses_parallel});
          offer(place, {*r, *c, inverses_for(place.shape, *r, *c)});
        }
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
      for (const auto& [rows, cols] :
           {std::pair{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {-1, 1}, {1, -1}, {2, 0}, {0, 2}}) {
        Folding step = from;
        bool possible = true;
        for (const Place* place : {&places_[i], &places_[i + 1]}) {
          MatrixFolding& fold = step.layers[place->layer].matrices[place->matrix];
          const auto r = neighbour(place->shape.block_rows(), fold.rows_parallel, rows);
          const auto c = neighbour(place->shape.block_cols(), fold.cols_parallel, cols);
          possible = possible && r && c;
          if (!possible) break;
          fold = {*r, *c, inverses_for(place->shape, *r, *c)};
          fold.inverses_parallel =
              std::min(fold.inverses_parallel, largest_inverses(fold, place->group_rows(from)));
        }
        if (possible) list.push_back(std::move(step));
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
      fold.inverses_parallel =
          std::min(fold.inverses_parallel, largest_inverses(fold, place.group_rows(folding)));
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

  /// The cheapest folds whose stages all take at most `clocks`; nothing when some stage cannot.
  std::optional<Folding> folds_within(double clocks) const {
    Folding folding = unfolded(request_.model);
    folding.streams = request_.streams;
    for (std::size_t l = 0; l < request_.model.layers.size(); ++l) {
      if (folding.layers[l].unit_group > 0) set_group(folding, l, groups_of(l).back());
    }
    for (const Place& place : places_) {
      MatrixFolding& chosen = folding.layers[place.layer].matrices[place.matrix];
      long long fewest = 0;
      for (const int rows : divisor_list(place.shape.block_rows())) {
        for (const int cols : divisor_list(place.shape.block_cols())) {
          const int row_beats = place.shape.block_rows() / rows;
          const int col_beats = place.shape.block_cols() / cols;
          const double beats = static_cast<double>(row_beats) * col_beats;
          MatrixFolding fold{rows, cols, 1};
          const int largest = largest_inverses(fold, place.group_rows(folding));
          int inverse_beats = place.shape.block_rows();
          while (fold.inverses_parallel < largest && inverse_beats > clocks) {
            fold.inverses_parallel *= 2;
            inverse_beats = place.shape.block_rows() / fold.inverses_parallel;
          }
          const long long cost = static_cast<long long>(rows) * cols * place.shape.block +
                                 4LL * fold.inverses_parallel * place.shape.block;
          if (beats > clocks || inverse_beats > clocks) continue;
          if (fewest > 0 && cost > fewest) continue;
          fewest = cost;
          chosen = fold;
        }
      }
      if (fewest == 0) return std::nullopt;
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
    for (const int rows : divisor_list(at.shape.block_rows())) {
      for (const int cols : divisor_list(at.shape.block_cols())) {
        fold = {rows, cols, 1};
        const int largest = largest_inverses(fold, at.group_rows(folding));
        for (; fold.inverses_parallel <= largest; fold.inverses_parallel *= 2)
          try_matrices(folding, place + 1);
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
  value.clocks = request.objective == FoldingObjective::latency
                     ? latency_clocks(plan)
                     : interval_bound(plan, request.streams);
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
  return value;
}

ChosenFolding choose_folding(const FoldingRequest& request, DatapathTable& table) {
  return Search(request, table).run();
}

ChosenFolding search_all_foldings(const FoldingRequest& request, DatapathTable& table) {
  return Search(request, table).all();
}

}  // namespace ernn
