#include "train/batch_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "tests/train/toy.h"

namespace ernn {
namespace {

class Ahead : public testing::TestWithParam<int> {};

TEST_P(Ahead, GivesTheSameBatchesInOrder) {
  const auto utterances = toy::utterances(23, 5);
  const auto plan = plan_batches(utterances, 4);
  const auto build = [&](std::size_t i) { return make_batch(utterances, plan[i], 2); };
  BatchQueue queue(plan.size(), build, static_cast<std::size_t>(GetParam()));
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const Batch batch = queue.next();
    const Batch expected = build(i);
    EXPECT_EQ(batch.utterances, plan[i]);
    EXPECT_EQ(batch.target_frames, expected.target_frames);
    EXPECT_TRUE(torch::equal(batch.features, expected.features));
    EXPECT_TRUE(torch::equal(batch.targets, expected.targets));
    EXPECT_TRUE(torch::equal(batch.lengths, expected.lengths));
    EXPECT_TRUE(torch::equal(batch.phones, expected.phones));
  }
}

TEST_P(Ahead, AnErrorComesInItsTurn) {
  BatchQueue queue(
      5,
      [](std::size_t i) {
        if (i == 2) throw DataError("the third is broken");
        return Batch{};
      },
      static_cast<std::size_t>(GetParam()));
  queue.next();
  queue.next();
  EXPECT_THROW(queue.next(), DataError);
}

TEST_P(Ahead, MayBeLeftEarly) {
  BatchQueue queue(
      1000000, [](std::size_t) { return Batch{}; }, static_cast<std::size_t>(GetParam()));
  queue.next();
}

INSTANTIATE_TEST_SUITE_P(BatchQueue, Ahead, testing::Values(0, 1, 3));

TEST(BatchQueue, BuildsNoMoreThanItMayAhead) {
  std::atomic<int> built{0};
  int most = 0;
  BatchQueue queue(
      50,
      [&](std::size_t) {
        ++built;
        return Batch{};
      },
      3);
  for (int taken = 1; taken <= 50; ++taken) {
    queue.next();
    std::this_thread::yield();
    most = std::max(most, built - taken);
  }
  EXPECT_LE(most, 3);
  EXPECT_EQ(built, 50);
}

TEST(BatchQueue, CountsTheTimeThatItIsWaitedFor) {
  const auto build = [](std::size_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return Batch{};
  };
  BatchQueue slow(2, build, 1);
  slow.next();
  EXPECT_GE(slow.waited_seconds(), 0.01);
  BatchQueue none(2, build, 0);
  none.next();
  EXPECT_GE(none.waited_seconds(), 0.02);
}

}  // namespace
}  // namespace ernn
