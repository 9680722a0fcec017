#include "explore/block_proposal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "kernels.h"

namespace ernn {
namespace {

struct Space {
  ModelOptions model;
  std::vector<BlockPlace> places;
  PlaceLosses losses;
};

Space small_space(unsigned seed) {
  Space space;
  space.model = model_of(16, 20, 1, {lstm_layer(32, 16, 1), gru_layer(16, GruReset::before, 1)});
  space.places = block_places(space.model, 1.0);
  std::mt19937 engine(seed);
  for (const BlockPlace& place : space.places) {
    std::vector<double> losses = {0};
    // Mostly rising with k, but not always: nothing may rest on it.
    while (losses.size() < place.sizes.size())
      losses.push_back(losses.back() * 0.8 + 1e-3 * static_cast<double>(1 + engine() % 100));
    space.losses.push_back(losses);
  }
  return space;
}

/// Every assignment there is.
std::vector<BlockAssignment> all_assignments(const Space& space, Saving saving) {
  std::vector<BlockAssignment> all = {{{}, 0, 0}};
  for (std::size_t p = 0; p < space.places.size(); ++p) {
    std::vector<BlockAssignment> longer;
    for (const BlockAssignment& one : all) {
      for (std::size_t s = 0; s < space.places[p].sizes.size(); ++s) {
        BlockAssignment more = one;
        more.blocks.push_back(space.places[p].sizes[s]);
        more.loss += space.losses[p][s];
        longer.push_back(more);
      }
    }
    all = longer;
  }
  for (BlockAssignment& one : all) {
    const ModelOptions model = with_place_blocks(space.model, one.blocks);
    if (saving == Saving::multiplications) {
      one.cost = multiplications(model);
    } else {
      for (const MatrixShape& shape : matrix_shapes(model)) one.cost += shape.stored();
    }
  }
  return all;
}

const BlockAssignment* best_of(const std::vector<BlockAssignment>& all, double budget,
                               const std::function<bool(const BlockAssignment&)>& allowed) {
  const BlockAssignment* best = nullptr;
  for (const BlockAssignment& one : all) {
    if (static_cast<double>(one.cost) > budget || !allowed(one)) continue;
    if (best == nullptr || one.loss < best->loss) best = &one;
  }
  return best;
}

TEST(BlockProposal, FrontIsThatOfExhaustiveSearch) {
  for (const Saving saving : {Saving::multiplications, Saving::numbers}) {
    for (const unsigned seed : {1U, 2U, 3U}) {
      const Space space = small_space(seed);
      const auto all = all_assignments(space, saving);
      const auto front = best_assignments(space.model, space.places, space.losses, saving, 64);
      ASSERT_GT(all.size(), 1000U);
      ASSERT_GT(front.size(), 10U);
      for (const BlockAssignment& one : front) {
        const BlockAssignment* best =
            best_of(all, static_cast<double>(one.cost), [](const auto&) { return true; });
        ASSERT_NE(best, nullptr);
        EXPECT_NEAR(one.loss, best->loss, 1e-12);
        EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const BlockAssignment& other) {
          return other.blocks == one.blocks && other.cost == one.cost &&
                 std::abs(other.loss - one.loss) < 1e-12;
        }));
      }
      // And none is missing: no assignment beats what the front has within its cost.
      for (const BlockAssignment& one : all) {
        const BlockAssignment* best =
            best_of(front, static_cast<double>(one.cost), [](const auto&) { return true; });
        ASSERT_NE(best, nullptr);
        EXPECT_LE(best->loss, one.loss + 1e-12);
      }
    }
  }
}

