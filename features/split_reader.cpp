#include "features/split_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/options.h"
#include "base/progress.h"
#include "features/audio.h"
#include "features/framing.h"
#include "features/resample.h"
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

void change_speed(double speed, Audio& audio, std::vector<PhoneSegment>& segments) {
  audio.samples = resample(audio.samples, speed);
  for (auto& segment : segments) {
    segment.begin = std::llround(static_cast<double>(segment.begin) / speed);
    segment.end = std::llround(static_cast<double>(segment.end) / speed);
  }
}

/// Each utterance at every speed, in order of id.
std::vector<Utterance> at_speeds(const std::vector<Utterance>& utterances,
                                 const std::vector<double>& speeds) {
  constexpr double kSlowest = 0.5, kFastest = 2;
  std::vector<Utterance> result;
  for (const double speed : speeds) {
    if (!(speed >= kSlowest && speed <= kFastest)) {
      throw UsageError(
          fmt::format("data.speeds: found {}, expected {} to {}", speed, kSlowest, kFastest));
    }
    for (const auto& utterance : utterances) {
      result.push_back(utterance);
      result.back().speed = speed;
      if (speed != 1) result.back().id = fmt::format("sp{}-{}", speed, utterance.id);
    }
  }
  if (result.empty()) throw UsageError("data.speeds: found none, expected at least one");
  std::sort(result.begin(), result.end(),
            [](const Utterance& a, const Utterance& b) { return a.id < b.id; });
  const auto twice =
      std::adjacent_find(result.begin(), result.end(),
                         [](const Utterance& a, const Utterance& b) { return a.id == b.id; });
  if (twice != result.end()) {
    throw UsageError(
        fmt::format("data.speeds: found {} twice, expected each speed once", twice->speed));
  }
  return result;
}

LabelledUtterance load(const Utterance& utterance, const FeatureExtractor& extractor,
                       PhoneInventory inventory) {
  Audio audio = read_audio(utterance.audio);
  check_audio(audio, extractor.options(), utterance);
  auto segments = read_phone_labels(utterance.labels, static_cast<long long>(audio.samples.size()));
  if (utterance.speed != 1) change_speed(utterance.speed, audio, segments);
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
      utterances_(select_split(find_utterances(data.root), data, split)) {
  if (split == Split::train) utterances_ = at_speeds(utterances_, data.speeds);
}

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
