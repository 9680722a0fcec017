#include "train/batches.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace ernn {

std::vector<std::vector<std::size_t>> plan_batches(const UtteranceSet& utterances, int batch) {
  std::vector<std::size_t> sorted(utterances.size());
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::size_t a, std::size_t b) {
    return utterances[a].frames < utterances[b].frames;
  });
  std::vector<std::vector<std::size_t>> plan;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i % static_cast<std::size_t>(batch) == 0) plan.emplace_back();
    plan.back().push_back(sorted[i]);
  }
  // The longest first: recurrences then skip the padding (models/layer.h).
  for (auto& batch : plan) std::reverse(batch.begin(), batch.end());
  return plan;
}

std::vector<std::size_t> batch_order(std::size_t count, std::uint64_t seed, int epoch) {
  std::seed_seq mixed{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U),
                      static_cast<std::uint32_t>(epoch)};
  std::mt19937_64 engine(mixed);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  // std::shuffle may differ between standard libraries; the bias of the remainder is below 2^-50.
  for (std::size_t left = count; left > 1; --left) {
    std::swap(order[left - 1], order[static_cast<std::size_t>(engine() % left)]);
  }
  return order;
}

Batch make_batch(const UtteranceSet& utterances, const std::vector<std::size_t>& members,
                 int label_delay) {
  Batch batch;
  if (members.empty()) return batch;
  batch.utterances = members;
  const auto count = static_cast<std::int64_t>(members.size());
  std::vector<std::int64_t> lengths;
  std::vector<std::int64_t> phones;
  std::vector<std::int64_t> phone_lengths;
  for (const auto index : members) {
    lengths.push_back(utterances[index].frames + label_delay);
    for (const int phone : utterances[index].phones) phones.push_back(phone + 1);
    phone_lengths.push_back(static_cast<std::int64_t>(utterances[index].phones.size()));
  }
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  batch.targets = torch::full({longest, count}, -1, torch::kInt64);
  auto* const targets = batch.targets.data_ptr<std::int64_t>();
  for (std::int64_t b = 0; b < count; ++b) {
    const UtteranceFrames own = utterances.read(members[static_cast<std::size_t>(b)]);
    const int frames = own.features.rows;
    const std::int64_t dims = own.features.cols;
    if (b == 0) batch.features = torch::zeros({longest, count, dims});
    auto* const features = batch.features.data_ptr<float>();
    for (int t = 0; t < frames + label_delay; ++t) {
      const float* const row = own.features.row(std::min(t, frames - 1));
      std::copy(row, row + dims, features + (t * count + b) * dims);
    }
    for (int t = 0; t < frames; ++t) {
      const int label = own.labels[static_cast<std::size_t>(t)];
      targets[(t + label_delay) * count + b] = label;
      if (label >= 0) ++batch.target_frames;
    }
  }
  batch.lengths = torch::tensor(lengths, torch::kInt64);
  batch.phones = torch::tensor(phones, torch::kInt64);
  batch.phone_lengths = torch::tensor(phone_lengths, torch::kInt64);
  return batch;
}

}  // namespace ernn
