// Features of a split, computed once and kept in `data.cache` for every run that needs the same.
//
// A split has a file for each set of options that decide what is in it (corpus, speakers, limit,
// phone set, features): `train-<digest of the options>.frames`. The file also knows the names,
// sizes and dates of the audio and label files that it was made from, so that one of a corpus that
// has changed is noticed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "features/dataset.h"

namespace ernn {

/// The file in `data.cache` that belongs to these options.
std::filesystem::path feature_cache_path(const DataOptions& data, const FeatureOptions& features,
                                         Split split);

/// Sees to it that the cache of a split is there and made from the corpus as it is now, and returns
/// a digest of what that is. A file whose index is broken, or made from other files, or whose
/// first utterance is broken or comes out otherwise when it is computed again, is made anew, which
/// is said on standard error unless `quiet`; no more than an utterance is in memory then. Other
/// utterances are not looked at. Of several processes one makes it while the others wait. `go_on`
/// is called once in a while and may throw to give up.
///
/// Throws what load_split() throws for a corpus, DataError naming the file for a failed write and
/// for a file system that cannot lock files.
std::string make_feature_cache(
    const DataOptions& data, const FeatureOptions& features, Split split, bool quiet,
    const std::function<void()>& go_on = [] {});

/// The split from its file, which must be made of what `digest` says; the corpus is not looked at.
/// Throws DataError naming the file when it is not there, broken, or another.
UtteranceSet open_feature_cache(const DataOptions& data, const FeatureOptions& features,
                                Split split, const std::string& digest);

}  // namespace ernn
