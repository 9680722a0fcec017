#include "train/scoring.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/text.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

using Phones = std::vector<int>;

Phones phones(const std::string& text, PhoneInventory inventory = PhoneInventory::timit61) {
  Phones classes;
  for (const auto& symbol : split_words(text)) {
    classes.push_back(phone_index(inventory, symbol));
    if (classes.back() < 0) ADD_FAILURE() << symbol << " is no phone";
  }
  return classes;
}

ErrorCounts score(const std::string& reference, const std::string& hypothesis,
                  ScoringProtocol protocol) {
  return score_utterance("u", phones(reference), phones(hypothesis), PhoneInventory::timit61,
                         protocol)
      .counts;
}

/// One letter a pair, in order: c(orrect), s, d, i, f(orgiven).
std::string shape(const UtteranceScore& score) {
  std::string letters;
  for (const auto& pair : score.pairs) {
    letters += pair.forgiven                       ? 'f'
               : pair.reference.empty()            ? 'i'
               : pair.hypothesis.empty()           ? 'd'
               : pair.reference == pair.hypothesis ? 'c'
                                                   : 's';
  }
  return letters;
}

/// Fewest errors by trying everything: match or substitute, delete, insert.
int brute_force_errors(const Phones& a, const Phones& b, std::size_t i, std::size_t j,
                       int free_class) {
  if (i == a.size() && j == b.size()) return 0;
  int best = 1 << 20;
  if (i < a.size() && j < b.size()) {
    best =
        std::min(best, brute_force_errors(a, b, i + 1, j + 1, free_class) + (a[i] == b[j] ? 0 : 1));
  }
  if (i < a.size()) {
    best = std::min(best,
                    brute_force_errors(a, b, i + 1, j, free_class) + (a[i] == free_class ? 0 : 1));
  }
  if (j < b.size()) best = std::min(best, brute_force_errors(a, b, i, j + 1, free_class) + 1);
  return best;
}

Phones random_phones(int longest, const Phones& alphabet, std::mt19937& random) {
  std::uniform_int_distribution<int> length(0, longest);
  std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
  Phones result(static_cast<std::size_t>(length(random)));
  for (int& phone : result) phone = alphabet[pick(random)];
  return result;
}

TEST(Scoring, ProtocolsByHand) {
  // h# sil | q | b closure and release | iy | pause twice | h#
  const std::string reference = "h# q bcl b iy pau pau h#";  // folded: sil sil b iy sil sil sil
  const std::string hypothesis = "h# b q ih h# h#";          // folded: sil b ih sil sil
  using P = ScoringProtocol;
  const auto counts = [&](P protocol) { return score(reference, hypothesis, protocol); };

  EXPECT_EQ(counts(P::kaldi).tokens, 7);
  EXPECT_EQ(counts(P::kaldi).errors(), 3);  // one substitution, two silences deleted
  EXPECT_EQ(counts(P::kaldi).deletions, 2);
  EXPECT_NEAR(counts(P::kaldi).per(), 300.0 / 7, 1e-12);

  EXPECT_EQ(counts(P::forgiving).tokens, 7);  // forgiven silences stay in the denominator
  EXPECT_EQ(counts(P::forgiving).errors(), 1);

  EXPECT_EQ(counts(P::merge_silence).tokens, 4);  // sil b iy sil
  EXPECT_EQ(counts(P::merge_silence).errors(), 1);

  // sil q sil b iy sil sil sil against sil b q ih sil sil: q and sil deleted, iy-q, sil-ih.
  EXPECT_EQ(counts(P::keep_q).tokens, 8);
  EXPECT_EQ(counts(P::keep_q).deletions, 2);
  EXPECT_EQ(counts(P::keep_q).substitutions, 2);

  EXPECT_EQ(counts(P::q_as_silence).tokens, 8);  // sil sil sil b iy sil*3, sil b sil ih sil sil
  EXPECT_EQ(counts(P::q_as_silence).errors(), 4);
}

TEST(Scoring, MergingRepeatsCoversAllPhones) {
  using P = ScoringProtocol;
  EXPECT_EQ(score("n en n", "n", P::kaldi).errors(), 2);
  EXPECT_EQ(score("n en n", "n", P::merge_silence).errors(), 2);
  EXPECT_EQ(score("n en n", "n", P::merge_repeats).errors(), 0);
  EXPECT_EQ(score("n en n", "n", P::merge_repeats).tokens, 1);
  EXPECT_EQ(score("h# h# n", "h# n n", P::merge_repeats).errors(), 0);
}

