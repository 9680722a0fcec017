#include "train/batch_queue.h"

#include <chrono>
#include <utility>

namespace ernn {

BatchQueue::BatchQueue(std::size_t count, std::function<Batch(std::size_t)> build,
                       std::size_t ahead)
    : count_(count), build_(std::move(build)), ahead_(ahead) {
  if (ahead_ > 0) thread_ = std::thread([this] { run(); });
}

BatchQueue::~BatchQueue() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Batch BatchQueue::next() {
  const auto start = std::chrono::steady_clock::now();
  Batch batch = ahead_ > 0 ? take() : build_(taken_);
  ++taken_;
  waited_seconds_ +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return batch;
}

Batch BatchQueue::take() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !ready_.empty(); });
  Item item = std::move(ready_.front());
  ready_.pop_front();
  lock.unlock();
  changed_.notify_all();
  if (item.error) std::rethrow_exception(item.error);
  return std::move(item.batch);
}

void BatchQueue::run() {
  for (std::size_t index = 0; index < count_; ++index) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || ready_.size() < ahead_; });
      if (stopping_) return;
    }
    Item item;
    try {
      item.batch = build_(index);
    } catch (...) {
      item.error = std::current_exception();
    }
    const bool failed = item.error != nullptr;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ready_.push_back(std::move(item));
    }
    changed_.notify_all();
    if (failed) return;
  }
}

}  // namespace ernn
