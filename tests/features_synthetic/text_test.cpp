#include "features/synthetic_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace ernn {
namespace {

TEST(Sentences, AreDifferentAndMadeOfTheVocabulary) {
  const std::vector<std::string> vocabulary = sentence_vocabulary();
  EXPECT_GE(vocabulary.size(), 400U);
  const std::set<std::string> known(vocabulary.begin(), vocabulary.end());
  EXPECT_EQ(known.size(), vocabulary.size());
  CorpusRandom random(1, "sentences");
  const std::vector<std::string> sentences = generate_sentences(20000, random);
  // So many that the shorter templates are bound to repeat themselves.
  EXPECT_EQ(std::set<std::string>(sentences.begin(), sentences.end()).size(), 20000U);
  for (const std::string& sentence : sentences) {
    const std::vector<std::string> words = split_words(sentence);
    EXPECT_GE(words.size(), 4U) << sentence;
    EXPECT_LE(words.size(), 11U) << sentence;
    EXPECT_EQ(join(words, " "), sentence);
    for (const std::string& word : words) EXPECT_EQ(known.count(word), 1U) << sentence;
  }
}

TEST(Sentences, FollowTheSeed) {
  CorpusRandom first(1, "sentences");
  CorpusRandom again(1, "sentences");
  CorpusRandom other(2, "sentences");
  const std::vector<std::string> sentences = generate_sentences(50, first);
  EXPECT_EQ(sentences, generate_sentences(50, again));
  EXPECT_NE(sentences, generate_sentences(50, other));
}

}  // namespace
}  // namespace ernn
