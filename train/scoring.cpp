#include "train/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"

namespace ernn {

const std::vector<std::pair<ScoringProtocol, const char*>>& enum_names(ScoringProtocol) {
  static const std::vector<std::pair<ScoringProtocol, const char*>> names = {
      {ScoringProtocol::kaldi, "kaldi"},
      {ScoringProtocol::forgiving, "forgiving"},
      {ScoringProtocol::merge_silence, "merge_silence"},
      {ScoringProtocol::merge_repeats, "merge_repeats"},
      {ScoringProtocol::keep_q, "keep_q"},
      {ScoringProtocol::q_as_silence, "q_as_silence"}};
  return names;
}

ErrorCounts& ErrorCounts::operator+=(const ErrorCounts& other) {
  tokens += other.tokens;
  substitutions += other.substitutions;
  deletions += other.deletions;
  insertions += other.insertions;
  utterances += other.utterances;
  return *this;
}

namespace {

constexpr const char* kSilence = "sil";
constexpr const char* kGlottalStop = "q";

using Symbols = std::vector<std::string>;

/// Classes of `inventory` as symbols of the 39-set, with the protocol's rules applied.
Symbols fold(const std::vector<int>& phones, PhoneInventory inventory, ScoringProtocol protocol,
             const std::string& id) {
  const auto& from = phone_symbols(inventory);
  const auto& to = phone_symbols(PhoneInventory::timit39);
  Symbols symbols;
  for (const int phone : phones) {
    if (phone < 0 || phone >= static_cast<int>(from.size())) {
      throw DataError(fmt::format("{}: class {} is not one of the {} phones of {}", id, phone,
                                  from.size(), name_of(inventory)));
    }
    const int folded = fold_phone(inventory, phone, PhoneInventory::timit39);
    if (folded >= 0) {
      symbols.push_back(to[static_cast<std::size_t>(folded)]);
    } else if (protocol == ScoringProtocol::keep_q) {
      symbols.emplace_back(kGlottalStop);
    } else if (protocol == ScoringProtocol::q_as_silence) {
      symbols.emplace_back(kSilence);
    }
  }
  if (protocol == ScoringProtocol::merge_silence || protocol == ScoringProtocol::merge_repeats) {
    const auto merged = [&](const std::string& a, const std::string& b) {
      return a == b && (protocol == ScoringProtocol::merge_repeats || a == kSilence);
    };
    symbols.erase(std::unique(symbols.begin(), symbols.end(), merged), symbols.end());
  }
  return symbols;
}

/// Cost of an alignment: errors first, substitutions to break ties.
struct Cost {
  int errors = 0;
  int substitutions = 0;

  Cost plus(int more_errors, int more_substitutions) const {
    return {errors + more_errors, substitutions + more_substitutions};
  }
  bool operator==(const Cost& other) const {
    return errors == other.errors && substitutions == other.substitutions;
  }
  bool operator<(const Cost& other) const {
    return errors != other.errors ? errors < other.errors : substitutions < other.substitutions;
  }
};

/// Levenshtein table over prefixes of both sides.
class Aligner {
 public:
  Aligner(const Symbols& reference, const Symbols& hypothesis, bool forgive_silence)
      : reference_(reference),
        hypothesis_(hypothesis),
        forgive_silence_(forgive_silence),
        cols_(hypothesis.size() + 1),
        table_((reference.size() + 1) * cols_) {
    for (std::size_t i = 0; i <= reference.size(); ++i) {
      for (std::size_t j = 0; j <= hypothesis.size(); ++j) {
        if (i + j == 0) continue;
        Cost& best = table_[i * cols_ + j];
        if (i > 0 && j > 0) best = diagonal(i, j);
        if (i > 0 && (j == 0 || deletion(i, j) < best)) best = deletion(i, j);
        if (j > 0 && (i == 0 || insertion(i, j) < best)) best = insertion(i, j);
      }
    }
  }

