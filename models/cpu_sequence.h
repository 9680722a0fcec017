// Which utterances of a batch have which frames.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace ernn::cpu {

/// Utterances are sorted: those that have frame t are the first running[t] of the batch.
class BatchFrames {
 public:
  /// @param running empty: all utterances have all frames
  BatchFrames(int64_t frames, int64_t batch, std::vector<int64_t> running)
      : frames_(frames), batch_(batch), running_(std::move(running)) {
    TORCH_CHECK(running_.empty() || static_cast<int64_t>(running_.size()) == frames_,
                "numbers of utterances for ", running_.size(), " frames, expected ", frames_);
  }

  int64_t frames() const { return frames_; }
  int64_t batch() const { return batch_; }
  int64_t rows() const { return frames_ * batch_; }

  /// Of the utterances begin ... end - 1, those that have frame t; they are the first of them.
  int64_t running(int64_t t, int64_t begin, int64_t end) const {
    if (t >= frames_) return 0;
    if (running_.empty()) return end - begin;
    return std::clamp<int64_t>(running_[static_cast<std::size_t>(t)] - begin, 0, end - begin);
  }

  /// [frames, batch, width], for kernels that write only what the utterances have: the rest is 0.
  torch::Tensor new_tensor(const torch::Tensor& like, int64_t width) const {
    const std::vector<int64_t> sizes = {frames_, batch_, width};
    return running_.empty() ? torch::empty(sizes, like.options())
                            : torch::zeros(sizes, like.options());
  }

 private:
  int64_t frames_;
  int64_t batch_;
  std::vector<int64_t> running_;
};

}  // namespace ernn::cpu
