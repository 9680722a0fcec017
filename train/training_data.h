// The three splits of a corpus, normalised, with what decoding needs to know of the training split;
// free of LibTorch.
#pragma once

#include <vector>

#include "features/dataset.h"
#include "features/normalisation.h"
#include "train/decoder.h"
#include "train/run_config.h"

namespace ernn {

struct TrainingData {
  std::vector<LabelledUtterance> train, dev, test;  ///< features normalised
  PhoneInventory phones = PhoneInventory::timit61;
  int classes = 0;  ///< phones, without the CTC blank
  int inputs = 0;   ///< feature dimension
  Normalisation normalisation;
  DecoderModel decoder_model;
};

/// Estimates normalisation, priors and bigram on `train` and normalises all splits. Throws
/// DataError naming the utterance when a label is outside the phone set, features and labels have
/// different lengths, or an utterance is empty.
TrainingData prepare_data(std::vector<LabelledUtterance> train, std::vector<LabelledUtterance> dev,
                          std::vector<LabelledUtterance> test, PhoneInventory phones);

/// Loads the splits that a configuration names (features/dataset.h) and prepares them. For the
/// criterion ctc, utterances with fewer frames than their phones need are refused.
TrainingData load_training_data(const RunConfig& config, bool quiet);

/// Throws DataError naming the first utterance that CTC cannot align: it needs a frame for each
/// phone and one between two equal ones.
void check_ctc_lengths(const std::vector<LabelledUtterance>& utterances);

/// Throws UsageError when the features do not have the width that the model expects.
void check_width(const ModelOptions& model, const TrainingData& data);

}  // namespace ernn