  /// Walks back from the end; on a tie a pair goes before a deletion, and that before an insertion.
  std::vector<AlignedPair> pairs() const {
    std::vector<AlignedPair> pairs;
    std::size_t i = reference_.size(), j = hypothesis_.size();
    while (i + j > 0) {
      const Cost& here = at(i, j);
      if (i > 0 && j > 0 && here == diagonal(i, j)) {
        pairs.push_back({reference_[--i], hypothesis_[--j]});
      } else if (i > 0 && here == deletion(i, j)) {
        const bool free = forgiven(i);
        pairs.push_back({reference_[--i], "", free});
      } else {
        pairs.push_back({"", hypothesis_[--j]});
      }
    }
    std::reverse(pairs.begin(), pairs.end());
    return pairs;
  }

 private:
  const Cost& at(std::size_t i, std::size_t j) const { return table_[i * cols_ + j]; }
  bool forgiven(std::size_t i) const { return forgive_silence_ && reference_[i - 1] == kSilence; }
  Cost diagonal(std::size_t i, std::size_t j) const {
    const int wrong = reference_[i - 1] == hypothesis_[j - 1] ? 0 : 1;
    return at(i - 1, j - 1).plus(wrong, wrong);
  }
  Cost deletion(std::size_t i, std::size_t j) const {
    return at(i - 1, j).plus(forgiven(i) ? 0 : 1, 0);
  }
  Cost insertion(std::size_t i, std::size_t j) const { return at(i, j - 1).plus(1, 0); }