TEST(Scoring, FoldsAfterDecodingAndKeepsTheRepeatsThatFoldingMakes) {
  // ux and uw are one class of 39, but they were decoded as two phones.
  EXPECT_EQ(score("uw", "uw ux", ScoringProtocol::kaldi).insertions, 1);
  EXPECT_EQ(score("zh ao", "sh aa", ScoringProtocol::kaldi).errors(), 0);
}

TEST(Scoring, DeletedQuietsAndInsertedOnesDifferWhenForgiving) {
  EXPECT_EQ(score("b", "h# b", ScoringProtocol::forgiving).insertions, 1);
  EXPECT_EQ(score("h# b", "b", ScoringProtocol::forgiving).errors(), 0);
  EXPECT_EQ(score("h# b", "p b", ScoringProtocol::forgiving).insertions, 1);
  EXPECT_EQ(score("h# b", "p b", ScoringProtocol::forgiving).substitutions, 0);
}

TEST(Scoring, TiesAreBrokenTheSameWayAlways) {
  const auto align = [](const std::string& a, const std::string& b) {
    return shape(score_utterance("u", phones(a), phones(b), PhoneInventory::timit61,
                                 ScoringProtocol::kaldi));
  };
  EXPECT_EQ(align("b d", "d b"), "icd");  // a match and two gaps instead of two substitutions
  EXPECT_EQ(align("b b", "b"), "dc");     // the gap comes first: pairs are taken from the end
  EXPECT_EQ(align("b", "b b"), "ic");
  EXPECT_EQ(align("b d g", "b t g"), "csc");
  EXPECT_EQ(align("", "b"), "i");
  EXPECT_EQ(align("b", ""), "d");
  EXPECT_EQ(align("", ""), "");
}

TEST(Scoring, EqualsBruteForceEditDistance) {
  std::mt19937 random(5);
  const Phones alphabet = phones("b d iy h#");
  const int silence = phone_index(PhoneInventory::timit61, "h#");
  for (int trial = 0; trial < 400; ++trial) {
    const Phones a = random_phones(6, alphabet, random);
    const Phones b = random_phones(6, alphabet, random);
    for (const auto protocol : {ScoringProtocol::kaldi, ScoringProtocol::forgiving}) {
      const auto result = score_utterance("u", a, b, PhoneInventory::timit61, protocol);
      const int free_class = protocol == ScoringProtocol::forgiving ? silence : -1;
      EXPECT_EQ(result.counts.errors(), brute_force_errors(a, b, 0, 0, free_class));
      EXPECT_EQ(result.counts.tokens, static_cast<std::int64_t>(a.size()));
      // The pairs spell out both sides.
      std::int64_t from = 0, to = 0;
      for (const auto& pair : result.pairs) {
        from += pair.reference.empty() ? 0 : 1;
        to += pair.hypothesis.empty() ? 0 : 1;
      }
      EXPECT_EQ(from, static_cast<std::int64_t>(a.size()));
      EXPECT_EQ(to, static_cast<std::int64_t>(b.size()));
    }
  }
}

TEST(Scoring, RefusesWhatItCannotHonour) {
  const Phones none;
  EXPECT_THROW(score_utterance("u", none, none, PhoneInventory::timit39, ScoringProtocol::keep_q),
               UsageError);
  EXPECT_THROW(
      score_utterance("u", none, none, PhoneInventory::timit48, ScoringProtocol::q_as_silence),
      UsageError);
  EXPECT_THROW(score_utterance("u", {61}, none, PhoneInventory::timit61, ScoringProtocol::kaldi),
               DataError);
  EXPECT_THROW(score_utterance("u", none, {-1}, PhoneInventory::timit61, ScoringProtocol::kaldi),
               DataError);
}

TEST(ScoreSheet, CorpusRateIsASumNotAMean) {
  ScoreSheet sheet;
  for (const auto& [reference, hypothesis] : std::vector<std::pair<std::string, std::string>>{
           {"b", "d"}, {"b d g p t k s z f", "b d g p t k s z f"}}) {
    sheet.add(score_utterance("u", phones(reference), phones(hypothesis), PhoneInventory::timit61,
                              ScoringProtocol::kaldi));
  }
  EXPECT_DOUBLE_EQ(sheet.total.per(), 10.0);  // the mean of the two rates would be 50
  EXPECT_EQ(sheet.text(),
            "PER 10.00 % (S 10.0 D 0.0 I 0.0; 10 tokens, 2 utterances, protocol kaldi)");
  EXPECT_EQ(ErrorCounts{}.per(), 0);
}

