#include "features/dataset.h"

#include <fmt/format.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "base/options.h"
#include "base/progress.h"
#include "features/feature_cache.h"
#include "features/split_reader.h"

namespace ernn {

namespace {

/// Bytes of memory that the machine has, 0 when it does not say.
double machine_memory() {
  const auto pages = static_cast<double>(::sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  return pages > 0 && page > 0 ? pages * page : 0;
}

}  // namespace

const std::vector<std::pair<Split, const char*>>& enum_names(Split /*tag*/) {
  static const std::vector<std::pair<Split, const char*>> names = {
      {Split::train, "train"}, {Split::dev, "dev"}, {Split::test, "test"}};
  return names;
}

std::string split_summary(Split split, const std::vector<UtteranceInfo>& utterances) {
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

std::string memory_advice(Split split, double frame_bytes, double machine_bytes) {
  constexpr double kGigabyte = 1e9;
  if (machine_bytes <= 0 || frame_bytes <= machine_bytes / 2) return "";
  return fmt::format(
      "{}: the features take about {:.1f} GB of this machine's {:.1f} GB of memory; data.cache=DIR "
      "keeps them on disk",
      name_of(split), frame_bytes / kGigabyte, machine_bytes / kGigabyte);
}

UtteranceSet load_split(const DataOptions& data, const FeatureOptions& features, Split split,
                        bool quiet) {
  UtteranceSet set;
  if (data.cache.empty()) {
    const SplitReader reader(data, features, split);
    const std::string advice = memory_advice(split, reader.frame_bytes(), machine_memory());
    if (!quiet && !advice.empty()) fmt::print(stderr, "{}\n", advice);
    std::vector<LabelledUtterance> utterances;
    utterances.reserve(reader.utterances().size());
    reader.read_all([&](LabelledUtterance u) { utterances.push_back(std::move(u)); }, quiet);
    set = UtteranceSet(std::move(utterances));
  } else {
    const std::string digest = make_feature_cache(data, features, split, quiet);
    set = open_feature_cache(data, features, split, digest);
  }
  if (!quiet) fmt::print(stderr, "{}\n", split_summary(split, set.infos()));
  return set;
}

}  // namespace ernn
