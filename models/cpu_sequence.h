// Which utterances of a batch have which frames.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "models/cpu_matrix.h"

namespace ernn::cpu {

/// Utterances are sorted: those that have frame t are the first running[t] of the batch.
class BatchFrames {
 public:
  /// @param running empty: all utterances have all frames
  /// @param continues the first frame has one before it, in an earlier piece of the utterances
  BatchFrames(int64_t frames, int64_t batch, std::vector<int64_t> running, bool continues)
      : frames_(frames), batch_(batch), continues_(continues), running_(std::move(running)) {
    TORCH_CHECK(running_.empty() || static_cast<int64_t>(running_.size()) == frames_,
                "numbers of utterances for ", running_.size(), " frames, expected ", frames_);
  }

  int64_t frames() const { return frames_; }
  int64_t batch() const { return batch_; }
  int64_t rows() const { return frames_ * batch_; }

  bool continues() const { return continues_; }
  /// Whether there is a frame before t.
  bool has_previous(int64_t t) const { return t > 0 || continues_; }

  /// Of the utterances begin ... end - 1, those that have frame t; they are the first of them.
  int64_t running(int64_t t, int64_t begin, int64_t end) const {
    if (t >= frames_) return 0;
    if (running_.empty()) return end - begin;
    return std::clamp<int64_t>(running_[static_cast<std::size_t>(t)] - begin, 0, end - begin);
  }

  /// [frames, batch, width], for kernels that write only what the utterances have: the rest is 0.
  torch::Tensor new_tensor(const torch::Tensor& like, int64_t width) const {
    return new_tensor(like, width, frames_);
  }
  /// The same behind a frame with what is `before` the first one, zeros when that is empty: row i
  /// is what the frame of row i of the others has before it.
  torch::Tensor new_tensor_behind(const torch::Tensor& before, const torch::Tensor& like,
                                  int64_t width) const {
    const torch::Tensor all = new_tensor(like, width, frames_ + 1);
    torch::Tensor first = all.select(0, 0);
    if (before.numel() > 0) {
      first.copy_(before);
    } else {
      first.zero_();
    }
    return all;
  }
  /// The frames of such a tensor.
  torch::Tensor without_before(const torch::Tensor& all) const { return all.narrow(0, 1, frames_); }

 private:
  torch::Tensor new_tensor(const torch::Tensor& like, int64_t width, int64_t frames) const {
    const std::vector<int64_t> sizes = {frames, batch_, width};
    return running_.empty() ? torch::empty(sizes, like.options())
                            : torch::zeros(sizes, like.options());
  }

  int64_t frames_;
  int64_t batch_;
  bool continues_;
  std::vector<int64_t> running_;
};

/// Rows [batch, width] of every frame, or one place for the frame that is being computed when
/// nothing needs them later.
class FrameRows {
 public:
  FrameRows() = default;
  FrameRows(const BatchFrames& frames, const torch::Tensor& like, int64_t width, bool keeps_all)
      : batch_(frames.batch()),
        keeps_all_(keeps_all),
        rows_(keeps_all ? frames.new_tensor(like, width)
                        : torch::empty({1, frames.batch(), width}, like.options())) {}

  /// From utterance `begin` of frame t on.
  template <class T>
  compute::Rows<T> at(int64_t t, int64_t begin) const {
    return rows_of<T>(rows_).from((keeps_all_ ? t * batch_ : 0) + begin);
  }
  /// [frames, batch, width]
  const torch::Tensor& all() const { return rows_; }

 private:
  int64_t batch_ = 0;
  bool keeps_all_ = false;
  torch::Tensor rows_;
};

}  // namespace ernn::cpu
