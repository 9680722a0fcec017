// The three splits of a corpus, normalised, with what decoding needs to know of the training split;
// free of LibTorch's headers.
#pragma once

#include <functional>

#include "features/dataset.h"
#include "features/normalisation.h"
#include "train/decoder.h"
#include "train/process_group.h"
#include "train/run_config.h"

namespace ernn {

struct TrainingData {
  UtteranceSet train, dev, test;  ///< normalised when they are read
  PhoneInventory phones = PhoneInventory::timit61;
  int classes = 0;  ///< phones, without the CTC blank
  int inputs = 0;   ///< feature dimension
  Normalisation normalisation;
  DecoderModel decoder_model;
};

/// What the splits hold, in one line: how many utterances and a digest of their names and lengths.
std::string text_of_splits(const TrainingData& data);

/// Estimates normalisation, priors and bigram on `train` and normalises all splits; reads every
/// utterance once, one after another. Throws DataError naming the utterance when a label is outside
/// the phone set, features and labels have different lengths, or an utterance is empty.
TrainingData prepare_data(UtteranceSet train, UtteranceSet dev, UtteranceSet test,
                          PhoneInventory phones);

/// Loads the splits that a configuration names (features/dataset.h) and prepares them. For the
/// criterion ctc, utterances with fewer frames than their phones need are refused.
///
/// With `data.cache`, the first process of the group makes what is missing there, however long that
/// takes, and the others read it without looking at the corpus; all of them call this function.
/// `stop` is asked meanwhile: Error with exit status 130 when it says so.
TrainingData load_training_data(
    const RunConfig& config, const ProcessGroup& group, bool quiet,
    const std::function<bool()>& stop = [] { return false; });

/// Throws DataError naming the first utterance that CTC cannot align: it needs a frame for each
/// phone and one between two equal ones.
void check_ctc_lengths(const UtteranceSet& utterances);

/// Throws UsageError when the features do not have the width that the model expects.
void check_width(const ModelOptions& model, const TrainingData& data);

}  // namespace ernn
