#include "train/training_data.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace ernn {

namespace {

void check_utterance(const LabelledUtterance& utterance, int inputs, int classes) {
  const int frames = utterance.features.rows;
  if (frames == 0) throw DataError(fmt::format("utterance {}: has no frames", utterance.id));
  if (utterance.features.cols != inputs) {
    throw DataError(fmt::format("utterance {}: found {} features a frame, expected {}",
                                utterance.id, utterance.features.cols, inputs));
  }
  if (static_cast<int>(utterance.frame_labels.size()) != frames) {
    throw DataError(fmt::format("utterance {}: found {} frame labels, expected {}, one a frame",
                                utterance.id, utterance.frame_labels.size(), frames));
  }
  for (int t = 0; t < frames; ++t) {
    const int label = utterance.frame_labels[static_cast<std::size_t>(t)];
    if (label < -1 || label >= classes) {
      throw DataError(fmt::format("utterance {}, frame {}: found label {}, expected -1 to {}",
                                  utterance.id, t, label, classes - 1));
    }
  }
  for (const int phone : utterance.phones) {
    if (phone < 0 || phone >= classes) {
      throw DataError(
          fmt::format("utterance {}: found phone {} in the transcript, expected 0 to {}",
                      utterance.id, phone, classes - 1));
    }
  }
}

}  // namespace

TrainingData prepare_data(std::vector<LabelledUtterance> train, std::vector<LabelledUtterance> dev,
                          std::vector<LabelledUtterance> test, PhoneInventory phones) {
  TrainingData data;
  data.phones = phones;
  data.classes = static_cast<int>(phone_symbols(phones).size());
  if (train.empty()) throw DataError("the training split has no utterances");
  data.inputs = train.front().features.cols;
  for (const auto* split : {&train, &dev, &test}) {
    for (const auto& utterance : *split) check_utterance(utterance, data.inputs, data.classes);
  }
  NormalisationEstimator estimator;
  std::vector<std::vector<int>> transcripts;
  std::vector<std::vector<int>> frame_labels;
  for (const auto& utterance : train) {
    estimator.add(utterance.features);
    transcripts.push_back(utterance.phones);
    frame_labels.push_back(utterance.frame_labels);
  }
  data.normalisation = estimator.finish();
  data.decoder_model = estimate_decoder_model(transcripts, frame_labels, data.classes);
  for (auto* split : {&train, &dev, &test}) {
    for (auto& utterance : *split) data.normalisation.apply(utterance.features);
  }
  data.train = std::move(train);
  data.dev = std::move(dev);
  data.test = std::move(test);
  return data;
}

void check_ctc_lengths(const std::vector<LabelledUtterance>& utterances) {
  for (const auto& utterance : utterances) {
    std::size_t needed = utterance.phones.size();
    for (std::size_t i = 1; i < utterance.phones.size(); ++i) {
      if (utterance.phones[i] == utterance.phones[i - 1]) ++needed;
    }
    if (utterance.phones.empty() || needed > static_cast<std::size_t>(utterance.features.rows)) {
      throw DataError(
          fmt::format("utterance {}: {} frames cannot carry its {} phones under CTC, which needs "
                      "at least one phone and {} frames; leave it out of the corpus",
                      utterance.id, utterance.features.rows, utterance.phones.size(), needed));
    }
  }
}

TrainingData load_training_data(const RunConfig& config, bool quiet) {
  auto train = load_split(config.data, config.features, Split::train, quiet);
  auto dev = load_split(config.data, config.features, Split::dev, quiet);
  auto test = load_split(config.data, config.features, Split::test, quiet);
  if (config.context.criterion == Criterion::ctc) {
    check_ctc_lengths(train);
    check_ctc_lengths(dev);
  }
  return prepare_data(std::move(train), std::move(dev), std::move(test), config.data.phones);
}

void check_width(const ModelOptions& model, const TrainingData& data) {
  if (model.inputs == data.inputs) return;
  throw UsageError(fmt::format("model.inputs: found {}, expected {} as the features have, or 0",
                               model.inputs, data.inputs));
}

}  // namespace ernn
