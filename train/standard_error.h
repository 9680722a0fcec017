// How sure a phone error rate is.
#pragma once

#include "train/scoring.h"

namespace ernn {

/// Standard error of the PER in points when utterances are what is drawn: that of a ratio of two
/// sums. What speakers have in common is not in it. 0 for fewer than two utterances.
double standard_error(const ScoreSheet& sheet);
/// The same of the change from `before` to `after`, utterance by utterance. Throws DataError when
/// they are not of the same utterances.
double standard_error_of_change(const ScoreSheet& before, const ScoreSheet& after);

}  // namespace ernn
