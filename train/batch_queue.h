// Batches that are built while the model computes.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "train/batches.h"

namespace ernn {

/// One is computed with while the next one waits and the one after it is built.
inline constexpr std::size_t kBatchesAhead = 2;

/// Gives batches in order and builds the next ones on a thread of its own meanwhile.
class BatchQueue {
 public:
  /// `build(i)` makes batch i, for i from 0 to `count` - 1 in order, on one thread. At most `ahead`
  /// batches wait to be taken; 0: no thread, next() builds them.
  BatchQueue(std::size_t count, std::function<Batch(std::size_t index)> build, std::size_t ahead);
  /// Stops after the batch that is being built, however many are left.
  ~BatchQueue();
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  /// The next batch; to be called at most `count` times. Throws what building it has thrown, and is
  /// not to be called again then.
  Batch next();

  /// Time that next() has taken so far.
  double waited_seconds() const { return waited_seconds_; }

 private:
  struct Item {
    Batch batch;
    std::exception_ptr error;
  };

  Batch take();
  void run();

  const std::size_t count_;
  const std::function<Batch(std::size_t)> build_;
  const std::size_t ahead_;
  std::size_t taken_ = 0;
  double waited_seconds_ = 0;

  std::mutex mutex_;  ///< of ready_ and stopping_
  std::condition_variable changed_;
  std::deque<Item> ready_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ernn