TEST(BlockProposal, ThinnedFrontsStaySortedAndKeepTheEnds) {
  const Space space = small_space(4);
  const auto whole =
      best_assignments(space.model, space.places, space.losses, Saving::multiplications, 64);
  const auto thin =
      best_assignments(space.model, space.places, space.losses, Saving::multiplications, 64, 8);
  EXPECT_LE(thin.size(), 8U);
  EXPECT_GT(thin.size(), 3U);
  EXPECT_EQ(thin.back().loss, whole.back().loss);
  for (std::size_t i = 1; i < thin.size(); ++i) {
    EXPECT_GT(thin[i].cost, thin[i - 1].cost);
    EXPECT_LT(thin[i].loss, thin[i - 1].loss);
  }
}

TEST(BlockProposal, ProposalsAreTheBestUndominatedOnesThatCanBeBuilt) {
  const Space space = small_space(5);
  ProposalRequest request;
  request.model = space.model;
  request.places = space.places;
  request.losses = space.losses;
  request.lower = 2;
  request.upper = 8;
  request.count = 4;
  const auto buildable = [](const ModelOptions& model) {
    return model.layers[0].block.input == model.layers[1].block.input;
  };
  request.refuse = [&](const ModelOptions& model) {
    return buildable(model) ? std::string() : std::string("too coarse");
  };
  std::vector<BlockAssignment> small;
  for (const BlockAssignment& one : all_assignments(space, Saving::multiplications)) {
    if (*std::max_element(one.blocks.begin(), one.blocks.end()) <= 8) small.push_back(one);
  }
  const auto undominated = [&](const BlockAssignment& one) {
    return std::none_of(small.begin(), small.end(), [&](const BlockAssignment& other) {
      return other.cost <= one.cost && other.loss < one.loss - 1e-12;
    });
  };
  const std::vector<Proposal> proposals = propose_blocks(request);
  ASSERT_EQ(proposals.size(), 4U);
  const auto uniform = [&](int k) {
    return multiplications(with_place_blocks(space.model, uniform_blocks(space.places, k)));
  };
  EXPECT_EQ(proposals.front().budget, static_cast<double>(uniform(2)));
  EXPECT_EQ(proposals.back().budget, static_cast<double>(uniform(8)));
  EXPECT_EQ(proposals.front().uniform, uniform_blocks(space.places, 2));
  EXPECT_EQ(proposals.back().uniform, uniform_blocks(space.places, 8));
  int refused = 0;
  double before = HUGE_VAL;
  for (const Proposal& proposal : proposals) {
    const BlockAssignment* best = best_of(small, proposal.budget, [&](const BlockAssignment& one) {
      const bool circulant = *std::max_element(one.blocks.begin(), one.blocks.end()) > 1;
      return circulant && buildable(with_place_blocks(space.model, one.blocks)) && undominated(one);
    });
    ASSERT_NE(best, nullptr);
    EXPECT_NEAR(proposal.assignment.loss, best->loss, 1e-12);
    EXPECT_LE(static_cast<double>(proposal.assignment.cost), proposal.budget);
    EXPECT_LT(static_cast<double>(proposal.assignment.cost), before);
    before = static_cast<double>(proposal.assignment.cost);
    refused += proposal.refused;
    EXPECT_EQ(proposal.refusal, proposal.refused > 0 ? "too coarse" : "");
  }
  EXPECT_GT(refused, 0);
}

TEST(BlockProposal, OneProposalLiesHalfway) {
  const Space space = small_space(6);
  ProposalRequest request;
  request.model = space.model;
  request.places = space.places;
  request.losses = space.losses;
  request.upper = 8;
  request.count = 1;
  const std::vector<Proposal> proposals = propose_blocks(request);
  ASSERT_EQ(proposals.size(), 1U);
  const auto cost = [&](int k) {
    return static_cast<double>(
        multiplications(with_place_blocks(space.model, uniform_blocks(space.places, k))));
  };
  EXPECT_NEAR(proposals[0].budget, std::sqrt(cost(2) * cost(8)), 1);
  // At most as many as there are different ones.
  request.lower = 8;
  request.count = 5;
  EXPECT_EQ(propose_blocks(request).size(), 1U);
}

}  // namespace
}  // namespace ernn
