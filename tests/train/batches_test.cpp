#include "train/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "tests/train/toy.h"
#include "train/label_delay.h"

namespace ernn {
namespace {

TEST(Batches, CoverEachUtteranceOnce) {
  const auto utterances = toy::utterances(23, 5);
  std::multiset<std::size_t> seen;
  const auto length = [&](std::size_t index) { return utterances[index].features.rows; };
  int longest_before = 0;
  for (const auto& batch : plan_batches(utterances, 4)) {
    EXPECT_LE(batch.size(), 4U);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      seen.insert(batch[i]);
      EXPECT_GE(length(batch[i]), longest_before) << "belongs to an earlier batch";
      EXPECT_LE(length(batch[i]), length(batch[i == 0 ? 0 : i - 1])) << "not the longest first";
    }
    longest_before = length(batch.front());
  }
  ASSERT_EQ(seen.size(), 23U);
  for (std::size_t i = 0; i < 23; ++i) EXPECT_EQ(seen.count(i), 1U);
}

TEST(Batches, OrderIsAPermutationThatDependsOnSeedAndEpoch) {
  const auto order = batch_order(50, 1, 0);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], i);
  EXPECT_EQ(order, batch_order(50, 1, 0));
  EXPECT_NE(order, batch_order(50, 1, 1));
  EXPECT_NE(order, batch_order(50, 2, 0));
}

TEST(Batches, OrderReachesEveryPlaceEvenly) {
  // 4 places, 8000 epochs: each item should be first 2000 times, standard deviation 39.
  std::map<std::size_t, int> first;
  for (int epoch = 0; epoch < 8000; ++epoch) ++first[batch_order(4, 9, epoch).front()];
  for (const auto& [item, count] : first) EXPECT_NEAR(count, 2000, 200) << item;
}

TEST(Batches, PaddingAndTargets) {
  const auto utterances = toy::utterances(3, 5);
  const Batch batch = make_batch(utterances, {2, 0, 1}, 0);
  const std::vector<std::size_t> members = {2, 0, 1};
  std::int64_t longest = 0;
  long long frames = 0;
  for (const auto& utterance : utterances) {
    longest = std::max<std::int64_t>(longest, utterance.features.rows);
    frames += utterance.features.rows;
  }
  ASSERT_EQ(batch.features.sizes().vec(), (std::vector<std::int64_t>{longest, 3, toy::kDims}));
  EXPECT_EQ(batch.target_frames, frames);
  for (std::int64_t b = 0; b < 3; ++b) {
    const auto& utterance = utterances[members[static_cast<std::size_t>(b)]];
    EXPECT_EQ(batch.lengths[b].item<std::int64_t>(), utterance.features.rows);
    for (std::int64_t t = 0; t < longest; ++t) {
      const bool inside = t < utterance.features.rows;
      EXPECT_EQ(batch.targets[t][b].item<std::int64_t>(),
                inside ? utterance.frame_labels[static_cast<std::size_t>(t)] : -1);
      EXPECT_EQ(batch.features[t][b][1].item<float>(),
                inside ? utterance.features.at(static_cast<int>(t), 1) : 0.0F);
    }
  }
}

TEST(Batches, LabelDelayMovesTargetsAndRepeatsTheLastFrame) {
  auto utterances = toy::utterances(1, 5);
  const int frames = utterances[0].features.rows;
  utterances[0].frame_labels[1] = -1;
  const Batch batch = make_batch(utterances, {0}, 3);
  ASSERT_EQ(batch.features.size(0), frames + 3);
  EXPECT_EQ(batch.lengths[0].item<std::int64_t>(), frames + 3);
  EXPECT_EQ(batch.target_frames, frames - 1);
  const FrameMatrix fed = with_delay_frames(utterances[0].features, 3);
  for (int t = 0; t < frames + 3; ++t) {
    const std::int64_t expected =
        t < 3 ? -1 : utterances[0].frame_labels[static_cast<std::size_t>(t - 3)];
    EXPECT_EQ(batch.targets[t][0].item<std::int64_t>(), expected) << t;
    for (int d = 0; d < toy::kDims; ++d) {
      EXPECT_EQ(batch.features[t][0][d].item<float>(),
                utterances[0].features.at(std::min(t, frames - 1), d));
      EXPECT_EQ(batch.features[t][0][d].item<float>(), fed.at(t, d));
    }
  }
  EXPECT_EQ(without_delay_frames(fed, 3).rows, frames);
  EXPECT_EQ(without_delay_frames(fed, 3).at(0, 0), utterances[0].features.at(3, 0));
}

TEST(TrainingData, IsNormalisedByTheTrainingSplit) {
  const TrainingData data = toy::data();
  double sum = 0;
  double squares = 0;
  double frames = 0;
  for (std::size_t i = 0; i < data.train.size(); ++i) {
    const FrameMatrix features = data.train.read(i).features;
    for (int t = 0; t < features.rows; ++t) {
      sum += features.at(t, 2);
      squares += features.at(t, 2) * features.at(t, 2);
      ++frames;
    }
  }
  EXPECT_NEAR(sum / frames, 0, 1e-5);
  EXPECT_NEAR(squares / frames, 1, 1e-5);
}

TEST(TrainingData, BrokenUtterancesAreRefusedByName) {
  const auto refusal = [](std::vector<LabelledUtterance> train) -> std::string {
    try {
      prepare_data(std::move(train), {}, {}, PhoneInventory::timit39);
    } catch (const DataError& error) {
      return error.what();
    }
    return "(accepted)";
  };
  auto label = toy::utterances(3, 5);
  label[1].frame_labels[4] = 39;
  EXPECT_THAT(refusal(label), testing::HasSubstr("toy_5_1, frame 4: found label 39"));
  auto longer = toy::utterances(3, 5);
  longer[2].frame_labels.push_back(1);
  EXPECT_THAT(refusal(longer), testing::HasSubstr("toy_5_2"));
  EXPECT_THAT(refusal({}), testing::HasSubstr("no utterances"));
}

TEST(TrainingData, CtcNeedsEnoughFrames) {
  auto utterances = toy::utterances(2, 5);
  check_ctc_lengths(utterances);
  utterances[1].phones.assign(static_cast<std::size_t>(utterances[1].features.rows), 1);
  try {
    check_ctc_lengths(utterances);
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("toy_5_1"));
  }
}

}  // namespace
}  // namespace ernn
