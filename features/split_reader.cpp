#include "features/split_reader.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/options.h"
#include "base/progress.h"
#include "features/audio.h"
#include "features/framing.h"
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

}  // namespace

SplitReader::SplitReader(const DataOptions& data, const FeatureOptions& features, Split split)
    : extractor_(features),
      phones_(data.phones),
      split_(split),
      utterances_(select_split(find_utterances(data.root), data, split)) {}

LabelledUtterance SplitReader::read(std::size_t index) const {
  return load(utterances_[index], extractor_, phones_);
}

void SplitReader::read_all(const std::function<void(LabelledUtterance utterance)>& sink,
                           bool quiet) const {
  Progress progress(fmt::format("reading {}", name_of(split_)),
                    static_cast<long long>(utterances_.size()), quiet);
  for (std::size_t i = 0; i < utterances_.size(); ++i) {
    sink(read(i));
    progress.update(static_cast<long long>(i) + 1);
  }
  progress.finish();
}

double SplitReader::frame_bytes() const {
  constexpr double kSampleBytes = 2;
  double audio = 0;
  for (const auto& utterance : utterances_) {
    std::error_code ignored;
    const auto bytes = std::filesystem::file_size(utterance.audio, ignored);
    if (!ignored) audio += static_cast<double>(bytes);
  }
  return audio / kSampleBytes / frame_shift(extractor_.options()) *
         (static_cast<double>(sizeof(float)) * extractor_.dimension() + sizeof(int));
}

}  // namespace ernn