ScoreSheet random_sheet(ScoringProtocol protocol, unsigned seed, int utterances = 60) {
  std::mt19937 random(seed);
  ScoreSheet sheet;
  sheet.protocol = protocol;
  const Phones alphabet = phones("b d iy h# s n");
  for (int i = 0; i < utterances; ++i) {
    sheet.add(score_utterance(
        "f" + std::to_string(i % 4) + "_s" + std::to_string(i), random_phones(14, alphabet, random),
        random_phones(14, alphabet, random), PhoneInventory::timit61, protocol));
  }
  return sheet;
}

TEST(WriteScores, ConfusionAddsUpToTheCounts) {
  for (const auto protocol : {ScoringProtocol::kaldi, ScoringProtocol::forgiving}) {
    const TemporaryFolder folder;
    const ScoreSheet sheet = random_sheet(protocol, 1);
    write_scores(sheet, folder.path() / "test");
    const auto json = nlohmann::json::parse(read_file(folder.path() / "test" / "scores.json"));
    const auto confusion = json.at("confusion").get<std::vector<std::vector<std::int64_t>>>();
    const std::size_t last = json.at("symbols").size();
    ASSERT_EQ(confusion.size(), last + 1);
    std::int64_t tokens = 0, deletions = 0, insertions = 0, substitutions = 0;
    for (std::size_t r = 0; r <= last; ++r) {
      ASSERT_EQ(confusion[r].size(), last + 1);
      for (std::size_t c = 0; c <= last; ++c) {
        if (r < last) tokens += confusion[r][c];
        if (r == last) insertions += confusion[r][c];
        if (c == last) deletions += confusion[r][c];
        if (r < last && c < last && r != c) substitutions += confusion[r][c];
      }
    }
    EXPECT_EQ(confusion[last][last], 0);
    EXPECT_EQ(tokens + json.at("forgiven").get<std::int64_t>(), sheet.total.tokens);
    EXPECT_EQ(deletions, sheet.total.deletions);
    EXPECT_EQ(insertions, sheet.total.insertions);
    EXPECT_EQ(substitutions, sheet.total.substitutions);
    EXPECT_EQ(json.at("forgiven").get<int>() > 0, protocol == ScoringProtocol::forgiving);
    EXPECT_EQ(json.at("protocol"), name_of(protocol));
    EXPECT_DOUBLE_EQ(json.at("per").get<double>(), sheet.total.per());
  }
}

TEST(WriteScores, KeepsQAsASymbolWhereTheProtocolDoes) {
  const TemporaryFolder folder;
  ScoreSheet sheet;
  sheet.protocol = ScoringProtocol::keep_q;
  sheet.add(score_utterance("u_1", phones("q b"), phones("b q"), PhoneInventory::timit61,
                            ScoringProtocol::keep_q));
  write_scores(sheet, folder.path());
  EXPECT_EQ(read_file(folder.path() / "ref.trn"), "q b (u_1)\n");
  const auto json = nlohmann::json::parse(read_file(folder.path() / "scores.json"));
  EXPECT_EQ(json.at("symbols").size(), 40U);
}

TEST(WriteScores, AlignmentReadsAsATable) {
  const TemporaryFolder folder;
  ScoreSheet sheet;
  sheet.add(score_utterance("fdhc0_si1559", phones("h# aa b iy"), phones("h# ae iy s"),
                            PhoneInventory::timit61, ScoringProtocol::kaldi));
  write_scores(sheet, folder.path());
  EXPECT_EQ(read_file(folder.path() / "alignment.txt"),
            "PER 75.00 % (S 25.0 D 25.0 I 25.0; 4 tokens, 1 utterances, protocol kaldi)\n\n"
            "fdhc0_si1559  PER 75.00 % (S 1 D 1 I 1; 4 tokens)\n"
            "  REF  sil  aa   b    iy   ***\n"
            "  HYP  sil  ***  ae   iy   s\n"
            "            D    S         I\n\n");
}

