#include "train/training_data.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "features/feature_cache.h"
#include "train/interrupt.h"

namespace ernn {

namespace {

void check_utterance(const UtteranceInfo& info, const UtteranceFrames& utterance, int inputs,
                     int classes) {
  const int frames = utterance.features.rows;
  if (frames == 0) throw DataError(fmt::format("utterance {}: has no frames", info.id));
  if (utterance.features.cols != inputs) {
    throw DataError(fmt::format("utterance {}: found {} features a frame, expected {}", info.id,
                                utterance.features.cols, inputs));
  }
  if (static_cast<int>(utterance.labels.size()) != frames) {
    throw DataError(fmt::format("utterance {}: found {} frame labels, expected {}, one a frame",
                                info.id, utterance.labels.size(), frames));
  }
  for (int t = 0; t < frames; ++t) {
    const int label = utterance.labels[static_cast<std::size_t>(t)];
    if (label < -1 || label >= classes) {
      throw DataError(fmt::format("utterance {}, frame {}: found label {}, expected -1 to {}",
                                  info.id, t, label, classes - 1));
    }
  }
  for (const int phone : info.phones) {
    if (phone < 0 || phone >= classes) {
      throw DataError(
          fmt::format("utterance {}: found phone {} in the transcript, expected 0 to {}", info.id,
                      phone, classes - 1));
    }
  }
}

/// Makes the caches of all splits unless they are there; returns their digests, which are equal in
/// all processes.
std::vector<std::string> make_caches(const RunConfig& config, const ProcessGroup& group, bool quiet,
                                     const std::function<bool()>& stop) {
  const auto make = [&](const std::function<void()>& go_on) {
    std::string digests;
    for (const Split split : {Split::train, Split::dev, Split::test}) {
      digests += make_feature_cache(config.data, config.features, split, quiet, [&] {
        go_on();
        if (stop()) throw Error("interrupted while the feature cache was made", kInterrupted);
      });
      digests += ' ';
    }
    return digests;
  };
  return split_words(group.from_first_patiently(make));
}

}  // namespace

std::string text_of_splits(const TrainingData& data) {
  std::vector<std::string> splits;
  for (const auto* split : {&data.train, &data.dev, &data.test}) {
    std::uint64_t digest = 0;
    for (const auto& utterance : split->infos())
      digest = digest_bytes(fmt::format("{} {}\n", utterance.id, utterance.frames), digest);
    splits.push_back(fmt::format("{} utterances with digest {:016x}", split->size(), digest));
  }
  return fmt::format("{} for train, {} for dev and {} for test", splits[0], splits[1], splits[2]);
}

TrainingData prepare_data(UtteranceSet train, UtteranceSet dev, UtteranceSet test,
                          PhoneInventory phones) {
  TrainingData data;
  data.phones = phones;
  data.classes = static_cast<int>(phone_symbols(phones).size());
  if (train.empty()) throw DataError("the training split has no utterances");
  NormalisationEstimator estimator;
  DecoderModelEstimator decoder(data.classes);
  for (std::size_t i = 0; i < train.size(); ++i) {
    const UtteranceFrames utterance = train.read(i);
    if (i == 0) data.inputs = utterance.features.cols;
    check_utterance(train[i], utterance, data.inputs, data.classes);
    estimator.add(utterance.features);
    decoder.add_transcript(train[i].phones);
    decoder.add_frames(utterance.labels);
  }
  for (const auto* split : {&dev, &test}) {
    for (std::size_t i = 0; i < split->size(); ++i)
      check_utterance((*split)[i], split->read(i), data.inputs, data.classes);
  }
  data.normalisation = estimator.finish();
  data.decoder_model = decoder.finish();
  for (auto* split : {&train, &dev, &test}) split->normalise(data.normalisation);
  data.train = std::move(train);
  data.dev = std::move(dev);
  data.test = std::move(test);
  return data;
}

void check_ctc_lengths(const UtteranceSet& utterances) {
  for (const auto& utterance : utterances.infos()) {
    std::size_t needed = utterance.phones.size();
    for (std::size_t i = 1; i < utterance.phones.size(); ++i) {
      if (utterance.phones[i] == utterance.phones[i - 1]) ++needed;
    }
    if (utterance.phones.empty() || needed > static_cast<std::size_t>(utterance.frames)) {
      throw DataError(
          fmt::format("utterance {}: {} frames cannot carry its {} phones under CTC, which needs "
                      "at least one phone and {} frames; leave it out of the corpus",
                      utterance.id, utterance.frames, utterance.phones.size(), needed));
    }
  }
}

TrainingData load_training_data(const RunConfig& config, const ProcessGroup& group, bool quiet,
                                const std::function<bool()>& stop) {
  std::vector<UtteranceSet> sets;
  std::vector<std::string> digests;
  if (!config.data.cache.empty()) digests = make_caches(config, group, quiet, stop);
  for (const Split split : {Split::train, Split::dev, Split::test}) {
    if (digests.empty()) {
      sets.push_back(load_split(config.data, config.features, split, quiet));
    } else {
      sets.push_back(
          open_feature_cache(config.data, config.features, split, digests.at(sets.size())));
      if (!quiet) fmt::print(stderr, "{}\n", split_summary(split, sets.back().infos()));
    }
  }
  if (config.context.criterion == Criterion::ctc) {
    check_ctc_lengths(sets[0]);
    check_ctc_lengths(sets[1]);
  }
  return prepare_data(std::move(sets[0]), std::move(sets[1]), std::move(sets[2]),
                      config.data.phones);
}

void check_width(const ModelOptions& model, const TrainingData& data) {
  if (model.inputs == data.inputs) return;
  throw UsageError(fmt::format("model.inputs: found {}, expected {} as the features have, or 0",
                               model.inputs, data.inputs));
}

}  // namespace ernn
