// One utterance of the synthetic corpus: from the plan to sound and labels.
#pragma once

#include <vector>

#include "features/synthetic_plan.h"
#include "features/synthetic_speech.h"

namespace ernn {

/// The sentence as its speaker says it, without noise: synthesised, resampled (labels with it),
/// coloured, reflected and set to the utterance's level.
SpokenSentence render_clean(const SyntheticSpeaker& speaker, const SyntheticUtterance& utterance,
                            long long seed, SpeechSynthesiser& synthesiser);

/// Adds noise at the utterance's signal-to-noise ratio; everything is made quieter where the sum
/// would leave the 16-bit range.
void add_noise(SpokenSentence& spoken, const SyntheticUtterance& utterance, long long seed);

}  // namespace ernn
