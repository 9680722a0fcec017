// Which utterances of a corpus belong to train, dev and test.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "features/corpus.h"
#include "features/dataset.h"

namespace ernn {

/// Kaldi's TIMIT recipe: 50 development speakers and the 24 of the core test set, disjoint, all
/// from the TEST folder.
const std::vector<std::string>& kaldi_dev_speakers();
const std::vector<std::string>& core_test_speakers();

/// The utterances of one split, in order of id, after `include_sa` and `limit` (which takes
/// utterances evenly over the split, so that all dialects stay in it).
///
/// Names in `DataOptions` are looked up in the corpus; a dialect in `train_speakers` means its
/// speakers in TRAIN where the corpus has that folder. Empty lists: for test, the core test
/// speakers that exist, or all of TEST without dev's speakers when none does; for dev, Kaldi's that
/// exist; for train, all of TRAIN, or everybody in a corpus without that folder. Speakers of dev
/// and test, named or by default, leave train. Throws UsageError for an unknown name (with the
/// nearest), a speaker in both dev and test, and a split that is empty or cannot be chosen by
/// default.
std::vector<Utterance> select_split(const std::vector<Utterance>& corpus, const DataOptions& data,
                                    Split split);

/// At most `limit` places of a list of `size`, evenly spread; 0 = all.
std::vector<std::size_t> spread_places(std::size_t size, int limit);

/// "dr1: fvmh0 mcpm0; dr2: ..." with at most a few names a dialect, for messages.
std::string describe_speakers(const std::vector<Utterance>& corpus);

}  // namespace ernn
