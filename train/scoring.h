// Phone error rate by named protocols, alignments, and files for outside scorers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "features/phones.h"

namespace ernn {

/// How phone strings are compared; all fold to 39 classes after decoding.
///   kaldi:          q deleted, silence scored, repeats kept (Kaldi since 2014-11). The default.
///   forgiving:      as kaldi, but deleting a silence counts as correct (Kaldi before,
///                   pytorch-kaldi).
///   merge_silence:  consecutive silences merged in reference and hypothesis (speechbrain).
///   merge_repeats:  all consecutive repeats merged in both.
///   keep_q:         q scored as a class of its own.
///   q_as_silence:   q folded into silence.
/// The last two need the phones timit61; the smaller sets have no q.
enum class ScoringProtocol { kaldi, forgiving, merge_silence, merge_repeats, keep_q, q_as_silence };
const std::vector<std::pair<ScoringProtocol, const char*>>& enum_names(ScoringProtocol);

struct ErrorCounts {
  std::int64_t tokens = 0;  ///< reference length
  std::int64_t substitutions = 0, deletions = 0, insertions = 0;
  std::int64_t utterances = 0;

  std::int64_t errors() const { return substitutions + deletions + insertions; }
  /// Percent; 0 for an empty reference.
  double per() const {
    return tokens > 0 ? 100.0 * static_cast<double>(errors()) / static_cast<double>(tokens) : 0;
  }
  ErrorCounts& operator+=(const ErrorCounts& other);
};

/// One pair of an alignment; an empty side is an insertion or a deletion.
struct AlignedPair {
  std::string reference, hypothesis;
  bool forgiven = false;  ///< a deleted silence under `forgiving`
};

struct UtteranceScore {
  std::string id;
  ErrorCounts counts;
  std::vector<AlignedPair> pairs;
};

/// Throws UsageError, which begins with `where`, for a protocol that classes of `inventory` cannot
/// serve.
void check_protocol(ScoringProtocol protocol, PhoneInventory inventory,
                    const std::string& where = "");

/// Scores one utterance of classes of `inventory`: folds both sides, applies the protocol, aligns
/// with unit costs (a forgiven deletion is free). Among alignments with the fewest errors the one
/// with the fewest substitutions is taken, so with the most matches; remaining ties are broken from
/// the end of the utterance: a pair before a deletion before an insertion.
///
/// Throws UsageError (check_protocol()), and DataError naming `id` for a class outside `inventory`.
UtteranceScore score_utterance(const std::string& id, const std::vector<int>& reference,
                               const std::vector<int>& hypothesis, PhoneInventory inventory,
                               ScoringProtocol protocol);

/// All utterances of a set, and what the report needs of them.
struct ScoreSheet {
  ScoringProtocol protocol = ScoringProtocol::kaldi;
  ErrorCounts total;
  std::vector<UtteranceScore> utterances;

  void add(UtteranceScore score);
  /// "PER 12.34 % (S 5.1 D 4.0 I 3.2; 1257 tokens, 40 utterances, protocol kaldi)"
  std::string text() const;
};

/// Writes what follows into `folder`, each file beside and renamed:
///   ref.trn, hyp.trn  strings after folding, for `sclite -i spu_id` or `-i rm`; under `forgiving`
///                     with silences of the reference in parentheses, for `sclite -D`
///   alignment.txt     readable, per utterance
///   scores.json       protocol, per, counts, symbols, and confusion[reference][hypothesis] over
///                     symbols, whose last row counts insertions and last column deletions;
///                     forgiven deletions are in `forgiven` alone; by_utterance, a list of
///                     [id, tokens, errors]
void write_scores(const ScoreSheet& sheet, const std::filesystem::path& folder);

}  // namespace ernn
