#include "features/dataset.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/options.h"
#include "base/progress.h"
#include "features/audio.h"
#include "features/corpus.h"
#include "features/feature_extractor.h"
#include "features/splits.h"

namespace ernn {

namespace {

void check_audio(const Audio& audio, const FeatureOptions& options, const Utterance& utterance) {
  if (audio.sample_rate != static_cast<int>(options.sample_rate) ||
      static_cast<double>(audio.sample_rate) != options.sample_rate) {
    throw DataError(fmt::format("{}: found {} Hz, expected {} Hz as features.sample_rate says",
                                utterance.audio.string(), audio.sample_rate, options.sample_rate));
  }
}

LabelledUtterance load(const Utterance& utterance, const FeatureExtractor& extractor,
                       PhoneInventory inventory) {
  const Audio audio = read_audio(utterance.audio);
  check_audio(audio, extractor.options(), utterance);
  const auto segments =
      read_phone_labels(utterance.labels, static_cast<long long>(audio.samples.size()));
  LabelledUtterance out;
  out.id = utterance.id;
  out.speaker = utterance.speaker;
  out.seconds = static_cast<double>(audio.samples.size()) / audio.sample_rate;
  out.features = extractor.compute(audio.samples);
  if (out.features.rows == 0) {
    throw DataError(fmt::format("{}: found {} samples, expected at least one frame of {}",
                                utterance.audio.string(), audio.samples.size(),
                                frame_length(extractor.options())));
  }
  for (int t = 0; t < out.features.rows; ++t) {
    const int phone = phone_at(segments, frame_centre(extractor.options(), t));
    out.frame_labels.push_back(fold_phone(PhoneInventory::timit61, phone, inventory));
  }
  for (const auto& segment : segments) {
    const int phone = fold_phone(PhoneInventory::timit61, segment.phone, inventory);
    if (phone >= 0) out.phones.push_back(phone);
  }
  return out;
}

std::string summary(Split split, const std::vector<LabelledUtterance>& utterances) {
  std::set<std::string> speakers;
  double seconds = 0;
  std::size_t phones = 0;
  for (const auto& u : utterances) {
    speakers.insert(u.speaker);
    seconds += u.seconds;
    phones += u.phones.size();
  }
  return fmt::format("{}: {} utterances of {} speakers, {} of audio, {} phones", name_of(split),
                     utterances.size(), speakers.size(), format_duration(seconds), phones);
}

}  // namespace

const std::vector<std::pair<Split, const char*>>& enum_names(Split /*tag*/) {
  static const std::vector<std::pair<Split, const char*>> names = {
      {Split::train, "train"}, {Split::dev, "dev"}, {Split::test, "test"}};
  return names;
}

std::vector<LabelledUtterance> load_split(const DataOptions& data, const FeatureOptions& features,
                                          Split split, bool quiet) {
  const FeatureExtractor extractor(features);
  const auto chosen = select_split(find_utterances(data.root), data, split);
  Progress progress(fmt::format("reading {}", name_of(split)),
                    static_cast<long long>(chosen.size()), quiet);
  std::vector<LabelledUtterance> utterances;
  utterances.reserve(chosen.size());
  for (const auto& utterance : chosen) {
    utterances.push_back(load(utterance, extractor, data.phones));
    progress.update(static_cast<long long>(utterances.size()));
  }
  progress.finish(summary(split, utterances));
  return utterances;
}

}  // namespace ernn
