#include "explore/block_proposal.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace ernn {

namespace {

using Front = std::vector<BlockAssignment>;

/// Keeps what nothing cheaper or as cheap equals in loss; by rising cost.
Front undominated(Front all) {
  std::sort(all.begin(), all.end(), [](const BlockAssignment& a, const BlockAssignment& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.loss < b.loss;
  });
  Front kept;
  for (BlockAssignment& one : all) {
    if (kept.empty() || one.loss < kept.back().loss) kept.push_back(std::move(one));
  }
  return kept;
}

/// At most `most`, one for each range of costs: the last, which has the least loss.
Front thinned(const Front& front, std::size_t most) {
  if (front.size() <= most) return front;
  const double low = std::log(static_cast<double>(std::max(1LL, front.front().cost)));
  const double high = std::log(static_cast<double>(std::max(2LL, front.back().cost)));
  const auto range = [&](const BlockAssignment& one) {
    const double share = (std::log(static_cast<double>(std::max(1LL, one.cost))) - low) /
                         std::max(high - low, 1e-12);
    return std::min(most - 1, static_cast<std::size_t>(share * static_cast<double>(most)));
  };
  Front kept;
  for (std::size_t i = 0; i < front.size(); ++i) {
    if (i + 1 == front.size() || range(front[i]) != range(front[i + 1])) kept.push_back(front[i]);
  }
  return kept;
}

/// Cost and predicted loss of block sizes.
BlockAssignment price(const ProposalRequest& request, const std::vector<int>& blocks) {
  BlockAssignment one{blocks, 0, 0};
  for (std::size_t p = 0; p < blocks.size(); ++p) {
    const BlockPlace& place = request.places[p];
    const auto size = std::find(place.sizes.begin(), place.sizes.end(), blocks[p]);
    one.cost += place_cost(request.model, place, blocks[p], request.saving);
    one.loss += request.losses[p][static_cast<std::size_t>(size - place.sizes.begin())];
  }
  return one;
}

/// The least loss within `budget` that can be built; nothing when none can.
std::optional<Proposal> best_within(const ProposalRequest& request, const Front& front,
                                    double budget) {
  Proposal proposal;
  proposal.budget = budget;
  for (auto one = front.rbegin(); one != front.rend(); ++one) {
    if (static_cast<double>(one->cost) > budget) continue;
    if (*std::max_element(one->blocks.begin(), one->blocks.end()) == 1) continue;
    const std::string why = request.refuse(with_place_blocks(request.model, one->blocks));
    if (why.empty()) {
      proposal.assignment = *one;
      return proposal;
    }
    if (proposal.refused++ == 0) proposal.refusal = why;
  }
  return std::nullopt;
}

void add_uniform(const ProposalRequest& request, Proposal& proposal) {
  for (int k = request.lower; k <= request.upper; k *= 2) {
    const BlockAssignment uniform = price(request, uniform_blocks(request.places, k));
    if (static_cast<double>(uniform.cost) > proposal.budget) continue;
    proposal.uniform = uniform.blocks;
    proposal.uniform_loss = uniform.loss;
    return;
  }
}

}  // namespace

std::vector<BlockAssignment> best_assignments(const ModelOptions& model,
                                              const std::vector<BlockPlace>& places,
                                              const PlaceLosses& losses, Saving saving, int largest,
                                              std::size_t most) {
  Front front = {{{}, 0, 0}};
  for (std::size_t p = 0; p < places.size(); ++p) {
    Front longer;
    for (std::size_t s = 0; s < places[p].sizes.size(); ++s) {
      const int k = places[p].sizes[s];
      if (k > largest) continue;
      const long long cost = place_cost(model, places[p], k, saving);
      for (const BlockAssignment& one : front) {
        BlockAssignment& more = longer.emplace_back(one);
        more.blocks.push_back(k);
        more.cost += cost;
        more.loss += losses[p][s];
      }
    }
    front = thinned(undominated(std::move(longer)), most);
  }
  return front;
}

std::vector<Proposal> propose_blocks(const ProposalRequest& request) {
  const Front front = best_assignments(request.model, request.places, request.losses,
                                       request.saving, request.upper);
  const auto cost_of = [&](int k) {
    return static_cast<double>(price(request, uniform_blocks(request.places, k)).cost);
  };
  const double most = cost_of(request.lower), least = cost_of(request.upper);
  std::vector<Proposal> proposals;
  for (int i = 0; i < request.count; ++i) {
    const double share = request.count == 1 ? 0.5 : static_cast<double>(i) / (request.count - 1);
    // Rounded up: the ends must not lose the uniform networks that they come from.
    const double budget = std::ceil(most * std::pow(least / most, share) - 1e-6);
    auto proposal = best_within(request, front, budget);
    if (!proposal) continue;
    const auto same = [&](const Proposal& other) {
      return other.assignment.blocks == proposal->assignment.blocks;
    };
    if (std::any_of(proposals.begin(), proposals.end(), same)) continue;
    add_uniform(request, *proposal);
    proposals.push_back(*proposal);
  }
  return proposals;
}

}  // namespace ernn