// ---- The outside scorer ----

/// Sums of an sclite run: correct, substitutions, deletions, insertions.
struct ScliteTotals {
  long long correct = 0, substitutions = 0, deletions = 0, insertions = 0;
  long long errors() const { return substitutions + deletions + insertions; }
};

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"),
                                                             &::pclose);
  std::string text;
  std::array<char, 4096> buffer{};
  std::size_t got = 0;
  while (pipe && (got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0)
    text.append(buffer.data(), got);
  return text;
}

bool have_sclite() {
  return std::system("command -v sctk >/dev/null 2>&1") == 0;  // NOLINT(bugprone-command-processor)
}

/// The scores of each utterance, in the order of the files' ids.
std::map<std::string, ScliteTotals> run_sclite(const std::filesystem::path& folder,
                                               const std::string& options) {
  const std::string text = output_of("cd '" + folder.string() +
                                     "' && sctk sclite -r ref.trn trn -h hyp.trn trn -i rm -f 0 " +
                                     options + " -o pralign stdout 2>&1");
  std::map<std::string, ScliteTotals> totals;
  std::string id;
  for (const auto& line : split(text, '\n')) {
    if (line.rfind("id: (", 0) == 0) id = line.substr(5, line.find(')') - 5);
    if (line.rfind("Scores: ", 0) != 0) continue;
    const auto words = split_words(line);
    ScliteTotals& total = totals[id];
    if (words.size() < 9 || !parse_int(words[5], total.correct) ||
        !parse_int(words[6], total.substitutions) || !parse_int(words[7], total.deletions) ||
        !parse_int(words[8], total.insertions)) {
      ADD_FAILURE() << "unexpected line of sclite: " << line;
    }
  }
  return totals;
}

TEST(Sclite, AgreesUpToItsOwnCosts) {
  if (!have_sclite()) GTEST_SKIP() << "sctk is not installed: no outside scorer to compare with";
  const TemporaryFolder folder;
  const ScoreSheet sheet = random_sheet(ScoringProtocol::kaldi, 2, 300);
  write_scores(sheet, folder.path());
  const auto totals = run_sclite(folder.path(), "");
  ASSERT_EQ(totals.size(), sheet.utterances.size());
  int equal = 0;
  for (const auto& utterance : sheet.utterances) {
    const ErrorCounts& ours = utterance.counts;
    const ScliteTotals& theirs = totals.at(utterance.id);
    EXPECT_EQ(theirs.correct + theirs.substitutions + theirs.deletions, ours.tokens);
    // Unit costs give the fewest errors; sclite minimises 4 S + 3 D + 3 I.
    EXPECT_LE(ours.errors(), theirs.errors()) << utterance.id;
    EXPECT_LE(3 * theirs.errors() + theirs.substitutions, 3 * ours.errors() + ours.substitutions)
        << utterance.id;
    if (ours.errors() != theirs.errors()) continue;
    // Then both took the fewest substitutions among the same alignments.
    ++equal;
    EXPECT_EQ(ours.substitutions, theirs.substitutions) << utterance.id;
    EXPECT_EQ(ours.deletions, theirs.deletions) << utterance.id;
    EXPECT_EQ(ours.insertions, theirs.insertions) << utterance.id;
  }
  EXPECT_GT(equal, 200);
}

TEST(Sclite, OptionallyDeletableWordsAreTheForgivingProtocol) {
  if (!have_sclite()) GTEST_SKIP() << "sctk is not installed: no outside scorer to compare with";
  const TemporaryFolder folder;
  const ScoreSheet sheet = random_sheet(ScoringProtocol::forgiving, 3, 300);
  write_scores(sheet, folder.path());
  const auto totals = run_sclite(folder.path(), "-D");
  ASSERT_EQ(totals.size(), sheet.utterances.size());
  int equal = 0;
  for (const auto& utterance : sheet.utterances) {
    const ScliteTotals& theirs = totals.at(utterance.id);
    EXPECT_EQ(theirs.correct + theirs.substitutions + theirs.deletions, utterance.counts.tokens);
    EXPECT_LE(utterance.counts.errors(), theirs.errors()) << utterance.id;
    equal += utterance.counts.errors() == theirs.errors() ? 1 : 0;
  }
  EXPECT_GT(equal, 200);
}

}  // namespace
}  // namespace ernn
