#include "explore/block_bounds.h"

#include <fmt/format.h>

#include "base/error.h"

namespace ernn {

namespace {

constexpr int kLargestBlock = 64;

}  // namespace

FoldingValue smallest_kernel(const ModelOptions& model, const QuantisationOptions& options,
                             int streams, DatapathTable& table) {
  FoldingRequest request;
  request.model = model;
  request.widths = default_widths(model, options);
  request.streams = streams;
  Folding folding = unfolded(model);
  folding.streams = streams;
  return value_folding(folding, request, table);
}

BlockBounds block_bounds(const ModelOptions& model, const std::vector<BlockPlace>& places,
                         double gain, const QuantisationOptions& options, int streams,
                         DatapathTable& table) {
  BlockBounds bounds;
  bounds.platform = table.platform().name;
  bool gains = true;
  for (int k = 1; k <= kLargestBlock; k *= 2) {
    const ModelOptions uniform = with_place_blocks(model, uniform_blocks(places, k));
    UniformCost cost{k, multiplications(uniform), parameter_count(uniform), {}, ""};
    cost.resources = smallest_kernel(uniform, options, streams, table).resources;
    cost.shortage = shortage(cost.resources, table.platform());
    if (k > 1) {
      const auto before = static_cast<double>(bounds.costs.back().multiplications);
      gains = gains && before >= gain * static_cast<double>(cost.multiplications);
      const bool fits = cost.shortage.empty();
      if (gains) bounds.arithmetic = k;
      if (fits && bounds.lower == 0) bounds.lower = k;
      if (fits && gains) bounds.upper = k;
    }
    bounds.costs.push_back(cost);
  }
  return bounds;
}

void require_room(const BlockBounds& bounds) {
  if (bounds.upper > 0 && bounds.lower > 0) return;
  const UniformCost& coarsest = bounds.costs.back();
  const UniformCost& finest = bounds.costs[1];
  throw UsageError(fmt::format(
      "{}: the network fits with no block size worth training: k = {}: {}; k = {}: {}; fewer bits, "
      "a smaller network or a larger device would help",
      bounds.platform, finest.k, finest.shortage.empty() ? "fits" : finest.shortage, coarsest.k,
      coarsest.shortage.empty() ? "fits" : coarsest.shortage));
}

}  // namespace ernn
