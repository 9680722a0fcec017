// Which block sizes to train, from what each is predicted to cost (docs/explore.md, "Proposals").
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "explore/block_places.h"

namespace ernn {

/// Predicted increases of the loss, nats, by place and by the place's `sizes`.
using PlaceLosses = std::vector<std::vector<double>>;

/// Block sizes for all places.
struct BlockAssignment {
  std::vector<int> blocks;  ///< by place
  long long cost = 0;       ///< of all matrices, in what is saved
  double loss = 0;          ///< predicted increase, nats
};

/// Every assignment of sizes up to `largest` that no other one beats in cost and predicted loss, by
/// rising cost. Costs and losses add up over places, so merging one place after another keeps
/// exactly those that count. When more than `most` are left after a place, those that lose least
/// stay in each of `most` ranges of equal ratio of costs.
std::vector<BlockAssignment> best_assignments(const ModelOptions& model,
                                              const std::vector<BlockPlace>& places,
                                              const PlaceLosses& losses, Saving saving, int largest,
                                              std::size_t most = 4096);

struct ProposalRequest {
  ModelOptions model;
  std::vector<BlockPlace> places;
  PlaceLosses losses;
  Saving saving = Saving::multiplications;
  int lower = 2, upper = 64;  ///< explore/block_bounds.h
  int count = 4;              ///< at most so many proposals
  /// Why a network cannot be built, "" when it can.
  std::function<std::string(const ModelOptions&)> refuse = [](const ModelOptions&) {
    return std::string();
  };
};

struct Proposal {
  BlockAssignment assignment;
  double budget = 0;  ///< cost that it had to stay within
  std::vector<int>
      uniform;              ///< the smallest block size everywhere that costs no more than `budget`
  double uniform_loss = 0;  ///< predicted for that
  int refused = 0;          ///< better assignments that cannot be built,
  std::string refusal;      ///< and why the first of them cannot
};

/// Proposals from the most expensive to the cheapest: costs to stay within go in equal ratios from
/// that of the uniform block size `lower` to that of `upper` (one proposal alone: halfway), and
/// each proposal is the assignment with the least predicted loss within. Equal ones are proposed
/// once.
std::vector<Proposal> propose_blocks(const ProposalRequest& request);

}  // namespace ernn
