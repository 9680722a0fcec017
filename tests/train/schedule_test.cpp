#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ernn {
namespace {

ScheduleOptions newbob(double threshold = 0.01, int patience = 0) {
  ScheduleOptions options;
  options.type = ScheduleType::newbob;
  options.factor = 0.5;
  options.threshold = threshold;
  options.patience = patience;
  options.min_learning_rate = 0.2;
  return options;
}

TEST(Newbob, HalvesAndGoesBackWhenDevGetsWorse) {
  Schedule schedule(newbob(), 1.0, 100);
  EXPECT_TRUE(schedule.end_of_epoch(1, 50).is_best);
  EXPECT_EQ(schedule.learning_rate(0), 1.0);
  const ScheduleDecision worse = schedule.end_of_epoch(2, 51);
  EXPECT_FALSE(worse.is_best);
  EXPECT_TRUE(worse.restore);
  EXPECT_FALSE(worse.stop);
  EXPECT_EQ(schedule.learning_rate(0), 0.5);
  EXPECT_EQ(schedule.state().best, 50);
  EXPECT_EQ(schedule.state().best_epoch, 1);
}

TEST(Newbob, ASmallGainIsKeptButStillHalves) {
  Schedule schedule(newbob(), 1.0, 100);
  schedule.end_of_epoch(1, 50);
  const ScheduleDecision small = schedule.end_of_epoch(2, 49.9);
  EXPECT_TRUE(small.is_best);
  EXPECT_FALSE(small.restore);
  EXPECT_EQ(schedule.learning_rate(0), 0.5);
}

TEST(Newbob, StopsBelowTheSmallestRate) {
  Schedule schedule(newbob(), 1.0, 100);
  schedule.end_of_epoch(1, 50);
  EXPECT_FALSE(schedule.end_of_epoch(2, 60).stop);  // 0.5
  EXPECT_FALSE(schedule.end_of_epoch(3, 60).stop);  // 0.25
  EXPECT_TRUE(schedule.end_of_epoch(4, 60).stop);   // 0.125
}

TEST(Newbob, PatienceForgives) {
  Schedule schedule(newbob(0.01, 1), 1.0, 100);
  schedule.end_of_epoch(1, 50);
  schedule.end_of_epoch(2, 55);
  EXPECT_EQ(schedule.learning_rate(0), 1.0);
  schedule.end_of_epoch(3, 55);
  EXPECT_EQ(schedule.learning_rate(0), 0.5);
  schedule.end_of_epoch(4, 40);
  schedule.end_of_epoch(5, 45);
  EXPECT_EQ(schedule.learning_rate(0), 0.5);
}

TEST(Newbob, NanIsNeverBest) {
  Schedule schedule(newbob(), 1.0, 100);
  EXPECT_FALSE(schedule.end_of_epoch(1, std::numeric_limits<double>::quiet_NaN()).is_best);
  EXPECT_TRUE(schedule.end_of_epoch(2, 50).is_best);
}

TEST(Newbob, WithoutRestoreItNeverGoesBack) {
  ScheduleOptions options = newbob();
  options.restore_best = false;
  Schedule schedule(options, 1.0, 100);
  schedule.end_of_epoch(1, 50);
  EXPECT_FALSE(schedule.end_of_epoch(2, 60).restore);
}

TEST(Schedule, ConstantStays) {
  ScheduleOptions options = newbob();
  options.type = ScheduleType::constant;
  Schedule schedule(options, 0.3, 10);
  schedule.end_of_epoch(1, 50);
  EXPECT_FALSE(schedule.end_of_epoch(2, 60).stop);
  EXPECT_EQ(schedule.learning_rate(9), 0.3);
}

TEST(Schedule, CosineGoesFromTheRateToTheSmallest) {
  ScheduleOptions options = newbob();
  options.type = ScheduleType::cosine;
  const Schedule schedule(options, 1.0, 10);
  EXPECT_DOUBLE_EQ(schedule.learning_rate(0), 1.0);
  EXPECT_NEAR(schedule.learning_rate(5), 0.6, 1e-12);
  EXPECT_NEAR(schedule.learning_rate(10), 0.2, 1e-12);
  EXPECT_NEAR(schedule.learning_rate(99), 0.2, 1e-12);
}

}  // namespace
}  // namespace ernn
