// Test sets of several runs of one seed as one larger set.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace ernn {

/// Sorts utterances, which have an `id`, by it. Throws UsageError beginning with `title` when one
/// is there twice.
template <class Utterance>
void sort_disjoint(std::vector<Utterance>& utterances, const std::string& title,
                   std::int64_t seed) {
  std::sort(utterances.begin(), utterances.end(),
            [](const Utterance& a, const Utterance& b) { return a.id < b.id; });
  const auto twice =
      std::adjacent_find(utterances.begin(), utterances.end(),
                         [](const Utterance& a, const Utterance& b) { return a.id == b.id; });
  if (twice == utterances.end()) return;
  throw UsageError(
      fmt::format("{}: utterance {} is in two runs of seed {}; runs of one seed need test sets "
                  "that have nothing in common",
                  title, twice->id, seed));
}

}  // namespace ernn