  const Symbols& reference_;
  const Symbols& hypothesis_;
  bool forgive_silence_;
  std::size_t cols_;
  std::vector<Cost> table_;  ///< [reference + 1, hypothesis + 1]
};

/// What the alignment report calls a pair: blank, S, D, I, or "ok" for a forgiven deletion.
const char* verdict(const AlignedPair& pair) {
  if (pair.forgiven) return "ok";
  if (pair.reference.empty()) return "I";
  if (pair.hypothesis.empty()) return "D";
  return pair.reference == pair.hypothesis ? "" : "S";
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string alignment_text(const UtteranceScore& score) {
  std::string reference = "  REF ", hypothesis = "  HYP ", marks = "      ";
  for (const auto& pair : score.pairs) {
    reference += fmt::format(" {:<4}", pair.reference.empty() ? "***" : pair.reference);
    hypothesis += fmt::format(" {:<4}", pair.hypothesis.empty() ? "***" : pair.hypothesis);
    marks += fmt::format(" {:<4}", verdict(pair));
  }
  const ErrorCounts& counts = score.counts;
  return fmt::format("{}  PER {:.2f} % (S {} D {} I {}; {} tokens)\n{}\n{}\n{}\n\n", score.id,
                     counts.per(), counts.substitutions, counts.deletions, counts.insertions,
                     counts.tokens, without_trailing_blanks(reference),
                     without_trailing_blanks(hypothesis), without_trailing_blanks(marks));
}

/// One side of an utterance as a line of a trn file. Under `forgiving` silences of the reference
/// are marked optionally deletable, for `sclite -D`.
std::string trn_line(const UtteranceScore& score, std::string AlignedPair::*side, bool forgiving) {
  std::string line;
  for (const auto& pair : score.pairs) {
    const std::string& symbol = pair.*side;
    if (symbol.empty()) continue;
    line += forgiving && symbol == kSilence ? fmt::format("({}) ", symbol) : symbol + " ";
  }
  return fmt::format("{}({})\n", line, score.id);
}

nlohmann::ordered_json scores_json(const ScoreSheet& sheet) {
  Symbols symbols = phone_symbols(PhoneInventory::timit39);
  if (sheet.protocol == ScoringProtocol::keep_q) symbols.emplace_back(kGlottalStop);
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < symbols.size(); ++i) index[symbols[i]] = i;
  index[""] = symbols.size();
  std::vector<std::vector<std::int64_t>> confusion(
      symbols.size() + 1, std::vector<std::int64_t>(symbols.size() + 1, 0));
  std::int64_t forgiven = 0;
  for (const auto& utterance : sheet.utterances) {
    for (const auto& pair : utterance.pairs) {
      if (pair.forgiven) {
        ++forgiven;
      } else {
        ++confusion.at(index.at(pair.reference)).at(index.at(pair.hypothesis));
      }
    }
  }
  auto by_utterance = nlohmann::ordered_json::array();
  for (const auto& utterance : sheet.utterances) {
    by_utterance.push_back({utterance.id, utterance.counts.tokens, utterance.counts.errors()});
  }
  return {{"protocol", name_of(sheet.protocol)},
          {"per", sheet.total.per()},
          {"tokens", sheet.total.tokens},
          {"substitutions", sheet.total.substitutions},
          {"deletions", sheet.total.deletions},
          {"insertions", sheet.total.insertions},
          {"forgiven", forgiven},
          {"utterances", sheet.total.utterances},
          {"symbols", symbols},
          {"confusion", confusion},
          {"by_utterance", by_utterance}};
}

}  // namespace

void check_protocol(ScoringProtocol protocol, PhoneInventory inventory, const std::string& where) {
  const bool about_q =
      protocol == ScoringProtocol::keep_q || protocol == ScoringProtocol::q_as_silence;
  if (!about_q || inventory == PhoneInventory::timit61) return;
  throw UsageError(
      fmt::format("{}scoring.protocol: found {}, which needs data.phones timit61; {} has no 'q'",
                  where, name_of(protocol), name_of(inventory)));
}

UtteranceScore score_utterance(const std::string& id, const std::vector<int>& reference,
                               const std::vector<int>& hypothesis, PhoneInventory inventory,
                               ScoringProtocol protocol) {
  check_protocol(protocol, inventory);
  const Symbols from = fold(reference, inventory, protocol, id);
  const Symbols to = fold(hypothesis, inventory, protocol, id);
  UtteranceScore score;
  score.id = id;
  score.pairs = Aligner(from, to, protocol == ScoringProtocol::forgiving).pairs();
  score.counts.tokens = static_cast<std::int64_t>(from.size());
  score.counts.utterances = 1;
  for (const auto& pair : score.pairs) {
    const std::string mark = verdict(pair);
    score.counts.substitutions += mark == "S" ? 1 : 0;
    score.counts.deletions += mark == "D" ? 1 : 0;
    score.counts.insertions += mark == "I" ? 1 : 0;
  }
  return score;
}

void ScoreSheet::add(UtteranceScore score) {
  total += score.counts;
  utterances.push_back(std::move(score));
}

std::string ScoreSheet::text() const {
  const auto percent = [&](std::int64_t count) {
    return total.tokens > 0 ? 100.0 * static_cast<double>(count) / static_cast<double>(total.tokens)
                            : 0.0;
  };
  return fmt::format(
      "PER {:.2f} % (S {:.1f} D {:.1f} I {:.1f}; {} tokens, {} utterances, protocol {})",
      total.per(), percent(total.substitutions), percent(total.deletions),
      percent(total.insertions), total.tokens, total.utterances, name_of(protocol));
}

void write_scores(const ScoreSheet& sheet, const std::filesystem::path& folder) {
  make_folder(folder);
  const bool forgiving = sheet.protocol == ScoringProtocol::forgiving;
  std::string reference, hypothesis, alignment = sheet.text() + "\n\n";
  for (const auto& utterance : sheet.utterances) {
    reference += trn_line(utterance, &AlignedPair::reference, forgiving);
    hypothesis += trn_line(utterance, &AlignedPair::hypothesis, false);
    alignment += alignment_text(utterance);
  }
  write_file(folder / "ref.trn", reference);
  write_file(folder / "hyp.trn", hypothesis);
  write_file(folder / "alignment.txt", alignment);
  write_file(folder / "scores.json", scores_json(sheet).dump() + "\n");
}

}  // namespace ernn
