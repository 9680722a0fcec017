// Sentences for the synthetic corpus, from a small grammar over a word list that covers every
// English phone.
#pragma once

#include <string>
#include <vector>

#include "features/synthetic_random.h"

namespace ernn {

/// All words that sentences are made of, without repeats, in lower case.
std::vector<std::string> sentence_vocabulary();

/// `count` different sentences of four to ten words: lower-case words with one space between them,
/// no punctuation. Throws UsageError when the grammar would run dry (above 100000).
std::vector<std::string> generate_sentences(int count, CorpusRandom& random);

}  // namespace ernn
