#include "features/splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/text.h"

namespace ernn {

namespace {

using Names = std::set<std::string>;

bool has_part(const std::vector<Utterance>& corpus, const std::string& part) {
  return std::any_of(corpus.begin(), corpus.end(),
                     [&](const Utterance& u) { return u.part == part; });
}

/// The speakers of `corpus` that `keep` accepts.
template <class Keep>
Names speakers_where(const std::vector<Utterance>& corpus, Keep keep) {
  Names names;
  for (const auto& u : corpus) {
    if (keep(u)) names.insert(u.speaker);
  }
  return names;
}

Names existing(const std::vector<Utterance>& corpus, const std::vector<std::string>& wanted) {
  const Names list(wanted.begin(), wanted.end());
  return speakers_where(corpus, [&](const Utterance& u) { return list.count(u.speaker) > 0; });
}

/// The names of a list; a single item that is a file stands for the names in it.
std::vector<std::string> expand_file(const std::vector<std::string>& items) {
  std::error_code ignored;
  if (items.size() != 1 || !std::filesystem::is_regular_file(items.front(), ignored)) return items;
  std::vector<std::string> names;
  for (const auto& line : split(read_file(items.front()), '\n')) {
    const auto name = trim(std::string_view(line).substr(0, line.find('#')));
    if (!name.empty()) names.emplace_back(name);
  }
  if (names.empty()) throw UsageError(fmt::format("{}: no speakers in it", items.front()));
  return names;
}

/// The speakers that one written name stands for; empty when there are none.
Names find_name(const std::vector<Utterance>& corpus, const std::string& written,
                bool dialect_in_train) {
  const std::string name = to_lower(written);
  if (is_dialect(name)) {
    return speakers_where(corpus, [&](const Utterance& u) {
      return u.dialect == name && (!dialect_in_train || u.part == "train");
    });
  }
  return speakers_where(corpus, [&](const Utterance& u) {
    return u.speaker == name || u.dialect + "-" + u.speaker == name;
  });
}

std::string unknown_name(const std::vector<Utterance>& corpus, const std::string& option,
                         const std::string& name) {
  if (name.find('/') != std::string::npos || name.find('.') != std::string::npos) {
    return fmt::format("data.{}: file {} does not exist", option, name);
  }
  std::vector<std::string> known;
  for (const auto& speaker : list_speakers(corpus)) {
    known.push_back(name.find('-') == std::string::npos ? speaker.name
                                                        : speaker.dialect + "-" + speaker.name);
  }
  return fmt::format("data.{}: the corpus has no speaker or dialect '{}'{} (there are {})", option,
                     name, did_you_mean(name, known), describe_speakers(corpus));
}

Names named_speakers(const std::vector<Utterance>& corpus, const std::string& option,
                     const std::vector<std::string>& items, bool for_train) {
  const bool dialect_in_train = for_train && has_part(corpus, "train");
  Names all;
  for (const auto& name : expand_file(items)) {
    const Names found = find_name(corpus, name, dialect_in_train);
    if (found.empty()) throw UsageError(unknown_name(corpus, option, name));
    all.insert(found.begin(), found.end());
  }
  return all;
}

Names dev_of(const std::vector<Utterance>& corpus, const DataOptions& data) {
  if (data.dev_speakers.empty()) return existing(corpus, kaldi_dev_speakers());
  return named_speakers(corpus, "dev_speakers", data.dev_speakers, false);
}

/// Empty when nothing is named and the corpus has no TEST folder to choose from.
Names test_of(const std::vector<Utterance>& corpus, const DataOptions& data, const Names& dev) {
  if (!data.test_speakers.empty()) {
    return named_speakers(corpus, "test_speakers", data.test_speakers, false);
  }
  if (!has_part(corpus, "test")) return {};
  Names core = existing(corpus, core_test_speakers());
  if (!core.empty()) return core;
  return speakers_where(
      corpus, [&](const Utterance& u) { return u.part == "test" && dev.count(u.speaker) == 0; });
}

Names train_of(const std::vector<Utterance>& corpus, const DataOptions& data, const Names& dev,
               const Names& test) {
  Names train;
  if (!data.train_speakers.empty()) {
    train = named_speakers(corpus, "train_speakers", data.train_speakers, true);
  } else {
    const bool parts = has_part(corpus, "train");
    train = speakers_where(corpus, [&](const Utterance& u) { return !parts || u.part == "train"; });
  }
  for (const auto& name : dev) train.erase(name);
  for (const auto& name : test) train.erase(name);
  return train;
}

[[noreturn]] void no_default(const std::vector<Utterance>& corpus, Split split) {
  const std::string who =
      split == Split::dev ? "none of Kaldi's 50 dev speakers" : "no TRAIN and TEST folders";
  throw UsageError(fmt::format(
      "data.{}_speakers is empty and the corpus has {}; set it to speakers or dialects of {}",
      name_of(split), who, describe_speakers(corpus)));
}

void check_overlap(const Names& dev, const Names& test) {
  for (const auto& name : dev) {
    if (test.count(name) == 0) continue;
    throw UsageError(
        fmt::format("speaker {} is in both the dev and the test split; change data.dev_speakers or "
                    "data.test_speakers",
                    name));
  }
}

}  // namespace

const std::vector<std::string>& kaldi_dev_speakers() {
  static const std::vector<std::string> names = split_words(
      "faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 "
      "fedw0 mgjf0 mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 "
      "mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 "
      "mteb0 mjfc0 mrjr0 fmml0 mrws1");
  return names;
}

const std::vector<std::string>& core_test_speakers() {
  static const std::vector<std::string> names = split_words(
      "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 mbpm0 mklt0 fnlp0 "
      "mcmj0 mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0");
  return names;
}

std::string describe_speakers(const std::vector<Utterance>& corpus) {
  constexpr std::size_t kShown = 4;
  std::map<std::string, std::vector<std::string>> by_dialect;
  for (const auto& speaker : list_speakers(corpus)) {
    by_dialect[speaker.dialect].push_back(speaker.name);
  }
  std::vector<std::string> parts;
  for (auto& [dialect, names] : by_dialect) {
    const std::size_t count = names.size();
    if (count > kShown) names.resize(kShown);
    parts.push_back(fmt::format("{}: {}{}", dialect, join(names, " "),
                                count > kShown ? fmt::format(" ... ({})", count) : ""));
  }
  return join(parts, "; ");
}

std::vector<std::size_t> spread_places(std::size_t size, int limit) {
  const std::size_t count = limit <= 0 ? size : std::min(size, static_cast<std::size_t>(limit));
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < count; ++i) places.push_back(i * size / count);
  return places;
}

std::vector<Utterance> select_split(const std::vector<Utterance>& corpus, const DataOptions& data,
                                    Split split) {
  const Names dev = dev_of(corpus, data);
  const Names test = test_of(corpus, data, dev);
  check_overlap(dev, test);
  if (split == Split::dev && dev.empty()) no_default(corpus, split);
  if (split == Split::test && test.empty()) no_default(corpus, split);
  const Names speakers = split == Split::dev    ? dev
                         : split == Split::test ? test
                                                : train_of(corpus, data, dev, test);
  std::vector<Utterance> chosen;
  for (const auto& u : corpus) {
    if (speakers.count(u.speaker) > 0 && (data.include_sa || !u.is_sa())) chosen.push_back(u);
  }
  if (chosen.empty()) {
    throw UsageError(
        fmt::format("the {} split has no utterances; change data.{}_speakers (there are {})",
                    name_of(split), name_of(split), describe_speakers(corpus)));
  }
  std::vector<Utterance> kept;
  for (const std::size_t place : spread_places(chosen.size(), data.limit))
    kept.push_back(std::move(chosen[place]));
  return kept;
}

}  // namespace ernn
