// A separable toy corpus in memory: each phone has a mean of its own, frames scatter around it.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "train/run_config.h"
#include "train/training_data.h"

namespace ernn::toy {

inline constexpr int kDims = 6;
inline constexpr int kPhones = 5;

/// Utterances of 3 to 7 phones, each 4 to 9 frames long.
inline std::vector<LabelledUtterance> utterances(int count, unsigned seed, double scatter = 0.3) {
  std::mt19937 means_engine(7);
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> means(kPhones, std::vector<float>(kDims));
  for (auto& mean : means) {
    for (auto& value : mean) value = normal(means_engine);
  }
  std::vector<LabelledUtterance> result;
  for (int n = 0; n < count; ++n) {
    LabelledUtterance utterance;
    utterance.id = "toy_" + std::to_string(seed) + "_" + std::to_string(n);
    utterance.speaker = "toy";
    const int phones = 3 + static_cast<int>(engine() % 5);
    for (int p = 0; p < phones; ++p) {
      // Never twice the same phone in a row, so that repeats do not depend on durations.
      const int step = 1 + static_cast<int>(engine() % (kPhones - 1));
      const int last = utterance.phones.empty() ? 0 : utterance.phones.back();
      utterance.phones.push_back((last + step) % kPhones);
      const int frames = 4 + static_cast<int>(engine() % 6);
      utterance.frame_labels.insert(utterance.frame_labels.end(), frames, utterance.phones.back());
    }
    utterance.features = FrameMatrix(static_cast<int>(utterance.frame_labels.size()), kDims);
    for (int t = 0; t < utterance.features.rows; ++t) {
      const auto& mean =
          means[static_cast<std::size_t>(utterance.frame_labels[static_cast<std::size_t>(t)])];
      for (int d = 0; d < kDims; ++d) {
        utterance.features.at(t, d) =
            mean[static_cast<std::size_t>(d)] + static_cast<float>(scatter) * normal(engine);
      }
    }
    result.push_back(std::move(utterance));
  }
  return result;
}

inline TrainingData data(double scatter = 0.3) {
  return prepare_data(utterances(24, 1, scatter), utterances(8, 2, scatter),
                      utterances(8, 3, scatter), PhoneInventory::timit39);
}

/// A small LSTM and one dense stage of 4 epochs; `stages` replaces the list.
inline RunConfig config(const std::string& stages = "", const std::vector<std::string>& sets = {}) {
  std::string yaml = R"(
name: toy
seed: 3
data: {phones: timit39}
model:
  inputs: 6
  dropout: 0.2
  layers: [{type: lstm, size: 16, projection: 8}]
decoder: {type: viterbi, min_duration: 2, lm_weight: 1}
training:
  epochs: 4
  batch: 4
  optimiser: {type: adam, learning_rate: 0.01}
  schedule: {type: newbob}
)";
  yaml += stages.empty() ? "stages: [{name: dense}]\n" : stages;
  return parse_run_config(yaml, "toy.yaml", sets);
}

}  // namespace ernn::toy
